import { describe, expect, test } from "vitest";

import { NBSP } from "@/format/numbers";
import { cell, figure, withUnit } from "./cells";

describe("withUnit", () => {
  test.each([
    [0.934, "percent", "93.4 %"],
    [1840, "ms", "1.84 s"],
    [125, "s", "2 min 5 s"],
    [1_234_567, "bytes", "1.23 MB"],
    [999, "bytes", "999 B"],
    [12, "requests", "12 requests"],
    [1, "requests", "1 request"],
    [0.123456, "per second", "0.1235 per second"],
    [1_500_000, "tokens", "1.5M tokens"],
    [7, "", "7"],
  ])("%f %s is %s", (value, unit, words) => {
    expect(withUnit(value, unit).replaceAll(NBSP, " ")).toBe(words);
  });
});

describe("figure", () => {
  test("sets the unit apart unless it belongs to the number", () => {
    expect(figure(12, "requests")).toEqual({ value: "12", unit: "requests" });
    expect(figure(1, "requests")).toEqual({ value: "1", unit: "request" });
    expect(figure(0.5, "percent")).toEqual({ value: `50${NBSP}%`, unit: "" });
    expect(figure("groq", "")).toEqual({ value: "groq", unit: "" });
  });

  test("what is unknown is not zero", () => {
    expect(figure(null, "requests")).toEqual({ value: "–", unit: "" });
    expect(figure(0, "requests")).toEqual({ value: "0", unit: "requests" });
  });
});

test.each([
  [null, "number", "–"],
  [0, "number", "0"],
  [true, "text", "yes"],
  [0.25, "percent", "25 %"],
  ["<b>", "text", "<b>"],
] as const)("a cell with %s of kind %s is %s", (value, kind, words) => {
  expect(cell(value, { title: "", kind, unit: "" }).replaceAll(NBSP, " ")).toBe(words);
});
