import { Button, Loader, PasswordInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import { ApiError, api } from "@/api/client";
import { queries } from "@/api/queries";
import type { Login as Credentials, Session } from "@/api/types";
import { CopyField, Countdown, Problem, useNow } from "@/components";
import icon from "@/theme/icon.svg";
import styles from "./login.module.css";

const LINK = "freellm dashboard link";

/** The token of a one-time link, taken out of the address at once so that it stays in no history. */
function takeToken(): string | null {
  const url = new URL(window.location.href);
  const token = url.searchParams.get("token");
  if (token !== null) window.history.replaceState(null, "", "/login");
  return token;
}

// Read once, when the page is loaded: a link works a single time.
const linked = takeToken();
let tried = false;

function useSignIn(): { busy: boolean; error: unknown; signIn: (credentials: Credentials) => Promise<void> } {
  const [busy, setBusy] = useState(linked !== null && !tried);
  const [error, setError] = useState<unknown>(null);
  const signIn = async (credentials: Credentials) => {
    setBusy(true);
    setError(null);
    try {
      const session = await api.post<Session>("/login", credentials);
      queries.setQueryData(["session", "/session", {}], session);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return { busy, error, signIn };
}

/** The time from which a password may be tried again, if the last answer named one. */
function waitUntil(error: unknown): number | null {
  return error instanceof ApiError && error.retryAt !== null ? error.retryAt : null;
}

/** Sign in with the password, or be told how to get a link. */
export default function Login(props: { session: Session }) {
  const { busy, error, signIn } = useSignIn();
  const [password, setPassword] = useState("");
  const now = useNow();
  const wait = waitUntil(error);
  const waiting = wait !== null && wait > now;

  useEffect(() => {
    document.title = "Sign in · freellm";
    if (linked === null || tried) return;
    tried = true;
    void signIn({ token: linked });
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void signIn({ password });
  };
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <div className={styles.brand}>
          <img src={icon} alt="" width={36} height={36} />
          <div>
            <h1>freellm</h1>
            <p className={styles.hint}>Sign in to your dashboard</p>
          </div>
        </div>
        {error !== null && <Problem error={error} />}
        {busy && linked !== null && !props.session.password_set && <Loader aria-label="Signing in" />}
        {props.session.password_set && (
          <form className={styles.form} onSubmit={submit}>
            {/* Password managers want a user name beside a password. */}
            <input type="text" name="username" autoComplete="username" value="freellm" readOnly hidden />
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="current-password"
              required
              data-autofocus
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              size="md"
            />
            <Button type="submit" variant="filled" size="md" loading={busy} disabled={waiting}>
              {waiting ? (
                <span>
                  Try again in <Countdown at={wait} />
                </span>
              ) : (
                "Sign in"
              )}
            </Button>
          </form>
        )}
        <div className={styles.part}>
          <h2>{props.session.password_set ? "No password at hand?" : "Ask for a link"}</h2>
          <p className={styles.hint}>
            Where the server runs, this prints a link that signs you in once, within 15 minutes:
          </p>
          <CopyField value={LINK} what="the command" />
          {!props.session.password_set && (
            <p className={styles.hint}>
              <code>freellm serve</code> prints one at its start, too. In a clone, put <code>uv run</code>{" "}
              before it.
            </p>
          )}
        </div>
      </div>
    </main>
  );
}
