import { describe, expect, test } from "vitest";

import { lines, parts } from "./marks";

describe("parts", () => {
  test("splits code from prose and keeps its language and its blank lines", () => {
    expect(parts("See:\n\n```py\na = 1\n\nb = 2\n```\nDone.")).toEqual([
      { text: "See:", code: null },
      { text: "a = 1\n\nb = 2", code: "py" },
      { text: "Done.", code: null },
    ]);
  });

  test("a fence that is still open runs to the end", () => {
    expect(parts("```\nhalf")).toEqual([{ text: "half", code: "" }]);
  });

  test("a shorter fence inside a longer one is code", () => {
    expect(parts("````md\n```\nx\n```\n````")).toEqual([{ text: "```\nx\n```", code: "md" }]);
  });

  test("backquotes within a line are prose", () => {
    expect(parts("```inline``` code")).toEqual([{ text: "```inline``` code", code: null }]);
  });

  test("nothing is no part", () => {
    expect(parts("\n \n")).toEqual([]);
  });
});

describe("lines", () => {
  test("reads headings, bullets, numbers and bold", () => {
    expect(lines("## A **b**\n- one\n12. two\n\n2 ** 3 ** 4")).toEqual([
      {
        kind: "heading",
        mark: "",
        runs: [
          { text: "A ", bold: false },
          { text: "b", bold: true },
        ],
      },
      { kind: "item", mark: "•", runs: [{ text: "one", bold: false }] },
      { kind: "item", mark: "12.", runs: [{ text: "two", bold: false }] },
      { kind: "empty", mark: "", runs: [] },
      { kind: "text", mark: "", runs: [{ text: "2 ** 3 ** 4", bold: false }] },
    ]);
  });

  test("a star that is still open, while a text streams in, is text", () => {
    expect(lines("**bo")[0]?.runs).toEqual([{ text: "**bo", bold: false }]);
  });
});
