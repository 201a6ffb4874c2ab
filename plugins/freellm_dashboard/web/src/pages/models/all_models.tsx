import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useMemo } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { queries, refresh, useApi } from "@/api/queries";
import type { ModelRow, Models } from "@/api/types";
import { Empty, Lines, Loaded, notifyProblem, useQueryParam } from "@/components";
import { IconChevronLeft, IconChevronRight, IconFilterOff, IconKey } from "@/components/icons";
import { count } from "@/format/numbers";
import { useParams } from "../search_params";
import { DEFAULTS, passing, sorted } from "./filters";
import { ModelDrawer } from "./model_drawer";
import styles from "./models.module.css";
import { ModelsTable } from "./table";
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
  const [filters, change] = useParams(DEFAULTS);
  const [open, setOpen] = useQueryParam("model");
  const onSwitch = useSwitch();
  const onOpen = useCallback((row: ModelRow) => setOpen(row.name), [setOpen]);
  const shown = useDeferredValue(filters);
  const rows = useMemo(() => sorted(passing(models, shown), shown.sort), [models, shown]);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(pages, Math.max(1, Number(filters.page) || 1));
  if (models.length === 0) return <NoModels />;
  return (
    <>
      <Toolbar rows={models} filters={filters} change={change} />
      <div className={styles.frame}>
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

function Pager(props: { page: number; pages: number; rows: number; turn: (page: number) => void }) {
  const { page, pages, rows, turn } = props;
  const first = (page - 1) * PAGE + 1;
  return (
    <nav className={styles.pager} aria-label="Pages">
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
