import type { ReactNode } from "react";
import { IconAlertTriangle, IconCircleX, IconPointFilled } from "./icons";
import styles from "./status.module.css";

/** What a status means. What is as it should be, or not yet known, is quiet; the others stand out, each by an icon too. */
export type Tone = "good" | "warn" | "bad" | "idle" | "accent";

const ICONS = {
  warn: IconAlertTriangle,
  bad: IconCircleX,
  accent: IconPointFilled,
} as const;

/** A word with a dot, or with an icon where somebody should look. */
export function Status(props: { tone: Tone; children: ReactNode }) {
  const { tone } = props;
  const Icon = tone === "good" || tone === "idle" ? null : ICONS[tone];
  return (
    <span className={`${styles.status} ${styles[tone]}`}>
      {Icon ? <Icon aria-hidden strokeWidth={2} /> : <span className={styles.dot} />}
      {props.children}
    </span>
  );
}
