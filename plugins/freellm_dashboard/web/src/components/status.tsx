import type { ReactNode } from "react";
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX, IconPointFilled } from "./icons";
import styles from "./status.module.css";

/** What a status means; each has a colour and an icon, so that neither is needed to tell it. */
export type Tone = "good" | "warn" | "bad" | "idle" | "accent";

const ICONS = {
  good: IconCircleCheck,
  warn: IconAlertTriangle,
  bad: IconCircleX,
  idle: IconCircleDashed,
  accent: IconPointFilled,
} as const;

/** A word with an icon. */
export function Status(props: { tone: Tone; children: ReactNode }) {
  const Icon = ICONS[props.tone];
  return (
    <span className={`${styles.status} ${styles[props.tone]}`}>
      <Icon aria-hidden strokeWidth={2} />
      {props.children}
    </span>
  );
}
