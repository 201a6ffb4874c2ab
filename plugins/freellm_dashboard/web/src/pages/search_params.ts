/** The query of the page's address as state: it can be linked to, and the back button does not walk through typing. */

import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";

export type Defaults = Record<string, string>;

/**
 * Returns the values of the named parameters, and a function that changes some of them.
 *
 * @param defaults the parameters with what they are when the address does not say; such values are left out of it
 */
export function useParams<T extends Defaults>(
  defaults: T,
): [T, (change: Partial<Record<keyof T, string>>) => void] {
  const [search, setSearch] = useSearchParams();
  const text = search.toString();
  const values = useMemo(() => read(text, defaults), [text, defaults]);
  const change = useCallback(
    (wanted: Partial<Record<keyof T, string>>) => {
      setSearch((before) => written(before, defaults, wanted as Record<string, string>), { replace: true });
    },
    [setSearch, defaults],
  );
  return [values, change];
}

/** Read the named parameters of a query. */
export function read<T extends Defaults>(query: string, defaults: T): T {
  const search = new URLSearchParams(query);
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, search.get(name) ?? value]),
  ) as T;
}

/** Return a query with some parameters changed; what is as it would be anyway is left out. */
export function written(
  before: URLSearchParams,
  defaults: Defaults,
  change: Record<string, string>,
): URLSearchParams {
  const search = new URLSearchParams(before);
  for (const [name, value] of Object.entries(change)) {
    if (value === (defaults[name] ?? "")) search.delete(name);
    else search.set(name, value);
  }
  return search;
}

/** Read a list that stands in one parameter. */
export function listed(value: string): string[] {
  return value === "" ? [] : value.split(",");
}

/** Return a list with a member added, or taken out if it is there. */
export function toggled(value: string, member: string): string {
  const members = listed(value);
  return (members.includes(member) ? members.filter((one) => one !== member) : [...members, member]).join(
    ",",
  );
}
