import { span } from "./numbers";

/** How long ago, in words; `now` and `at` are Unix times in seconds. */
export function ago(at: number, now: number): string {
  const seconds = now - at;
  return seconds < 1 ? "just now" : `${oneUnit(seconds)} ago`;
}

/** The time left until `at`, in at most two units; `now` when it is over. */
export function until(at: number, now: number): string {
  return at <= now ? "now" : span(Math.ceil(at - now));
}

function oneUnit(seconds: number): string {
  return span(seconds).split(" ")[0] ?? "";
}

const sameDay = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** The clock time for today, else the date too. */
export function moment(at: number, now: number = Date.now() / 1_000): string {
  const date = new Date(at * 1_000);
  return date.toDateString() === new Date(now * 1_000).toDateString()
    ? sameDay.format(date)
    : full.format(date);
}

/** Date and time to the second, in the reader's own zone. */
export function exact(at: number): string {
  return full.format(new Date(at * 1_000));
}
