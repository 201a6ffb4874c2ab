import { describe, expect, it } from "vitest";
import { amount, bytes, compact, count, duration, NBSP, percent, perWindow, plural, span } from "./numbers";
import { ago, until } from "./time";

/** Words with plain spaces where a number and its unit hold together, as they are read. */
const spaced = (text: string) => text.replaceAll(NBSP, " ");

describe("numbers", () => {
  it("hold together with their units, and break between two", () => {
    expect(duration(125_000)).toBe(`2${NBSP}min 5${NBSP}s`);
    expect(percent(0.5)).toBe(`50${NBSP}%`);
    expect(plural(2, "key")).toBe(`2${NBSP}keys`);
  });

  it.each([
    [null, "–"],
    [0, "0"],
    [999, "999"],
    [12.34, "12.3"],
    [12_345, "12.3K"],
    [999_999, "1M"],
    [4_560_000, "4.56M"],
    [1.2e9, "1.2B"],
  ])("%s is compactly %s", (value, text) => expect(compact(value)).toBe(text));

  it.each([
    [null, "–"],
    [Number.NaN, "–"],
    [0, "0 %"],
    [1, "100 %"],
    [0.5, "50 %"],
    [0.9736, "97.4 %"],
    [0.99996, "> 99.9 %"],
    [0.0001, "< 0.1 %"],
  ])("a share of %s is %s", (share, text) => expect(spaced(percent(share))).toBe(text));

  it.each([
    [null, "–"],
    [0, "0 ms"],
    [0.42, "0.4 ms"],
    [9.96, "10 ms"],
    [840, "840 ms"],
    [999.6, "1.00 s"],
    [1_840, "1.84 s"],
    [9_996, "10.0 s"],
    [59_960, "1 min"],
    [125_000, "2 min 5 s"],
  ])("%s ms lasts %s", (ms, text) => expect(spaced(duration(ms))).toBe(text));

  it.each([
    [0, "0 s"],
    [-3, "0 s"],
    [59.6, "1 min"],
    [3_600, "1 h"],
    [3_605, "1 h"],
    [7_380, "2 h 3 min"],
    [100_800, "1 d 4 h"],
  ])("%s s span %s", (seconds, text) => expect(spaced(span(seconds))).toBe(text));

  it.each([
    [0, "0 bytes"],
    [840, "840 bytes"],
    [1_234_567, "1.2 MB"],
    [5e13, "50 TB"],
  ])("%s is %s", (value, text) => expect(spaced(bytes(value))).toBe(text));

  it("name what they count", () => {
    expect(spaced(plural(1, "request"))).toBe("1 request");
    expect(spaced(plural(1_200, "key"))).toBe("1,200 keys");
    expect(spaced(plural(2, "reply", "replies"))).toBe("2 replies");
    expect(spaced(amount(1, "requests"))).toBe("1 request");
    expect(spaced(amount(6_000, "tokens"))).toBe("6K tokens");
    expect(count(undefined)).toBe("–");
    expect([1, 60, 86_400, 300].map(perWindow).map(spaced)).toEqual([
      "per s",
      "per min",
      "per day",
      "per 5 min",
    ]);
    expect(perWindow(null)).toBe("at once");
  });
});

describe("times", () => {
  it("say how long ago in one unit's breath", () => {
    expect(spaced(ago(100, 100.4))).toBe("just now");
    expect(spaced(ago(100, 103))).toBe("3 s ago");
    expect(spaced(ago(0, 42))).toBe("42 s ago");
    expect(spaced(ago(0, 3_725))).toBe("1 h ago");
  });

  it("count down to nothing and not below", () => {
    expect(spaced(until(100, 58.2))).toBe("42 s");
    expect(spaced(until(100, 100))).toBe("now");
    expect(spaced(until(100, 200))).toBe("now");
  });
});
