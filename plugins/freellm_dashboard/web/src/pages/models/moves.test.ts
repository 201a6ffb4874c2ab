import { describe, expect, test } from "vitest";

import { merged, moved, stated } from "./moves";

const entry = (name: string, by_hand = false) => ({ name, by_hand });

describe("moved", () => {
  test.each([
    [0, 2, "bcad"],
    [3, 0, "dabc"],
    [1, 1, "abcd"],
    [1, 9, "acdb"],
    [2, -3, "cabd"],
  ])("from %i to %i gives %s", (from, to, expected) => {
    expect(moved([..."abcd"], from, to).join("")).toBe(expected);
  });

  test("leaves the list it was given as it is", () => {
    const list = [1, 2, 3];
    moved(list, 0, 2);
    expect(list).toEqual([1, 2, 3]);
  });
});

describe("stated", () => {
  const before = [entry("a", true), entry("b"), entry("c"), entry("d"), entry("e")];

  test("names all up to the last that moved, and none behind", () => {
    expect(stated(before, moved(before, 3, 1))).toEqual(["a", "d", "b", "c"]);
  });

  test("keeps the places that a hand gave before", () => {
    const placed = [entry("a", true), entry("b"), entry("c", true), entry("d")];
    expect(stated(placed, moved(placed, 1, 0))).toEqual(["b", "a", "c"]);
  });

  test("names nothing when nothing has a place of its own", () => {
    const plain = [entry("a"), entry("b")];
    expect(stated(plain, plain)).toEqual([]);
  });
});

describe("merged", () => {
  test("reorders the shown ones on their own places and leaves the hidden ones where they are", () => {
    const all = [..."abcde"].map((name) => entry(name));
    const shown = ["d", "a", "c"].map((name) => entry(name));
    expect(
      merged(all, shown)
        .map((one) => one.name)
        .join(""),
    ).toBe("dbace");
  });
});
