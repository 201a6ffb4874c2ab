import { type ReactNode, useEffect, useId } from "react";
import styles from "./page.module.css";

/** A page: its title (also the tab's), five words below it, and what one can do on it. */
export function Page(props: {
  title: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  /** `wide` uses a large screen for tables and charts, `narrow` keeps forms readable. */
  width?: "wide" | "narrow";
  /** The same as `width="wide"`. */
  wide?: boolean;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${props.title} · freellm`;
  }, [props.title]);
  const width = props.wide ? "wide" : props.width;
  return (
    <div className={[styles.page, width ? styles[width] : ""].join(" ")}>
      <header className={styles.header}>
        <div>
          <h1>{props.title}</h1>
          {props.subtitle && <p className={styles.subtitle}>{props.subtitle}</p>}
        </div>
        {props.actions && <div className={styles.actions}>{props.actions}</div>}
      </header>
      {props.children}
    </div>
  );
}

/** A part of a page under a heading of its own. */
export function Section(props: {
  title: string;
  hint?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const heading = useId();
  return (
    <section className={styles.section} aria-labelledby={heading}>
      <div className={styles.sectionHeader}>
        <h2 id={heading}>{props.title}</h2>
        {props.hint && <p className={styles.hint}>{props.hint}</p>}
        {props.actions}
      </div>
      {props.children}
    </section>
  );
}

/** A surface with a border. */
export function Card(props: { padded?: boolean; className?: string; children: ReactNode }) {
  return (
    <div className={`${styles.card} ${props.padded === false ? "" : styles.padded} ${props.className ?? ""}`}>
      {props.children}
    </div>
  );
}
