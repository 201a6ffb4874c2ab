import { Skeleton } from "@mantine/core";
import { useLive } from "@/api/live_state";
import { useApi } from "@/api/queries";
import type { Overview } from "@/api/types";
import { Lines, Loaded, Page, Section } from "@/components";
import { Answer, Remaining } from "./answer";
import { Calls } from "./calls";
import { Cooldowns, Fixes, GettingStarted, ProviderList } from "./lists";
import styles from "./overview.module.css";

function Waiting() {
  return (
    <>
      <Skeleton height={98} radius="md" />
      <Skeleton height={128} radius="md" />
      <div className={styles.columns}>
        <Lines count={8} />
        <Lines count={8} />
      </div>
    </>
  );
}

/** Can I get a reply right now, from whom, and how much is left; what to fix; the last requests. */
export default function OverviewPage() {
  // Quotas come back by themselves as time passes, which no notice tells.
  const query = useApi<Overview>("/overview", {}, { refetchInterval: 15_000 });
  const live = useLive();
  // The notices know first how many there are, and the navigation shows their number.
  const underWay = (overview: Overview) =>
    live.status === "live" ? live.under_way : overview.under_way.length;
  return (
    <Page title="Overview" subtitle="Who answers, and what is left">
      <Loaded query={query} skeleton={<Waiting />}>
        {(overview) => (
          <>
            <Answer readiness={overview.readiness} />
            <Remaining overview={overview} underWay={underWay(overview)} />
            <Fixes fixes={overview.fixes} />
            <GettingStarted steps={overview.steps} />
            <div className={styles.columns}>
              <Section title="Last requests" hint="newest first">
                <Calls last={overview.last} underWay={overview.under_way.slice(0, underWay(overview))} />
              </Section>
              <div className={styles.column}>
                <Cooldowns closed={overview.closed} />
                <ProviderList providers={overview.providers} />
              </div>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}
