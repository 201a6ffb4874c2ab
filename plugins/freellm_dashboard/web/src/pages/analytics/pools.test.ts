import { describe, expect, test } from "vitest";

import type { Burndown, PoolForecast } from "@/api/types";
import { NBSP } from "@/format/numbers";
import { forecast, left, lines, members, share, title, urgent } from "./pools";

function pool(more: Partial<PoolForecast> = {}): PoolForecast {
  return {
    pool: "groq:requests/60s",
    provider: "groq",
    unit: "requests",
    window: 60,
    clock: "rolling",
    scope: "key",
    members: [],
    keys: [],
    used: 0,
    limit: 30,
    left: 30,
    unlimited: false,
    stated: "declared",
    evidence: "",
    checked: null,
    believed_until: null,
    closed_until: null,
    resets_at: null,
    burn_rate: 0,
    exhausted_at: null,
    ...more,
  };
}

test("a share is unknown without a limit, and never negative", () => {
  expect(share(pool({ limit: null, left: null }))).toBeNull();
  expect(share(pool({ left: -4 }))).toBe(0);
  expect(share(pool({ left: 15 }))).toBe(0.5);
});

test("long windows first; in both those that are used up for longest, then those that will be first", () => {
  const day = { window: 86400 };
  const pools = [
    pool({ pool: "day", ...day }),
    pool({ pool: "day, soon", exhausted_at: 50, ...day }),
    pool({ pool: "day, closed", left: 0, resets_at: 400, ...day }),
    pool({ pool: "day, closed for longer", closed_until: 900, ...day }),
    pool({ pool: "full" }),
    pool({ pool: "low", left: 3 }),
    pool({ pool: "soon", exhausted_at: 50 }),
    pool({ pool: "unknown", limit: null, left: null }),
    pool({ pool: "paid", unlimited: true }),
  ];
  expect(urgent(pools).map((one) => one.pool)).toEqual([
    "day, closed for longer",
    "day, closed",
    "day, soon",
    "day",
    "soon",
    "low",
    "full",
  ]);
});

describe("words", () => {
  test.each([
    [{}, "requests per min"],
    [{ unit: "concurrent", window: null }, "requests at once"],
  ])("%j is %s", (more, words) => {
    expect(title(pool(more))).toBe(words);
  });

  test.each([
    [{ closed_until: 160 }, "exhausted, says the service; open again in 1 min"],
    [{ left: 0, resets_at: 130 }, "used up; all of it again in 30 s"],
    [{ left: 0 }, "used up"],
    [{ burn_rate: 1, exhausted_at: 110, resets_at: 130 }, "used up in 10 s at this rate"],
    [{ burn_rate: 1, resets_at: 130 }, "lasts until it resets in 30 s"],
    [{}, "not being used"],
  ])("%j: %s", (more, words) => {
    expect(forecast(pool(more), 100).replaceAll(NBSP, " ")).toBe(words);
  });

  test("members and amounts", () => {
    expect(members(pool())).toBe("all models");
    expect(members(pool({ members: ["a", "b", "c"] }))).toBe("a and 2 more");
    expect(left(pool({ limit: 500_000, left: 12_345 }))).toBe("12.3K of 500K left");
  });
});

test("the forecast goes on where the past ends", () => {
  const burndown = {
    past: [
      { at: 0, left: 10 },
      { at: 5, left: 8 },
    ],
    future: [{ at: 9, left: 0 }],
  } as Burndown;
  expect(lines(burndown)).toEqual({ moments: [0, 5, 9], past: [10, 8, null], future: [null, 8, 0] });
});
