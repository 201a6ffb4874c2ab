import { Button } from "@mantine/core";
import { useState } from "react";
import { useApi } from "@/api/queries";
import type { Burndown as Found, PoolForecast, Quotas } from "@/api/types";
import { Empty, Lines, Loaded, Meter, useNow, useQueryParam } from "@/components";
import { IconGauge } from "@/components/icons";
import { compact, count } from "@/format/numbers";
import { exact } from "@/format/time";
import { DASHES } from "../charts/lines";
import { TimeChart } from "../charts/time_chart";
import styles from "./burndown.module.css";
import { forecast, isLong, left, lines, members, share, title, urgent } from "./pools";
import shared from "./shared.module.css";

const FEW = 8;

/** The quotas that run out first, and how the chosen one is spent. */
export function Burndown() {
  const query = useApi<Quotas>("/quotas", {}, { refetchInterval: 15_000 });
  return (
    <Loaded query={query} skeleton={<Lines count={5} height={52} />}>
      {({ pools }) => (
        <Shown pools={urgent(pools)} unknown={pools.filter((one) => share(one) === null).length} />
      )}
    </Loaded>
  );
}

function Shown({ pools, unknown }: { pools: PoolForecast[]; unknown: number }) {
  const [all, setAll] = useState(false);
  const [chosen, choose] = useQueryParam("pool");
  const current = pools.find((pool) => pool.pool === chosen) ?? pools[0];
  if (!current) {
    return (
      <Empty icon={IconGauge} title="No limit is known yet">
        <p>Limits come with keys; what no service states is learned from its refusals.</p>
      </Empty>
    );
  }
  const shown = all ? pools : pools.slice(0, FEW);
  return (
    <div className={styles.burndown}>
      <div className={styles.pools}>
        <ul>
          {shown.map((pool) => (
            <li key={pool.pool}>
              <Pool pool={pool} chosen={pool === current} choose={() => choose(pool.pool)} />
            </li>
          ))}
        </ul>
        {pools.length > shown.length && (
          <Button variant="subtle" onClick={() => setAll(true)}>
            Show the other {count(pools.length - shown.length)}
          </Button>
        )}
        {unknown > 0 && <p className={shared.note}>{count(unknown)} more have no known limit.</p>}
      </div>
      <Line pool={current} />
    </div>
  );
}

function Pool({ pool, chosen, choose }: { pool: PoolForecast; chosen: boolean; choose: () => void }) {
  const now = useNow();
  const name = `${pool.provider}, ${members(pool)}: ${title(pool)}`;
  return (
    <button type="button" className={styles.pool} aria-pressed={chosen} onClick={choose}>
      <span className={styles.poolHead}>
        <strong>{pool.provider}</strong>
        <span className={shared.faint} title={pool.members.join(", ") || undefined}>
          {members(pool)}
        </span>
        <span>{title(pool)}</span>
      </span>
      <Meter left={share(pool) ?? 1} label={name} />
      <span className={styles.poolWords}>
        <span>{left(pool)}</span>
        <span className={shared.faint}>{forecast(pool, now)}</span>
      </span>
    </button>
  );
}

function Line({ pool }: { pool: PoolForecast }) {
  const now = useNow();
  const query = useApi<Found>(
    "/quotas/burndown",
    { pool: pool.pool },
    { refetchInterval: 15_000, keepPrevious: true },
  );
  return (
    <Loaded query={query} skeleton={<Lines count={1} height={280} />}>
      {(found) => {
        const { moments, past, future } = lines(found);
        if (!isLong(pool)) return <Short pool={pool} />;
        return (
          <TimeChart
            title={`${pool.provider}: ${title(pool)} left`}
            hint={forecast(pool, now)}
            moments={moments}
            height={220}
            say={(value) => compact(value)}
            empty="Nothing was spent of it."
            lines={[
              { name: "left", color: "--series-1", style: "area", values: past },
              { name: "forecast", color: "--series-3", style: "line", dash: DASHES[1], values: future },
            ]}
            note={<Source pool={pool} />}
          />
        );
      }}
    </Loaded>
  );
}

/** A window that is over before a line could be drawn. */
function Short({ pool }: { pool: PoolForecast }) {
  const now = useNow();
  return (
    <div className={shared.box}>
      <h3>
        {pool.provider}: {title(pool)}
      </h3>
      <p>
        {left(pool)}, {forecast(pool, now)}.
      </p>
      <p className={shared.faint}>
        {pool.window === null
          ? "What is at once has no history."
          : "It is over before a line could be drawn."}
      </p>
      <Source pool={pool} />
    </div>
  );
}

/** Where the limit is from. */
function Source({ pool }: { pool: PoolForecast }) {
  const parts = [`limit ${pool.stated}`];
  if (pool.checked) parts.push(`checked ${pool.checked}`);
  if (pool.believed_until !== null) parts.push(`believed until ${exact(pool.believed_until)}`);
  return (
    <p className={shared.note}>
      {parts.join(", ")}
      {pool.evidence && <> · {pool.evidence}</>}
    </p>
  );
}
