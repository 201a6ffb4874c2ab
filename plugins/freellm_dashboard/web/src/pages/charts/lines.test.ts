import { describe, expect, test } from "vitest";

import { half, known, type Line, neighbour, stacked } from "./lines";

const line = (...values: (number | null)[]): Line => ({
  name: "",
  values,
  color: "--series-1",
  style: "line",
});

test("known counts the moments at which anything is known, and 0 is known", () => {
  expect(known([line(null, 0, null), line(null, null, 3)])).toBe(2);
  expect(known([])).toBe(0);
});

describe("stacked", () => {
  test("adds up from below and draws the highest first", () => {
    const [top, bottom] = stacked([line(1, 2, null), line(3, null, null)]);
    expect(top?.values).toEqual([4, 2, null]);
    expect(bottom?.values).toEqual([1, 2, null]);
  });
});

describe("neighbour", () => {
  const lines = [line(1, null, null, 4, null)];

  test.each([
    [null, 1, 0],
    [null, -1, 3],
    [0, 1, 3],
    [3, -1, 0],
    [3, 1, 3],
  ] as [number | null, 1 | -1, number][])("from %s by %i is %i", (from, step, expected) => {
    expect(neighbour(lines, from, step)).toBe(expected);
  });
});

test.each([
  [5, [3, 7]],
  [0, [1, 5]],
  [9, [5, 9]],
  [undefined, [5, 9]],
] as [number | undefined, [number, number]][])("the half of 1 to 9 around %s is %j", (around, expected) => {
  expect(half([1, 9], around)).toEqual(expected);
});
