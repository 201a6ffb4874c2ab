/** A request's ladder: what was asked and what was passed over, from top to bottom. Pure. */

import type { Attempt, PassedOver, RequestDetail } from "@/api/types";

export type Rung = { attempt: Attempt; start: number; width: number } | { passedOver: PassedOver[] };

/**
 * Return the rungs in the order in which things happened: before each attempt the routes that were passed over on the
 * way to it. `start` and `width` are shares of the whole time, 0 to 1.
 */
export function rungs(detail: RequestDetail): Rung[] {
  const { request, attempts, passed_over } = detail;
  const begin = request?.created ?? attempts[0]?.started ?? 0;
  const ends = attempts.map((one) => (one.started - begin) * 1000 + (one.duration_ms ?? 0));
  const whole = Math.max(1, request?.duration_ms ?? 0, ...ends);
  const ladder: Rung[] = [];
  let passed = 0;
  for (const attempt of attempts) {
    const until = Math.max(passed, Math.min(passed_over.length, attempt.passed_over));
    if (until > passed) ladder.push({ passedOver: passed_over.slice(passed, until) });
    passed = until;
    const start = clamped(((attempt.started - begin) * 1000) / whole);
    ladder.push({ attempt, start, width: Math.min(1 - start, clamped((attempt.duration_ms ?? 0) / whole)) });
  }
  if (passed < passed_over.length) ladder.push({ passedOver: passed_over.slice(passed) });
  return ladder;
}

function clamped(share: number): number {
  return Math.max(0, Math.min(1, share));
}

/** Kinds of failure in words. */
export const KINDS: Record<string, string> = {
  ok: "answered",
  rate_limited: "rate limited",
  quota_exhausted: "quota exhausted",
  concurrency: "too many at once",
  too_large: "too large",
  context_exceeded: "context exceeded",
  bad_key: "key refused",
  forbidden: "forbidden",
  payment_required: "payment required",
  model_gone: "model gone",
  content_filtered: "content filtered",
  bad_request: "bad request",
  overloaded: "overloaded",
  timeout: "too slow",
  network: "connection broke",
  bad_answer: "broken answer",
  cancelled: "client left",
  hedged: "slower than another",
};

/** Return a kind in words. */
export function kind(name: string): string {
  return KINDS[name] ?? name.replaceAll("_", " ");
}
