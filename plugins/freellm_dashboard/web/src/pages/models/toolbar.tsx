import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useMemo } from "react";
import type { ModelRow } from "@/api/types";
import { IconChevronDown, IconSearch, IconX } from "@/components/icons";
import { listed, toggled } from "../search_params";
import { ABILITIES, FILTERED } from "./abilities";
import { counts, DEFAULTS, type Filters, passing, STANDINGS, standing } from "./filters";
import shared from "./shared.module.css";
import { WORDS } from "./standing";
import styles from "./toolbar.module.css";

interface Props {
  rows: ModelRow[];
  filters: Filters;
  change: (change: Partial<Filters>) => void;
}

/** Search and filters; each says how many models it would leave. */
export function Toolbar(props: Props) {
  const { filters, change } = props;
  const set = (part: Partial<Filters>) => change({ ...part, page: DEFAULTS.page });
  const filtered = filters.q || filters.provider || filters.ability || filters.status || filters.task;
  return (
    <search className={styles.toolbar}>
      <TextInput
        className={styles.search}
        aria-label="Search models"
        placeholder="Search models"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={filters.q}
        onChange={(event) => set({ q: event.currentTarget.value })}
        rightSection={filters.q ? <Clear onClick={() => set({ q: "" })} /> : null}
      />
      <Providers {...props} change={set} />
      <Standings {...props} change={set} />
      <Abilities {...props} change={set} />
      {filtered && (
        <Button
          variant="subtle"
          onClick={() => set({ q: "", provider: "", ability: "", status: "", task: "" })}
        >
          Clear filters
        </Button>
      )}
    </search>
  );
}

function Clear({ onClick }: { onClick: () => void }) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label="Clear the search" onClick={onClick}>
      <IconX size={14} aria-hidden />
    </ActionIcon>
  );
}

function Providers({ rows, filters, change }: Props) {
  const chosen = listed(filters.provider);
  const providers = useMemo(() => {
    const left = counts(passing(rows, filters, "provider"), (row) => row.provider);
    const titles = new Map(rows.map((row) => [row.provider, row.provider_title]));
    return [...titles]
      .map(([id, title]) => ({ id, title, left: left[id] ?? 0 }))
      .sort((a, b) => compare(a.title, b.title));
  }, [rows, filters]);
  const label = providers.filter((one) => chosen.includes(one.id)).map((one) => one.title);
  return (
    <Menu closeOnItemClick={false} position="bottom-start">
      <Menu.Target>
        <Button rightSection={<IconChevronDown size={14} aria-hidden />}>
          {label.length === 0 ? "All providers" : label.length === 1 ? label[0] : `${label.length} providers`}
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={styles.menu}>
        {providers.map(({ id, title, left }) => (
          <Menu.Item
            key={id}
            role="menuitemcheckbox"
            aria-checked={chosen.includes(id)}
            data-checked={chosen.includes(id) || undefined}
            className={styles.menuItem}
            rightSection={<span className={shared.faint}>{left}</span>}
            onClick={() => change({ provider: toggled(filters.provider, id) })}
          >
            {title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Standings({ rows, filters, change }: Props) {
  const left = useMemo(() => counts(passing(rows, filters, "status"), standing), [rows, filters]);
  const all = Object.values(left).reduce((sum, one) => sum + one, 0);
  const states = STANDINGS.filter((state) => left[state] || filters.status === state);
  return (
    <fieldset className={shared.chips}>
      <legend className={shared.hidden}>State</legend>
      <Chip on={filters.status === ""} count={all} onClick={() => change({ status: "" })}>
        All
      </Chip>
      {states.map((state) => (
        <Chip
          key={state}
          on={filters.status === state}
          count={left[state] ?? 0}
          onClick={() => change({ status: filters.status === state ? "" : state })}
        >
          {WORDS[state].title}
        </Chip>
      ))}
    </fieldset>
  );
}

function Abilities({ rows, filters, change }: Props) {
  const left = useMemo(() => counts(passing(rows, filters), (row) => row.abilities), [rows, filters]);
  const chosen = listed(filters.ability);
  return (
    <fieldset className={shared.chips}>
      <legend className={shared.hidden}>Abilities</legend>
      {FILTERED.map((ability) => {
        const { title, icon: Icon } = ABILITIES[ability];
        return (
          <Chip
            key={ability}
            on={chosen.includes(ability)}
            count={left[ability] ?? 0}
            onClick={() => change({ ability: toggled(filters.ability, ability) })}
          >
            <Icon size={14} aria-hidden /> {title}
          </Chip>
        );
      })}
    </fieldset>
  );
}

function Chip(props: { on: boolean; count: number; onClick: () => void; children: React.ReactNode }) {
  return (
    <button type="button" className={shared.chip} aria-pressed={props.on} onClick={props.onClick}>
      <span className={shared.chipWord}>{props.children}</span>
      <span className={shared.count}>{props.count}</span>
    </button>
  );
}

const compare = new Intl.Collator("en").compare;
