import { describe, expect, test } from "vitest";

import { parts } from "./fences";

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
