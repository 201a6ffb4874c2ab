import { Suspense, useCallback } from "react";
import { Redirect, Route, Switch } from "wouter";
import { api, onSignedOut } from "@/api/client";
import { useLiveFeed } from "@/api/live_state";
import { queries, useApi } from "@/api/queries";
import type { Session, Settings } from "@/api/types";
import { Empty, Lines, Page, Problem } from "@/components";
import { PAGES } from "@/layout/routes";
import { Shell } from "@/layout/shell";
import Login from "@/pages/login";

/** Forget everything that was read, and ask who is signed in. */
function signedOut(): void {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  void queries.invalidateQueries({ queryKey: ["session"] });
}

onSignedOut(signedOut);

function Missing() {
  return (
    <Page title="Not found">
      <Empty title="There is no page here">The address may be mistyped; the navigation has every page.</Empty>
    </Page>
  );
}

function SignedIn() {
  useLiveFeed(signedOut);
  const settings = useApi<Settings>("/settings");
  const signOut = useCallback(async () => {
    await api.post("/logout");
    signedOut();
  }, []);
  return (
    <Shell demo={settings.data?.demo ?? false} signOut={() => void signOut()}>
      <Suspense
        fallback={
          <Page title="freellm">
            <Lines count={6} />
          </Page>
        }
      >
        <Switch>
          {PAGES.map((page) => (
            <Route key={page.path} path={page.path} component={page.component} />
          ))}
          <Route path="/panels/:id" component={PAGES.find((page) => page.path === "/panels")?.component} />
          <Route path="/login">
            <Redirect to="/" replace />
          </Route>
          <Route component={Missing} />
        </Switch>
      </Suspense>
    </Shell>
  );
}

/** The whole dashboard: the sign-in page until somebody is signed in. */
export function App() {
  const session = useApi<Session>("/session", {}, { refetchInterval: 300_000 });
  if (session.data?.signed_in) return <SignedIn />;
  if (session.data) return <Login session={session.data} />;
  if (session.error) return <Problem error={session.error} retry={() => void session.refetch()} />;
  return null;
}
