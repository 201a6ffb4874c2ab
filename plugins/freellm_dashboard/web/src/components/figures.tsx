import type { ReactNode } from "react";
import styles from "./figures.module.css";

/** A row of figures; it wraps on small screens. */
export function Figures(props: { children: ReactNode }) {
  return <dl className={styles.figures}>{props.children}</dl>;
}

/** One number with its unit and a note, such as what it is compared with. */
export function Figure(props: { label: string; value: ReactNode; unit?: string; note?: ReactNode }) {
  return (
    <div className={styles.figure}>
      <dt className={styles.label}>{props.label}</dt>
      <dd>
        <div className={styles.value}>
          {props.value}
          {props.unit && <span className={styles.unit}>{props.unit}</span>}
        </div>
        {props.note !== undefined && <div className={styles.note}>{props.note}</div>}
      </dd>
    </div>
  );
}

/** How much is left of a whole, 0 to 1: amber up to 25 %, red up to 5 %; nothing left reddens the empty bar. */
export function Meter(props: { left: number; label: string }) {
  const left = Math.min(1, Math.max(0, props.left));
  const tone = left <= 0.05 ? "bad" : left <= 0.25 ? "warn" : "accent";
  return (
    <div
      className={styles.meter}
      data-tone={tone}
      role="meter"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(left * 100)}
      aria-label={props.label}
    >
      <div className={styles.fill} style={{ width: `${left * 100}%` }} />
    </div>
  );
}
