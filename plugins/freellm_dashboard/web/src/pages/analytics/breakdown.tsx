import { Button, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { Analytics, Group } from "@/api/types";
import { Section } from "@/components";
import { compact, count, duration, percent } from "@/format/numbers";
import styles from "./groups.module.css";
import shared from "./shared.module.css";

const GROUPINGS = [
  { value: "provider", label: "Provider" },
  { value: "model", label: "Model" },
  { value: "key", label: "Key" },
];

const FEW = 20;

/** The figures by provider, model or key; of many groups, those with the most requests first. */
export function Breakdown({ analytics, change }: { analytics: Analytics; change: (by: string) => void }) {
  const { groups, by, totals, series } = analytics;
  const over = series.filter((moment) => moment.requests > 0).length > 1;
  const [all, setAll] = useState(false);
  const shown = all ? groups : groups.slice(0, FEW);
  return (
    <Section
      title={`By ${by}`}
      hint="Whoever was asked last for a request"
      actions={
        <SegmentedControl
          className={shared.right}
          size="xs"
          data={GROUPINGS}
          value={by}
          onChange={change}
          aria-label="Group by"
        />
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll box has to be reachable by keyboard */}
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={`Figures by ${by}`}>
        <table className={styles.groups}>
          <thead>
            <tr>
              <th scope="col">{GROUPINGS.find((one) => one.value === by)?.label}</th>
              {over && (
                <th scope="col" data-spark>
                  Over time
                </th>
              )}
              <th scope="col" data-number>
                Requests · of all
              </th>
              <th scope="col" data-number>
                Success
              </th>
              <th scope="col" data-number title="Attempts made there, and the share that failed">
                Attempts
              </th>
              <th scope="col" data-number>
                Tokens
              </th>
              <th scope="col" data-number>
                Median
              </th>
              <th scope="col" data-number>
                p95
              </th>
              <th scope="col" data-number>
                First token
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((group) => (
              <Row key={group.name} group={group} all={totals.requests} over={over} />
            ))}
          </tbody>
        </table>
      </div>
      {groups.length > shown.length && (
        <Button variant="subtle" onClick={() => setAll(true)}>
          Show the other {count(groups.length - shown.length)}
        </Button>
      )}
    </Section>
  );
}

function Row({ group, all, over }: { group: Group; all: number; over: boolean }) {
  const { tally, attempts_made, attempts_failed } = group;
  return (
    <tr>
      <th scope="row">
        {group.title || group.name || "nobody"}
        {group.title && group.title !== group.name && <span className={styles.sub}>{group.name}</span>}
      </th>
      {over && (
        <td data-spark>
          <Spark values={group.requests} />
        </td>
      )}
      <td data-number>
        {count(tally.requests)}{" "}
        <span className={shared.faint}>{percent(tally.requests / Math.max(1, all))}</span>
      </td>
      <td data-number>{percent(tally.success)}</td>
      <td data-number>
        {count(attempts_made)}{" "}
        {attempts_failed > 0 && (
          <span className={shared.faint}>{percent(attempts_failed / attempts_made)} failed</span>
        )}
      </td>
      <td data-number>{compact(tally.input_tokens + tally.output_tokens)}</td>
      <td data-number>{duration(tally.latency?.p50)}</td>
      <td data-number>{duration(tally.latency?.p95)}</td>
      <td data-number>{duration(tally.first_token?.p50)}</td>
    </tr>
  );
}

/** Requests over the range as small bars; the figures beside it say the same. */
function Spark({ values }: { values: number[] }) {
  const most = Math.max(1, ...values);
  return (
    <svg className={styles.spark} viewBox={`0 0 ${values.length} 20`} preserveAspectRatio="none" aria-hidden>
      {values.map((value, at) => {
        const height = value === 0 ? 0 : Math.max(1, (value / most) * 20);
        return <rect key={at} x={at + 0.1} y={20 - height} width={0.8} height={height} />;
      })}
    </svg>
  );
}
