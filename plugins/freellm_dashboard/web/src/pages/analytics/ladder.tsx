import { Modal } from "@mantine/core";
import { Fragment, type ReactNode, useEffect, useState } from "react";

import { useApi } from "@/api/queries";
import type { Attempt, PassedOver, RequestDetail, RequestRow } from "@/api/types";
import { CopyField, Countdown, type Fact, FactList, Lines, Loaded, Status } from "@/components";
import { compact, duration, plural } from "@/format/numbers";
import { exact } from "@/format/time";
import styles from "./ladder.module.css";
import { kind, type Rung, rungs } from "./rungs";

/** One logged request with its ladder, in a dialog; it is closed while there is no id. */
export function CallDialog({ id, close }: { id: string | null; close: () => void }) {
  return (
    <Modal opened={id !== null} onClose={close} title="Request" size="xl">
      {id !== null && <Call id={id} />}
    </Modal>
  );
}

/** The log is written behind: a request that has just ended is asked for again, so many times. */
const TRIES = 6;

/** One logged request with its ladder; `brief` where what the client got stands above it. */
export function Call({ id, brief = false }: { id: string; brief?: boolean }) {
  const [settled, settle] = useState(false);
  const query = useApi<RequestDetail>(
    `/requests/${encodeURIComponent(id)}`,
    {},
    { refetchInterval: settled ? 0 : 500 },
  );
  const found = query.data?.request != null;
  const tries = query.errorUpdateCount;
  useEffect(() => {
    if (found || tries >= TRIES) settle(true);
  }, [found, tries]);
  if (query.error?.status === 404 && !settled) return <Lines />;
  return (
    <Loaded query={query}>
      {(detail) => (
        <div className={styles.call}>
          <CopyField value={id} what="request id" />
          {detail.request ? (
            <Summary request={detail.request} brief={brief} />
          ) : (
            <Status tone="accent">being answered</Status>
          )}
          <Ladder detail={detail} />
        </div>
      )}
    </Loaded>
  );
}

/** What the client asked for and got. */
function Summary({ request, brief }: { request: RequestRow; brief: boolean }) {
  const facts: Fact[] = [
    ["Asked for", <code key="asked">{request.requested || "auto"}</code>],
    ["When", exact(request.created)],
  ];
  if (!brief)
    facts.push(
      ["Client got", <Outcome key="got" request={request} />],
      ["First token", request.stream ? duration(request.first_delta_ms) : "not streamed"],
      ["Took", duration(request.duration_ms)],
      ["Tokens", tokens(request)],
    );
  if (request.overhead_ms !== null) facts.push(["Of it freellm's", duration(request.overhead_ms)]);
  return <FactList facts={facts} className={styles.facts} />;
}

/** Who answered, and what was asked for where that says more. */
export function Answerer({ request }: { request: RequestRow }) {
  const route = request.provider ? `${request.provider}/${request.model}` : "nobody";
  return (
    <>
      {route} <AskedFor requested={request.requested} route={route} />
    </>
  );
}

/** What was asked for; nothing where that is everybody, or who answered. */
export function AskedFor({ requested, route }: { requested: string; route: string | null }) {
  if (requested === "" || requested === "auto" || requested === route) return null;
  return <span className={styles.faint}>for {requested}</span>;
}

/** Whether the client got an answer, in a word. */
export function Outcome({ request }: { request: RequestRow }) {
  if (request.ok)
    return (
      <Status tone={request.attempts > 1 ? "accent" : "good"}>
        {request.attempts > 1 ? `after ${request.attempts} attempts` : "answered"}
      </Status>
    );
  const left = request.status === 499;
  return (
    <Status tone={left ? "idle" : "bad"}>
      {left ? "client left" : <span>{breakable(`${request.status} ${request.error ?? ""}`)}</span>}
    </Status>
  );
}

/** A code with underscores, which may go on in the next line after each of them. */
function breakable(code: string): ReactNode {
  return code.split(/(?<=_)/).map((part) => (
    <Fragment key={part}>
      {part}
      <wbr />
    </Fragment>
  ));
}

/** `120 → 45`, with a mark when they are estimates. */
export function tokens(request: RequestRow): string {
  if (request.input_tokens === null && request.output_tokens === null) return "–";
  const mark = request.estimated ? "≈ " : "";
  return `${mark}${compact(request.input_tokens ?? 0)} → ${compact(request.output_tokens ?? 0)}`;
}

/** Every attempt with its time, and what was passed over on the way. */
export function Ladder({ detail }: { detail: RequestDetail }) {
  const ladder = rungs(detail);
  if (ladder.length === 0)
    return <p className={styles.faint}>Nobody was asked and nobody was passed over.</p>;
  return (
    <ol className={styles.ladder} aria-label="Ladder">
      {ladder.map((rung) => (
        <li
          key={
            "attempt" in rung ? rung.attempt.number : `${rung.passedOver[0]?.name}#${rung.passedOver[0]?.key}`
          }
        >
          {"attempt" in rung ? <Asked rung={rung} /> : <Skipped routes={rung.passedOver} />}
        </li>
      ))}
    </ol>
  );
}

function Asked({ rung }: { rung: Extract<Rung, { attempt: Attempt }> }) {
  const { attempt, start, width } = rung;
  const well = attempt.kind === "ok";
  return (
    <div className={styles.rung} data-well={well || undefined}>
      <span className={styles.number}>{attempt.number}</span>
      <span className={styles.route}>
        <strong>
          {attempt.provider}/{attempt.model}
        </strong>
        <span className={styles.faint}> {attempt.key_label ?? attempt.key}</span>
      </span>
      <Status
        tone={well ? "good" : attempt.kind === "cancelled" || attempt.kind === "hedged" ? "idle" : "bad"}
      >
        {kind(attempt.kind)}
        {!well && attempt.status !== null && ` · ${attempt.status}`}
      </Status>
      <span className={styles.ms}>{duration(attempt.duration_ms)}</span>
      <svg className={styles.time} viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden>
        <rect className={styles.track} width="1000" height="6" />
        <rect className={styles.fill} x={start * 1000} width={Math.max(4, width * 1000)} height="6" />
      </svg>
      {(attempt.message || attempt.quota) && (
        <p className={styles.detail}>
          {attempt.message}
          {attempt.message && attempt.quota && <br />}
          {attempt.quota && <span className={styles.faint}>{attempt.quota}</span>}
        </p>
      )}
    </div>
  );
}

function Skipped({ routes }: { routes: PassedOver[] }) {
  return (
    <details className={styles.skipped} open={routes.length <= 3}>
      <summary>{plural(routes.length, "route")} passed over</summary>
      <ul>
        {routes.map((route) => (
          <li key={`${route.name}#${route.key}`}>
            <span className={styles.route}>
              {route.name}
              {route.key_label && <span className={styles.faint}> {route.key_label}</span>}
            </span>
            <span className={styles.faint}>
              {route.detail || kind(route.cause)}
              {route.opens_at !== null && (
                <>
                  {" "}
                  · opens in <Countdown at={route.opens_at} over="a moment" />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
