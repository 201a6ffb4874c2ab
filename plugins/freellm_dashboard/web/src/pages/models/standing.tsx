import type { ModelRow } from "@/api/types";
import { Countdown, Status, type Tone } from "@/components";
import styles from "./cells.module.css";
import { type Standing, standing } from "./filters";

/** The states in words, and how each is drawn. */
export const WORDS: Record<Standing, { title: string; tone: Tone }> = {
  ready: { title: "Ready", tone: "good" },
  closed: { title: "Closed", tone: "warn" },
  off: { title: "Off", tone: "idle" },
  "no-key": { title: "No key", tone: "idle" },
  retired: { title: "Retired", tone: "idle" },
};

/** The one state of a model, with the reason below it: one line of it, or the whole. */
export function StandingCell({ row, whole = false }: { row: ModelRow; whole?: boolean }) {
  const state = standing(row);
  const { title, tone } = WORDS[state];
  const reason = why(row, state);
  return (
    <div className={styles.standing} data-whole={whole || undefined}>
      <span className={styles.word}>
        <Status tone={tone}>{title}</Status>
        {state === "closed" && row.opens_at !== null && (
          <span className={styles.opens} title="until it opens">
            for <Countdown at={row.opens_at} over="a moment" />
          </span>
        )}
      </span>
      {reason && (
        <span className={styles.reason} title={reason}>
          {reason}
        </span>
      )}
    </div>
  );
}

/** Why a model is in its state, in words; empty when there is nothing to say. */
export function why(row: ModelRow, state: Standing): string {
  if (state === "ready") return "";
  if (state === "closed") return row.unavailable_because ?? row.why;
  return row.why || row.note;
}
