import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { refresh, useApi } from "@/api/queries";
import type { Done, Session, SessionRow, Sessions } from "@/api/types";
import {
  Ago,
  Card,
  Confirm,
  CopyField,
  Loaded,
  notify,
  notifyProblem,
  Problem,
  Section,
  Status,
} from "@/components";
import { until } from "@/format/time";
import { browser } from "./browsers";
import styles from "./settings.module.css";

/** The server's own lower bound for a password. */
const SHORTEST = 10;

function PasswordForm({ isSet }: { isSet: boolean }) {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const put = async (wanted: string | null) => {
    await api.put<Done>("/password", { password: wanted, ...(isSet ? { current } : {}) });
    setCurrent("");
    setPassword("");
    await refresh("session", "sessions");
    notify(wanted === null ? "The password is removed" : "The password is set");
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await put(password);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <input type="text" name="username" autoComplete="username" value="freellm" readOnly hidden />
      {isSet && (
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
      )}
      <PasswordInput
        label={isSet ? "New password" : "Password"}
        description={`At least ${SHORTEST} characters. Without one, a link printed by the server signs you in.`}
        autoComplete="new-password"
        required
        minLength={SHORTEST}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {error !== null && <Problem error={error} />}
      <div className={styles.buttons}>
        <Button type="submit" variant="filled" loading={busy}>
          {isSet ? "Change the password" : "Set a password"}
        </Button>
        {isSet && (
          <Button disabled={current === ""} onClick={() => setRemoving(true)}>
            Remove it
          </Button>
        )}
      </div>
      <Confirm
        opened={removing}
        close={() => setRemoving(false)}
        title="Remove the password?"
        verb="Remove the password"
        action={() => put(null)}
      >
        <p>From then on, the only way in is a link that is printed where the server runs.</p>
      </Confirm>
    </form>
  );
}

function Row({ session }: { session: SessionRow }) {
  const [busy, setBusy] = useState(false);
  const end = async () => {
    setBusy(true);
    try {
      await api.delete<Done>(`/sessions/${encodeURIComponent(session.id)}`);
      await refresh("sessions");
      notify("That browser is signed out");
    } catch (error) {
      notifyProblem(error);
      setBusy(false);
    }
  };
  return (
    <li>
      <div className={styles.rowWords}>
        <div>
          <span title={session.client}>{browser(session.client)}</span>{" "}
          {session.current && <Status tone="accent">this one</Status>}
        </div>
        <div className={styles.muted}>
          Signed in <Ago at={session.created_at} />, last seen <Ago at={session.seen_at} />, ends in{" "}
          {until(session.expires_at, Date.now() / 1_000)}
        </div>
      </div>
      {!session.current && (
        <Button size="compact-sm" loading={busy} onClick={end}>
          Sign out
        </Button>
      )}
    </li>
  );
}

/** The password, and the browsers that are signed in. */
export function Access() {
  const session = useApi<Session>("/session");
  const sessions = useApi<Sessions>("/sessions");
  return (
    <>
      <Section title="Password">
        <Card className={styles.part}>
          <Loaded query={session}>
            {(data) => <PasswordForm key={String(data.password_set)} isSet={data.password_set} />}
          </Loaded>
          <div className={styles.lines}>
            <p className={styles.muted}>A link for another browser, from where the server runs:</p>
            <CopyField value="freellm dashboard link" what="the command" />
          </div>
        </Card>
      </Section>
      <Section title="Signed-in browsers">
        <Card padded={false}>
          <Loaded query={sessions}>
            {(data) => (
              <ul className={styles.rows}>
                {data.sessions.map((each) => (
                  <Row key={each.id} session={each} />
                ))}
              </ul>
            )}
          </Loaded>
        </Card>
      </Section>
    </>
  );
}
