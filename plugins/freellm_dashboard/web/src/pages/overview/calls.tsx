import { useEffect, useState } from "react";
import type { RequestRow, UnderWay } from "@/api/types";
import { Card, Empty, useQueryParam } from "@/components";
import { IconActivity } from "@/components/icons";
import { count, duration } from "@/format/numbers";
import { moment } from "@/format/time";
import { Answerer, AskedFor, CallDialog, Outcome, tokens } from "@/pages/analytics/ladder";
import styles from "./calls.module.css";

/** Milliseconds since a request began, ten times a second. */
function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 100);
    return () => window.clearInterval(timer);
  }, []);
  return <span>{duration(Math.max(0, Math.round((now - since * 1_000) / 100) * 100))}</span>;
}

function UnderWayRow({ request }: { request: UnderWay }) {
  return (
    <tr>
      <td>
        <span className={styles.pulse} aria-hidden />
        now
      </td>
      <td className={styles.route}>
        {request.asking ?? "choosing…"} <AskedFor requested={request.requested} route={request.asking} />
      </td>
      <td>{request.failed_attempts > 0 ? `attempt ${request.failed_attempts + 1}` : ""}</td>
      <td className={`${styles.right} ${styles.least}`} />
      <td className={styles.right}>
        <Elapsed since={request.since} />
      </td>
    </tr>
  );
}

function CallRow({ request, open }: { request: RequestRow; open: () => void }) {
  return (
    <tr onClick={open}>
      <td>
        <button
          type="button"
          className={styles.open}
          aria-label={`Request of ${moment(request.created)}, details`}
        >
          {moment(request.created)}
        </button>
      </td>
      <td className={styles.route}>
        <Answerer request={request} />
      </td>
      <td>
        <Outcome request={request} />
      </td>
      <td className={`${styles.right} ${styles.least}`}>{tokens(request)}</td>
      <td className={styles.right}>{duration(request.duration_ms)}</td>
    </tr>
  );
}

/** How many of the requests under way have a row; the others are counted. */
const MOST_UNDER_WAY = 5;

/** Requests under way, then the last ones; each opens its ladder, which has an address of its own. */
export function Calls({ last, underWay }: { last: RequestRow[]; underWay: UnderWay[] }) {
  const [call, setCall] = useQueryParam("call");
  if (last.length === 0 && underWay.length === 0) {
    return (
      <Empty icon={IconActivity} title="No requests yet">
        They appear here as they come in, each with every provider that was asked and how long it took.
      </Empty>
    );
  }
  return (
    <Card padded={false}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Answered by</th>
            <th scope="col">Outcome</th>
            <th scope="col" className={`${styles.right} ${styles.least}`}>
              Tokens
            </th>
            <th scope="col" className={styles.right}>
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {underWay.slice(0, MOST_UNDER_WAY).map((request) => (
            <UnderWayRow key={request.id} request={request} />
          ))}
          {underWay.length > MOST_UNDER_WAY && (
            <tr>
              <td colSpan={5} className={styles.asked}>
                {count(underWay.length - MOST_UNDER_WAY)} more under way
              </td>
            </tr>
          )}
          {last.map((request) => (
            <CallRow key={request.id} request={request} open={() => setCall(request.id)} />
          ))}
        </tbody>
      </table>
      <CallDialog id={call || null} close={() => setCall("")} />
    </Card>
  );
}
