/** What a request can name as its model, in groups. Pure. */

import type { ModelRow, ProfileRow } from "@/api/types";

export interface Choices {
  group: string;
  items: { value: string; label: string }[];
}

/**
 * Return the names on offer: automatic ones first, then profiles, families, and models at one provider; only those that
 * are on. A chosen name that is none of these is on offer, too.
 */
export function choices(
  models: ModelRow[],
  strategies: string[],
  profiles: ProfileRow[],
  chosen: string,
): Choices[] {
  const on = models.filter((row) => row.task === "chat" && row.state === "on");
  const automatic = ["auto", ...strategies.map((name) => `auto:${name}`)];
  const groups: [string, string[]][] = [
    ["Automatic", automatic],
    ["Profiles", profiles.map((profile) => `auto:${profile.name}`)],
    ["Families, at any provider", [...new Set(on.map((row) => row.family))].sort()],
    ["At one provider", on.map((row) => row.name).sort()],
  ];
  const known = new Set<string>();
  const found = groups.map(([group, names]) => ({
    group,
    items: names.filter((name) => fresh(known, name)).map((name) => ({ value: name, label: name })),
  }));
  if (!known.has(chosen)) found.unshift({ group: "Chosen", items: [{ value: chosen, label: chosen }] });
  return found.filter((one) => one.items.length > 0);
}

/** Tell whether a name is new, and remember it: no name is on offer twice. */
function fresh(known: Set<string>, name: string): boolean {
  if (known.has(name)) return false;
  known.add(name);
  return true;
}
