import type { Reason } from "@/api/types";
import { count, percent, plural } from "@/format/numbers";
import styles from "./fallbacks.module.css";
import { kind } from "./rungs";
import shared from "./shared.module.css";

/** Why attempts failed, the most frequent first, and whose they were. */
export function Fallbacks({ reasons, attempts }: { reasons: Reason[]; attempts: number }) {
  const failed = reasons.reduce((sum, reason) => sum + reason.count, 0);
  const most = Math.max(1, ...reasons.map((reason) => reason.count));
  return (
    <section className={shared.box} aria-labelledby="fallbacks">
      <div className={shared.boxHead}>
        <h3 id="fallbacks">Failed attempts</h3>
        <span className={shared.faint}>
          {failed === 0
            ? "by reason"
            : `${count(failed)} of ${plural(attempts, "attempt")}, ${percent(failed / Math.max(1, attempts))}`}
        </span>
      </div>
      {failed === 0 ? (
        <p className={shared.nothing}>No attempt failed.</p>
      ) : (
        <ul className={styles.reasons}>
          {reasons.map((reason) => (
            <li key={reason.kind}>
              <span>{kind(reason.kind)}</span>
              <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden>
                <rect width={(reason.count / most) * 100} height="8" />
              </svg>
              <span className={shared.number}>{count(reason.count)}</span>
              <span className={styles.whose}>{whose(reason)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function whose(reason: Reason): string {
  const providers = Object.entries(reason.providers).sort(([, a], [, b]) => b - a);
  if (providers.length === 1) return providers[0]?.[0] ?? "";
  const shown = providers.slice(0, 3).map(([name, times]) => `${name} ${count(times)}`);
  const rest = providers.length - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${plural(rest, "more", "more")}` : shown.join(", ");
}
