import { SegmentedControl, Skeleton } from "@mantine/core";

import { useApi } from "@/api/queries";
import type { Analytics } from "@/api/types";
import { Lines, Loaded, Page, Section } from "@/components";
import { useParams } from "../search_params";
import { Breakdown } from "./breakdown";
import { Burndown } from "./burndown";
import { Calls } from "./calls";
import { Charts } from "./charts";
import styles from "./shared.module.css";
import { Summary } from "./summary";

const DEFAULTS = { range: "", by: "provider" };

const RANGES = [
  { value: "1h", label: "1 h" },
  { value: "24h", label: "24 h" },
  { value: "7d", label: "7 d" },
  { value: "30d", label: "30 d" },
  { value: "90d", label: "90 d" },
];

/** Seconds of the shortest range. */
const HOUR = 3_600;

/** The range when none is chosen: a day, or an hour when all there was is younger; a day would draw it as one bar. */
function usual(day: Analytics | undefined): string {
  if (!day || day.before.requests > 0) return "24h";
  const first = day.series.find((moment) => moment.requests > 0);
  return first && first.at > day.until - HOUR ? "1h" : "24h";
}

/** What was asked, who answered, how fast, and what it cost of the quotas. */
export default function AnalyticsPage() {
  const [{ range: chosen, by }, change] = useParams(DEFAULTS);
  const day = useApi<Analytics>(
    "/analytics",
    { range: "24h", by },
    { enabled: chosen === "", keepPrevious: true },
  );
  const range = chosen || usual(day.data);
  const query = useApi<Analytics>("/analytics", { range, by }, { keepPrevious: true });
  return (
    <Page
      title="Analytics"
      subtitle="As your clients saw it"
      wide
      actions={
        <SegmentedControl
          data={RANGES}
          value={range}
          onChange={(next) => change({ range: next })}
          aria-label="Range"
        />
      }
    >
      <Loaded query={query} skeleton={<Skeleton className={styles.waiting} />}>
        {(analytics) => <Summary analytics={analytics} />}
      </Loaded>
      <Calls />
      <Loaded query={query} skeleton={<Lines count={2} height={260} />}>
        {(analytics) =>
          analytics.totals.requests > 0 && (
            <div className={styles.stack} data-stale={query.isPlaceholderData || undefined}>
              <Charts key={analytics.range} analytics={analytics} />
              <Breakdown analytics={analytics} change={(next) => change({ by: next })} />
            </div>
          )
        }
      </Loaded>
      <Section title="Quotas" hint="What is left, and for how long at the present rate">
        <Burndown />
      </Section>
    </Page>
  );
}
