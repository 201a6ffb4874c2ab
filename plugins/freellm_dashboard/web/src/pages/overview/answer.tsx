import { Button } from "@mantine/core";
import { Link } from "wouter";
import type { Overview, Readiness } from "@/api/types";
import { Card, Countdown, Figure, Figures } from "@/components";
import { IconCheck, IconClockPause, IconKey } from "@/components/icons";
import { compact, count, plural } from "@/format/numbers";
import styles from "./overview.module.css";

const ICONS = { ready: IconCheck, closed: IconClockPause, no_keys: IconKey } as const;

function Headline({ readiness }: { readiness: Readiness }) {
  if (readiness.state === "ready") return <>{readiness.title ?? readiness.serves} answers next</>;
  if (readiness.state === "no_keys") return <>Add a key to get the first reply</>;
  if (readiness.opens_at === null) return <>No reply right now</>;
  return (
    <>
      No reply for the next <Countdown at={readiness.opens_at} over="moment" />
    </>
  );
}

/** Can I get a reply right now, and from whom. */
export function Answer({ readiness }: { readiness: Readiness }) {
  const Icon = ICONS[readiness.state];
  const noKeys = readiness.state === "no_keys";
  return (
    <Card padded={false} className={styles.answer}>
      <div className={styles.mark} data-state={readiness.state}>
        <Icon size={24} aria-hidden />
      </div>
      <div className={styles.answerWords}>
        <h2>
          <Headline readiness={readiness} />
        </h2>
        <p className={styles.why}>
          {readiness.serves && (
            <>
              <code>{readiness.serves}</code>,{" "}
            </>
          )}
          {readiness.why}
        </p>
      </div>
      <Button
        component={Link}
        href={noKeys ? "/keys" : "/playground"}
        variant={noKeys ? "filled" : "default"}
      >
        {noKeys ? "Add a key" : "Try it"}
      </Button>
    </Card>
  );
}

/** How much is left, and how much of everything is open. */
export function Remaining({ overview, underWay }: { overview: Overview; underWay: number }) {
  const { totals, providers } = overview;
  const inUse = providers.filter((provider) => provider.keys > 0);
  const open = inUse.filter((provider) => provider.open > 0).length;
  const models = inUse.reduce((sum, provider) => sum + provider.open, 0);
  const uncounted =
    totals.uncounted > 0 ? `, and ${count(totals.uncounted)} models without a known limit` : "";
  return (
    <Figures>
      <Figure
        label="Left today"
        value={compact(totals.today.tokens)}
        unit="tokens"
        note={`≈ ${plural(totals.today.requests, "request")}${uncounted}`}
      />
      <Figure
        label="Left this month"
        value={compact(totals.month.tokens)}
        unit="tokens"
        note={`≈ ${plural(totals.month.requests, "request")}`}
      />
      <Figure
        label="Providers open"
        value={`${open} of ${inUse.length}`}
        note={`${plural(models, "model")} take requests now`}
      />
      <Figure
        label="Under way"
        value={count(underWay)}
        unit={underWay === 1 ? "request" : "requests"}
        note="live"
      />
    </Figures>
  );
}
