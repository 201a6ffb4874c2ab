/** Which models are listed, and in which order. Pure. */

import type { ModelRow } from "../../api/types";
import { listed } from "../search_params";

export const DEFAULTS = { q: "", provider: "", ability: "", status: "", task: "", sort: "place", page: "1" };

export type Filters = typeof DEFAULTS;

/** The one state that a model is in. */
export type Standing = "ready" | "closed" | "off" | "no-key" | "retired";

export const STANDINGS: Standing[] = ["ready", "closed", "off", "no-key", "retired"];

export function standing(row: ModelRow): Standing {
  if (row.status === "retired" && row.state !== "on") return "retired";
  if (row.state === "no key") return "no-key";
  if (row.state === "off") return "off";
  return row.available ? "ready" : "closed";
}

type Test = (row: ModelRow) => boolean;

/** Return what each filter asks of a row; a filter that is not set is left out. */
function tests(filters: Filters): Partial<Record<keyof Filters, Test>> {
  const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
  const providers = new Set(listed(filters.provider));
  const abilities = listed(filters.ability);
  return {
    ...(words.length > 0 && { q: (row: ModelRow) => words.every((word) => text(row).includes(word)) }),
    ...(providers.size > 0 && { provider: (row: ModelRow) => providers.has(row.provider) }),
    ...(abilities.length > 0 && {
      ability: (row: ModelRow) => abilities.every((one) => (row.abilities as string[]).includes(one)),
    }),
    ...(filters.status !== "" && { status: (row: ModelRow) => standing(row) === filters.status }),
    ...(filters.task !== "" && { task: (row: ModelRow) => row.task === filters.task }),
  };
}

function text(row: ModelRow): string {
  return `${row.name} ${row.title} ${row.family} ${row.provider_title}`.toLowerCase();
}

/** Return the rows that pass every filter, but for those of one filter where that one is to be counted. */
export function passing(rows: ModelRow[], filters: Filters, without?: keyof Filters): ModelRow[] {
  const wanted = Object.entries(tests(filters)).filter(([name]) => name !== without);
  return rows.filter((row) => wanted.every(([, test]) => test(row)));
}

/** Count the rows by a property, such as how many would be left under each status. */
export function counts(
  rows: ModelRow[],
  property: (row: ModelRow) => string | string[],
): Record<string, number> {
  const count: Record<string, number> = {};
  for (const row of rows) {
    for (const value of [property(row)].flat()) count[value] = (count[value] ?? 0) + 1;
  }
  return count;
}

type Key = (row: ModelRow) => number | string | null;

/** What the columns are sorted by. */
export const SORTS: Record<string, Key> = {
  place: (row) => row.place,
  name: (row) => row.model.toLowerCase(),
  provider: (row) => row.provider_title.toLowerCase(),
  status: (row) => STANDINGS.indexOf(standing(row)),
  context: (row) => row.context,
  rank: (row) => row.intelligence_rank,
  speed: (row) => row.speed_rank,
  left: (row) => scarcest(row)?.share ?? null,
  success: (row) => row.measured?.success ?? null,
};

/** Return the rows sorted by a column, descending with a minus before it. What is unknown comes last either way. */
export function sorted(rows: ModelRow[], sort: string): ModelRow[] {
  const descending = sort.startsWith("-");
  const key = SORTS[descending ? sort.slice(1) : sort] ?? SORTS.place;
  if (!key) return rows;
  const keyed = rows.map((row, index) => ({ row, index, value: key(row) }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) {
      return Number(a.value === null) - Number(b.value === null) || a.index - b.index;
    }
    const order = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
    return (descending ? -order : order) || a.index - b.index;
  });
  return keyed.map((one) => one.row);
}

export type Quota = ModelRow["quotas"][number];

/**
 * Return the quotas with a known limit, the one with the least left first, and which share of it is left. Of several
 * that are used up, the one with the longest window keeps a model closed, and is what its state names.
 */
export function byScarcity(row: ModelRow): { quota: Quota; share: number }[] {
  return row.quotas
    .filter((quota) => quota.limit !== null && quota.limit > 0 && quota.left !== null)
    .map((quota) => ({ quota, share: Math.max(0, Math.min(1, (quota.left ?? 0) / (quota.limit ?? 1))) }))
    .sort((a, b) => a.share - b.share || (b.quota.window ?? 0) - (a.quota.window ?? 0));
}

export function scarcest(row: ModelRow): { quota: Quota; share: number } | undefined {
  return byScarcity(row)[0];
}
