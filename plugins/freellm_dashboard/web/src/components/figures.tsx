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
        <div className={styles.note}>{props.note}</div>
      </dd>
    </div>
  );
}

/** How much is used of a whole, 0 to 1: amber from 75 %, red from 95 %. */
export function Meter(props: { used: number; label: string }) {
  const used = Math.min(1, Math.max(0, props.used));
  const tone = used >= 0.95 ? "bad" : used >= 0.75 ? "warn" : "accent";
  return (
    <div
      className={styles.meter}
      role="meter"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(used * 100)}
      aria-label={props.label}
    >
      <div className={styles.fill} data-tone={tone} style={{ width: `${used * 100}%` }} />
    </div>
  );
}
