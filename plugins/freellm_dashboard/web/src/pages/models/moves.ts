/** Moves in the fallback order. Pure. */

export interface Placed {
  name: string;
  by_hand: boolean;
}

/** Return a list with the member at one place moved to another. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const target = Math.max(0, Math.min(list.length - 1, to));
  next.splice(target, 0, ...next.splice(from, 1));
  return next;
}

/**
 * Return the names to send for a new order: all up to the last one that has a place of its own, either because a hand
 * put it there before or because of this move. Those behind keep the places that their ranks give them.
 */
export function stated(before: readonly Placed[], after: readonly Placed[]): string[] {
  let last = -1;
  for (const [place, entry] of after.entries()) {
    if (entry.by_hand || before[place]?.name !== entry.name) last = place;
  }
  return after.slice(0, last + 1).map((entry) => entry.name);
}

/** Return a whole order with some of its members, those that are shown, in a new order on the same places. */
export function merged<T extends Placed>(all: readonly T[], shown: readonly T[]): T[] {
  const names = new Set(shown.map((entry) => entry.name));
  const next = shown[Symbol.iterator]();
  return all.map((entry) => (names.has(entry.name) ? (next.next().value ?? entry) : entry));
}

/** Return what a screen reader is told of a place. */
export function place(index: number, length: number): string {
  return `place ${index + 1} of ${length}`;
}
