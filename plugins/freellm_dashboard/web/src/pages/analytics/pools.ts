/** Quotas in words, and which are worth a look. Pure. */

import type { Burndown, PoolForecast } from "@/api/types";
import { compact, count, perWindow } from "@/format/numbers";
import { until } from "@/format/time";

/** The share that is left, 0 to 1; null when the limit is unknown. */
export function share(pool: PoolForecast): number | null {
  if (pool.limit === null || pool.limit <= 0 || pool.left === null) return null;
  return Math.max(0, Math.min(1, pool.left / pool.limit));
}

/** Seconds of a window from which on it is worth a plan: a minute is over before anybody could act. */
const LONG = 1200;

/** Tell whether a pool's window is long enough to be drawn and planned with. */
export function isLong(pool: PoolForecast): boolean {
  return pool.window !== null && pool.window >= LONG;
}

/**
 * Return the pools with a known limit: those of long windows before those of short ones, in both those that are used up
 * for longest, then those that will be first, then those with the least left.
 */
export function urgent(pools: PoolForecast[]): PoolForecast[] {
  const known = pools.filter((pool) => share(pool) !== null && !pool.unlimited);
  return known.sort(
    (a, b) =>
      Number(isLong(b)) - Number(isLong(a)) ||
      closedUntil(b) - closedUntil(a) ||
      (a.exhausted_at ?? NEVER) - (b.exhausted_at ?? NEVER) ||
      (share(a) ?? 1) - (share(b) ?? 1) ||
      a.pool.localeCompare(b.pool),
  );
}

const NEVER = Number.MAX_SAFE_INTEGER;

/** Return until when nothing of a pool is to be had; 0 when there is something. */
function closedUntil(pool: PoolForecast): number {
  if (pool.closed_until !== null) return pool.closed_until;
  return share(pool) === 0 ? (pool.resets_at ?? NEVER) : 0;
}

/** `requests per day`. */
export function title(pool: PoolForecast): string {
  return pool.unit === "concurrent" ? "requests at once" : `${pool.unit} ${perWindow(pool.window)}`;
}

/** `all models`, or the models that share it. */
export function members(pool: PoolForecast): string {
  if (pool.members.length === 0) return "all models";
  const [first, ...rest] = pool.members;
  return rest.length === 0 ? (first ?? "") : `${first} and ${count(rest.length)} more`;
}

/** `120 of 1,000 left`. */
export function left(pool: PoolForecast): string {
  const short = (value: number) => (value < 10_000 ? count(value) : compact(value));
  return `${short(Math.max(0, pool.left ?? 0))} of ${short(pool.limit ?? 0)} left`;
}

/** What becomes of it at the present rate. */
export function forecast(pool: PoolForecast, now: number): string {
  if (pool.closed_until !== null && pool.closed_until > now) {
    return `exhausted, says the service; open again in ${until(pool.closed_until, now)}`;
  }
  if (pool.left !== null && pool.left <= 0) {
    return pool.resets_at === null ? "used up" : `used up; all of it again in ${until(pool.resets_at, now)}`;
  }
  if (pool.exhausted_at !== null) return `used up in ${until(pool.exhausted_at, now)} at this rate`;
  if (pool.burn_rate > 0 && pool.resets_at !== null)
    return `lasts until it resets in ${until(pool.resets_at, now)}`;
  return "not being used";
}

/** The past and the forecast on the same moments: the two lines meet where one ends and the other begins. */
export function lines(burndown: Burndown): {
  moments: number[];
  past: (number | null)[];
  future: (number | null)[];
} {
  const { past, future } = burndown;
  const moments = [...new Set([...past, ...future].map((point) => point.at))].sort((a, b) => a - b);
  const on = (points: Burndown["past"]) => {
    const values = new Map(points.map((point) => [point.at, point.left]));
    return moments.map((at) => values.get(at) ?? null);
  };
  const line = { moments, past: on(past), future: on(future) };
  const last = past.at(-1);
  const place = last ? moments.indexOf(last.at) : -1;
  if (last && place >= 0 && future.length > 0) line.future[place] ??= last.left;
  return line;
}
