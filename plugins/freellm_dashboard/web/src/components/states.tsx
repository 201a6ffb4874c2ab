import { Button, Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ComponentType, ReactNode } from "react";
import { ApiError } from "@/api/client";
import { sentence } from "@/format/words";
import { IconAlertCircle, type IconProps } from "./icons";
import { Marked } from "./marked";
import styles from "./states.module.css";

/** Nothing here yet: what would be, and the action that brings it. */
export function Empty(props: {
  icon?: ComponentType<IconProps>;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  const Icon = props.icon;
  return (
    <div className={styles.state}>
      {Icon && <Icon size={28} strokeWidth={1.5} aria-hidden />}
      <h3>{props.title}</h3>
      {props.children && <div className={styles.words}>{props.children}</div>}
      {props.action}
    </div>
  );
}

/** Something went wrong: what, what to do, and a way to try again. */
export function Problem(props: { error: unknown; retry?: () => void }) {
  const { error } = props;
  const message = error instanceof Error ? error.message : String(error);
  const cure = error instanceof ApiError ? error.cure : null;
  return (
    <div className={styles.problem} role="alert">
      <IconAlertCircle size={18} aria-hidden />
      <div className={styles.problemBody}>
        <div>
          <Marked text={sentence(message)} />{" "}
          {cure && (
            <span className={styles.cure}>
              <Marked text={sentence(cure)} />
            </span>
          )}
        </div>
        {props.retry && (
          <Button size="compact-sm" onClick={props.retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** Grey lines of the height of what will be there. */
export function Lines(props: { count?: number; height?: number }) {
  return (
    <div className={styles.lines} role="status" aria-label="Loading">
      {Array.from({ length: props.count ?? 3 }, (_, line) => (
        <Skeleton key={line} height={props.height ?? 40} radius="sm" />
      ))}
    </div>
  );
}

/**
 * What a query has brought: a skeleton while it loads, the problem if there is none, else `children` with the data.
 * Data that is already there stays when a later refresh fails.
 */
export function Loaded<T>(props: {
  query: UseQueryResult<T, Error>;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  const { data, error, refetch } = props.query;
  if (data !== undefined) return <>{props.children(data)}</>;
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  return <>{props.skeleton ?? <Lines />}</>;
}
