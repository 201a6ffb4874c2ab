import { Button } from "@mantine/core";
import { useState } from "react";
import type { Analytics, Moment, Reason } from "@/api/types";
import { compact, count, duration, span } from "@/format/numbers";
import { exact } from "@/format/time";
import { DASHES, type Line } from "../charts/lines";
import { TimeChart } from "../charts/time_chart";
import { Fallbacks } from "./fallbacks";
import styles from "./shared.module.css";

const SYNC = "analytics";

/** The range over time: requests, tokens, latency and first token. */
export function Charts({ analytics }: { analytics: Analytics }) {
  const { series, since, until, step, fallbacks, totals } = analytics;
  const [part, setPart] = useState<[number, number] | null>(null);
  const busy = series.filter((moment) => moment.requests > 0);
  if (busy.length < 2)
    return <OneMoment at={busy[0]?.at} step={step} fallbacks={fallbacks} attempts={totals.attempts} />;
  const moments = series.map((moment) => moment.at);
  const each = `each ${span(step)}`;
  const range: [number, number] = part ?? [since, until];
  const common = { moments, sync: SYNC, range, onRange: setPart };
  return (
    <div className={styles.charts}>
      <TimeChart
        {...common}
        title="Requests"
        hint={
          part ? (
            <Button size="compact-sm" onClick={() => setPart(null)}>
              Whole range
            </Button>
          ) : (
            <>
              {each}
              <span className={styles.mouse}>, drag to enlarge</span>
            </>
          )
        }
        stack
        say={(value) => count(value)}
        empty="No requests."
        lines={[
          bars("answered", "--series-1", series, (moment) => moment.requests - moment.failed),
          { ...bars("failed", "--series-6", series, (moment) => moment.failed), hatched: true },
        ]}
      />
      <TimeChart
        {...common}
        title="Tokens"
        hint={each}
        stack
        say={compact}
        empty="No tokens."
        lines={[
          bars("in", "--series-7", series, (moment) => moment.input_tokens),
          { ...bars("out", "--series-2", series, (moment) => moment.output_tokens), hatched: true },
        ]}
      />
      <TimeChart
        {...common}
        title="Latency"
        hint="to the last byte"
        say={duration}
        empty="No answers."
        lines={spread(series, (moment) => [moment.p50_ms, moment.p95_ms])}
      />
      <TimeChart
        {...common}
        title="First token"
        hint="of streams"
        say={duration}
        empty="No streamed answers."
        lines={spread(series, (moment) => [moment.first_p50_ms, moment.first_p95_ms])}
      />
      <Fallbacks reasons={fallbacks} attempts={totals.attempts} />
    </div>
  );
}

/** One moment makes no lines, and its figures stand above. */
function OneMoment(props: { at: number | undefined; step: number; fallbacks: Reason[]; attempts: number }) {
  const { at, step, fallbacks, attempts } = props;
  return (
    <>
      {fallbacks.length > 0 && <Fallbacks reasons={fallbacks} attempts={attempts} />}
      {at !== undefined && (
        <p className={styles.faint}>
          All of it was within {span(step)}, from {exact(at)} on. Charts begin with the next {span(step)}, or
          in a shorter range.
        </p>
      )}
    </>
  );
}

/** Bars; a step without requests is a gap, so that nothing is drawn where nothing was. */
function bars(name: string, color: string, series: Moment[], value: (moment: Moment) => number): Line {
  return {
    name,
    color,
    style: "bars",
    values: series.map((moment) => (moment.requests === 0 ? null : value(moment))),
  };
}

function spread(series: Moment[], values: (moment: Moment) => [number | null, number | null]): Line[] {
  return [
    { name: "median", color: "--series-1", style: "area", values: series.map((moment) => values(moment)[0]) },
    {
      name: "p95",
      color: "--series-3",
      style: "line",
      dash: DASHES[1],
      values: series.map((moment) => values(moment)[1]),
    },
  ];
}
