import { ago, exact, until } from "@/format/time";
import { useNow } from "./use_now";

/** How long ago, kept up to date; the exact time on hover. `at` is Unix time in seconds; null is never. */
export function Ago(props: { at: number | null; never?: string }) {
  const now = useNow();
  if (props.at === null) return <span>{props.never ?? "never"}</span>;
  return (
    <time dateTime={new Date(props.at * 1_000).toISOString()} title={exact(props.at)}>
      {ago(props.at, now)}
    </time>
  );
}

/** The time left until `at`, counting down every second; `over` when it is past. */
export function Countdown(props: { at: number; over?: string }) {
  const now = useNow();
  return (
    <time dateTime={new Date(props.at * 1_000).toISOString()} title={exact(props.at)} role="timer">
      {props.at <= now ? (props.over ?? "now") : until(props.at, now)}
    </time>
  );
}
