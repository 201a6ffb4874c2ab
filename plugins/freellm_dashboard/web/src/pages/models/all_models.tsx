import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { queries, refresh, useApi } from "@/api/queries";
import type { ModelRow, Models } from "@/api/types";
import { Empty, Lines, Loaded, notifyProblem, useQueryParam } from "@/components";
import { IconChevronLeft, IconChevronRight, IconFilterOff, IconKey } from "@/components/icons";
import { count } from "@/format/numbers";
import { useParams } from "../search_params";
import { DEFAULTS, type Filters, passing, sorted } from "./filters";
import { ModelDrawer } from "./model_drawer";
import { ModelsTable } from "./table";
import styles from "./table.module.css";
import { Toolbar } from "./toolbar";

/** Rows on one page: more would make typing into the search slow. */
const PAGE = 100;

/** Switch a model on or off; it is shown at once, and taken back when the server refuses. */
function useSwitch(): (row: ModelRow, enabled: boolean) => void {
  const { mutate } = useMutation({
    mutationFn: ({ row, enabled }: { row: ModelRow; enabled: boolean }) =>
      api.patch<Models>("/models", { models: [row.name], enabled }),
    onMutate: ({ row, enabled }) => replace((one) => (one.name === row.name ? { ...one, enabled } : one)),
    onSuccess: ({ models }) => {
      const changed = new Map(models.map((one) => [one.name, one]));
      replace((one) => changed.get(one.name) ?? one);
      void refresh("fallback", "overview");
    },
    onError: (error) => {
      notifyProblem(error);
      void refresh("models");
    },
  });
  return useCallback((row, enabled) => mutate({ row, enabled }), [mutate]);
}

function replace(step: (row: ModelRow) => ModelRow): void {
  queries.setQueriesData<Models>(
    { queryKey: ["models"] },
    (before) => before && { models: before.models.map(step) },
  );
}

/** Every model of every provider. */
export function AllModels() {
  const query = useApi<Models>("/models");
  return (
    <Loaded query={query} skeleton={<Lines count={12} height={44} />}>
      {({ models }) => <Listed models={models} />}
    </Loaded>
  );
}

function Listed({ models }: { models: ModelRow[] }) {
  const [filters, setFilters] = useParams(DEFAULTS);
  const [open, setOpen] = useQueryParam("model");
  const [held, hold] = useState<ReadonlyMap<string, ModelRow>>(NONE);
  const change = useCallback(
    (part: Partial<Filters>) => {
      hold(NONE);
      setFilters(part);
    },
    [setFilters],
  );
  const switchOne = useSwitch();
  const onSwitch = useCallback(
    (row: ModelRow, enabled: boolean) => {
      hold((before) => (before.size > 0 ? before : new Map(models.map((one) => [one.name, one]))));
      switchOne(row, enabled);
    },
    [models, switchOne],
  );
  const onOpen = useCallback((row: ModelRow) => setOpen(row.name), [setOpen]);
  const shown = useDeferredValue(filters);
  const rows = useMemo(() => listedAs(models, held, shown), [models, held, shown]);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(pages, Math.max(1, Number(filters.page) || 1));
  if (models.length === 0) return <NoModels />;
  return (
    <>
      <Toolbar rows={models} filters={filters} change={change} />
      <div className={styles.frame} onPointerLeave={() => hold(NONE)}>
        <ModelsTable
          rows={rows.slice((page - 1) * PAGE, page * PAGE)}
          sort={filters.sort}
          onSort={(sort) => change({ sort, page: DEFAULTS.page })}
          onSwitch={onSwitch}
          onOpen={onOpen}
        />
        {rows.length === 0 && <NoMatch clear={() => change(DEFAULTS)} />}
      </div>
      <Pager page={page} pages={pages} rows={rows.length} turn={(to) => change({ page: String(to) })} />
      <ModelDrawer
        row={models.find((one) => one.name === open)}
        onSwitch={onSwitch}
        close={() => setOpen("")}
      />
    </>
  );
}

const NONE: ReadonlyMap<string, ModelRow> = new Map();

/**
 * Filter and sort. After a switch every row stays where it was until something else is asked for or the mouse leaves,
 * so that none slips away from under it.
 *
 * @param held the rows by name as they were then; empty: nothing was switched
 */
function listedAs(models: ModelRow[], held: ReadonlyMap<string, ModelRow>, filters: Filters): ModelRow[] {
  const before = models.map((row) => held.get(row.name) ?? row);
  const current = new Map(models.map((row) => [row.name, row]));
  return sorted(passing(before, filters), filters.sort).map((row) => current.get(row.name) ?? row);
}

function Pager(props: { page: number; pages: number; rows: number; turn: (page: number) => void }) {
  const { page, pages, rows, turn } = props;
  const first = (page - 1) * PAGE + 1;
  return (
    <nav className={styles.pager} aria-label="Pages of models">
      <span role="status">
        {pages === 1
          ? `${count(rows)} ${rows === 1 ? "model" : "models"}`
          : `${first}–${Math.min(rows, page * PAGE)} of ${count(rows)} models`}
      </span>
      {pages > 1 && (
        <>
          <Button
            disabled={page === 1}
            onClick={() => turn(page - 1)}
            leftSection={<IconChevronLeft size={16} aria-hidden />}
          >
            Previous
          </Button>
          <Button
            disabled={page === pages}
            onClick={() => turn(page + 1)}
            rightSection={<IconChevronRight size={16} aria-hidden />}
          >
            Next
          </Button>
        </>
      )}
    </nav>
  );
}

function NoMatch({ clear }: { clear: () => void }) {
  return (
    <Empty
      icon={IconFilterOff}
      title="No model is like that"
      action={<Button onClick={clear}>Clear filters</Button>}
    >
      <p>No model passes all the filters at once.</p>
    </Empty>
  );
}

function NoModels() {
  return (
    <Empty
      icon={IconKey}
      title="No models yet"
      action={
        <Button component={Link} href="/keys" variant="filled">
          Add a key
        </Button>
      }
    >
      <p>Models come with providers. Install a provider package, or add a server of your own.</p>
    </Empty>
  );
}
