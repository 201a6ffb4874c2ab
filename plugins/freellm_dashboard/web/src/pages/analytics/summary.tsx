import type { ReactNode } from "react";
import type { Analytics, Spread, Tally } from "@/api/types";
import { Figure, Figures } from "@/components";
import { IconArrowDownRight, IconArrowUpRight } from "@/components/icons";
import { compact, count, duration, NBSP, percent, plural } from "@/format/numbers";
import { change } from "./changes";
import styles from "./shared.module.css";

/** The range in five figures, each compared with the range before. */
export function Summary({ analytics }: { analytics: Analytics }) {
  const { totals, before, range } = analytics;
  return (
    <Figures>
      <Figure
        label="Requests"
        value={count(totals.requests)}
        note={<Than now={totals.requests} then={before.requests} range={range} />}
      />
      <Figure label="Success" value={percent(totals.success)} note={saved(totals)} />
      <Figure
        label="Tokens"
        value={compact(totals.input_tokens + totals.output_tokens)}
        note={split(totals)}
      />
      <Figure label="Latency p50" value={duration(totals.latency?.p50)} note={tail(totals.latency)} />
      <Figure
        label="First token p50"
        value={duration(totals.first_token?.p50)}
        note={tail(totals.first_token, "no streams")}
      />
    </Figures>
  );
}

function Than({ now, then, range }: { now: number; then: number; range: string }): ReactNode {
  const found = change(now, then);
  const span = range.replace(/\d+/, `$&${NBSP}`);
  if (!found) return then === 0 && now > 0 ? `none in the ${span} before` : "as before";
  const Arrow = found.up ? IconArrowUpRight : IconArrowDownRight;
  return (
    <span className={styles.change}>
      <Arrow size={14} aria-hidden />
      {found.words} in the {span} before
    </span>
  );
}

function saved(totals: Tally): string {
  if (totals.requests === 0) return "no requests";
  const failed = totals.requests - totals.succeeded;
  const parts = [failed === 0 ? "none failed" : `${plural(failed, "failed", "failed")}`];
  if (totals.fell_back > 0) parts.push(`${count(totals.fell_back)} fell back`);
  parts.push(plural(totals.attempts, "attempt"));
  return parts.join(" · ");
}

function split(totals: Tally): string {
  const all = totals.input_tokens + totals.output_tokens;
  if (all === 0) return "none";
  const estimated =
    totals.estimated_tokens > 0 ? ` · ${percent(totals.estimated_tokens / all)} estimated` : "";
  return `${compact(totals.input_tokens)} in · ${compact(totals.output_tokens)} out${estimated}`;
}

function tail(spread: Spread | null, none = "no answers"): string {
  return spread === null ? none : `p95 ${duration(spread.p95)} · slowest ${duration(spread.max)}`;
}
