import { describe, expect, test } from "vitest";

import type { ModelRow } from "../../api/types";
import { byScarcity, counts, DEFAULTS, passing, sorted, standing } from "./filters";

function row(name: string, more: Partial<ModelRow> = {}): ModelRow {
  const [provider = "", ...rest] = name.split("/");
  return {
    name,
    provider,
    provider_title: provider.toUpperCase(),
    model: rest.join("/"),
    title: rest.join("/"),
    family: rest.join("/"),
    task: "chat",
    abilities: [],
    dimensions: [],
    context: null,
    max_output: null,
    status: "active",
    state: "on",
    why: "",
    note: "",
    enabled: true,
    place: null,
    by_hand: false,
    intelligence_rank: null,
    speed_rank: null,
    available: true,
    unavailable_because: null,
    opens_at: null,
    limits: [],
    quotas: [],
    measured: null,
    ...more,
  };
}

const names = (rows: ModelRow[]) => rows.map((one) => one.name);

describe("passing", () => {
  const rows = [
    row("groq/openai/gpt-oss-120b", { abilities: ["tools", "json"] }),
    row("groq/llama", { abilities: ["tools"], available: false }),
    row("mistral/large", { abilities: ["tools", "json", "vision"], state: "no key" }),
  ];

  test("every word has to be somewhere, in any order", () => {
    expect(names(passing(rows, { ...DEFAULTS, q: "OSS groq" }))).toEqual(["groq/openai/gpt-oss-120b"]);
  });

  test("any of the providers, but all of the abilities", () => {
    const filters = { ...DEFAULTS, provider: "groq,mistral", ability: "tools,json" };
    expect(names(passing(rows, filters))).toEqual(["groq/openai/gpt-oss-120b", "mistral/large"]);
  });

  test("counts what another choice of the same filter would give", () => {
    const filters = { ...DEFAULTS, status: "closed" };
    expect(names(passing(rows, filters))).toEqual(["groq/llama"]);
    expect(counts(passing(rows, filters, "status"), standing)).toEqual({ ready: 1, closed: 1, "no-key": 1 });
  });
});

describe("standing", () => {
  test.each([
    [{}, "ready"],
    [{ available: false }, "closed"],
    [{ state: "off", available: false }, "off"],
    [{ state: "no key", available: false }, "no-key"],
    [{ state: "off", status: "retired", available: false }, "retired"],
    [{ state: "on", status: "retired" }, "ready"],
  ] as [Partial<ModelRow>, string][])("%j is %s", (more, expected) => {
    expect(standing(row("a/b", more))).toBe(expected);
  });
});

describe("sorted", () => {
  const rows = [row("a/1", { context: 8 }), row("a/2"), row("a/3", { context: 128 })];

  test("what is unknown comes last in both directions", () => {
    expect(names(sorted(rows, "context"))).toEqual(["a/1", "a/3", "a/2"]);
    expect(names(sorted(rows, "-context"))).toEqual(["a/3", "a/1", "a/2"]);
  });

  test("an unknown column is the order of places", () => {
    const placed = [row("a/x", { place: 2 }), row("a/y", { place: 1 })];
    expect(names(sorted(placed, "nonsense"))).toEqual(["a/y", "a/x"]);
  });
});

test("byScarcity puts the quota with the least left first and leaves out unknown limits", () => {
  const quota = { unit: "requests", window: 60, used: 0, resets_at: null, shared: false };
  const rows = byScarcity(
    row("a/b", {
      quotas: [
        { ...quota, limit: 30, left: 15 },
        { ...quota, limit: null, left: null },
        { ...quota, window: 86400, limit: 1000, left: 100 },
        { ...quota, window: 3600, limit: 10, left: -2 },
      ],
    }),
  );
  expect(rows.map((one) => one.share)).toEqual([0, 0.1, 0.5]);
});

test("byScarcity names the longest of several windows that are used up, as the state does", () => {
  const quota = { unit: "requests", used: 0, left: 0, resets_at: null, shared: false };
  const rows = byScarcity(
    row("a/b", {
      quotas: [
        { ...quota, window: 60, limit: 10 },
        { ...quota, window: 86400, limit: 20 },
        { ...quota, window: null, limit: 1 },
      ],
    }),
  );
  expect(rows.map((one) => one.quota.window)).toEqual([86400, 60, null]);
});
