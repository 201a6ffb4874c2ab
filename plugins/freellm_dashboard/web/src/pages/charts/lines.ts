/** What a chart over time is made of. Pure. */

export interface Line {
  name: string;
  /** A value for each moment; null is a gap. */
  values: (number | null)[];
  /** A variable of the theme, such as `--series-1`. */
  color: string;
  style: "line" | "area" | "bars";
  /** Lines are told apart by this as well as by colour; bars by hatching. */
  dash?: number[];
  hatched?: boolean;
}

/** Dashes that tell lines apart without colour, the first one solid. */
export const DASHES: number[][] = [[], [7, 4], [2, 3], [10, 4, 2, 4], [4, 2], [12, 3], [1, 4], [6, 2, 2, 2]];

/** How many moments have a value in any of the lines. */
export function known(lines: Line[]): number {
  const length = Math.max(0, ...lines.map((line) => line.values.length));
  return Array.from({ length }, (_, at) => lines.some((line) => line.values[at] != null)).filter(Boolean)
    .length;
}

/** Put bars on top of each other: each line becomes the sum of itself and those before it, the highest first. */
export function stacked(lines: Line[]): Line[] {
  const sums: Line[] = [];
  for (const line of lines) {
    const below = sums.at(-1);
    const values = line.values.map((value, at) => sum(value, below?.values[at]));
    sums.push({ ...line, values });
  }
  return sums.reverse(); // what is drawn later covers what was drawn before
}

function sum(value: number | null, below: number | null | undefined): number | null {
  return value === null && below == null ? null : (value ?? 0) + (below ?? 0);
}

/** Return the moment before or after that has a value, for a cursor that is moved by keys. */
export function neighbour(lines: Line[], from: number | null, step: 1 | -1): number | null {
  const length = Math.max(0, ...lines.map((line) => line.values.length));
  let at = from === null ? (step === 1 ? 0 : length - 1) : from + step;
  for (; at >= 0 && at < length; at += step) {
    if (lines.some((line) => line.values[at] != null)) return at;
  }
  return from;
}

/** The half of a range with a moment in its middle, as far as the range goes; without one its second half. */
export function half([since, until]: [number, number], around = until): [number, number] {
  const width = (until - since) / 2;
  const from = Math.min(Math.max(since, around - width / 2), until - width);
  return [from, from + width];
}
