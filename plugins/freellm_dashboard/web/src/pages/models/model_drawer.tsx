import { Button, Drawer, Group } from "@mantine/core";
import { Link } from "wouter";
import { api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { Cleared, ModelRow } from "@/api/types";
import { CopyField, Countdown, type Fact, FactList, Meter, notify, notifyProblem } from "@/components";
import { IconMessage, IconRefresh } from "@/components/icons";
import { count, duration, percent, plural } from "@/format/numbers";
import { ABILITIES } from "./abilities";
import styles from "./drawer.module.css";
import { type Quota, standing } from "./filters";
import { words } from "./quota_bar";
import shared from "./shared.module.css";
import { StandingCell, why } from "./standing";

interface Props {
  row: ModelRow | undefined;
  onSwitch: (row: ModelRow, enabled: boolean) => void;
  close: () => void;
}

/** Everything that is known of one model, and what can be done with it. */
export function ModelDrawer({ row, onSwitch, close }: Props) {
  return (
    <Drawer opened={row !== undefined} onClose={close} position="right" title={row?.title || row?.model}>
      {row && <Details row={row} onSwitch={onSwitch} />}
    </Drawer>
  );
}

async function open(row: ModelRow): Promise<void> {
  try {
    const { cleared } = await api.post<Cleared>("/clear", { name: row.name });
    notify(cleared.length > 0 ? `Opened: ${cleared.join(", ")}` : "Nothing of it was closed.");
    await refresh("models", "fallback", "overview", "quotas");
  } catch (error) {
    notifyProblem(error);
  }
}

function Details({ row, onSwitch }: { row: ModelRow; onSwitch: Props["onSwitch"] }) {
  const state = standing(row);
  return (
    <div className={styles.details}>
      <CopyField value={row.name} what="name" />
      <StandingCell row={row} whole />
      {row.note && row.note !== why(row, state) && <p className={shared.faint}>{row.note}</p>}
      <Group gap="xs">
        <Button
          component={Link}
          href={`/playground?model=${encodeURIComponent(row.name)}`}
          leftSection={<IconMessage size={16} aria-hidden />}
          variant="filled"
        >
          Try it
        </Button>
        <Button onClick={() => onSwitch(row, !row.enabled)}>
          {row.enabled ? "Switch off" : "Switch on"}
        </Button>
        {state === "closed" && (
          <Button leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => void open(row)}>
            Open now
          </Button>
        )}
        {state === "no-key" && (
          <Button component={Link} href={`/keys?add=${encodeURIComponent(row.provider)}`}>
            Add a key
          </Button>
        )}
      </Group>
      <Limits row={row} />
      <Facts row={row} />
    </div>
  );
}

function Limits({ row }: { row: ModelRow }) {
  return (
    <section>
      <h3>Limits</h3>
      {row.quotas.length > 0 ? (
        <ul className={styles.limits}>
          {row.quotas.map((quota) => (
            <LimitLine key={`${quota.unit}/${quota.window}/${quota.shared}`} quota={quota} />
          ))}
        </ul>
      ) : (
        <p className={shared.faint}>{row.limits.join(", ") || "Nobody states any."}</p>
      )}
    </section>
  );
}

function LimitLine({ quota }: { quota: Quota }) {
  const text = words(quota);
  return (
    <li>
      <span>
        {text}
        {quota.shared && <span className={shared.faint}> · shared with other models</span>}
      </span>
      {quota.limit !== null && quota.left !== null && (
        <Meter left={quota.left / Math.max(quota.limit, 1e-9)} label={text} />
      )}
      {quota.resets_at !== null && quota.used > 0 && (
        <span className={shared.faint}>
          all of it again in <Countdown at={quota.resets_at} />
        </span>
      )}
    </li>
  );
}

function Facts({ row }: { row: ModelRow }) {
  const { measured } = row;
  const abilities = row.abilities.map((one) => ABILITIES[one].title.toLowerCase()).join(", ");
  const facts: Fact[] = [
    ["Provider", row.provider_title],
    ["Family", row.family],
    [
      row.task === "embeddings" ? "Lengths" : "Abilities",
      row.task === "embeddings" ? row.dimensions.join(", ") : abilities || "text only",
    ],
    ["Context", row.context === null ? "unknown" : `${count(row.context)} tokens`],
    ["Longest answer", row.max_output === null ? "unknown" : `${count(row.max_output)} tokens`],
    ["Intelligence rank", row.intelligence_rank ?? "unknown"],
    ["Speed rank", row.speed_rank ?? "unknown"],
    [
      "Place in the order",
      row.place === null ? "not in it" : `${row.place}${row.by_hand ? ", by hand" : ""}`,
    ],
    ["Answered lately", measured?.success == null ? "not measured yet" : percent(measured.success)],
    ["First token", measured?.first_ms == null ? "not measured yet" : duration(measured.first_ms)],
    [
      "Writes",
      measured?.tokens_per_second == null
        ? "not measured yet"
        : `${plural(Math.round(measured.tokens_per_second), "token")} a second`,
    ],
  ];
  return (
    <section>
      <h3>Facts</h3>
      <FactList facts={facts} className={shared.facts} />
    </section>
  );
}
