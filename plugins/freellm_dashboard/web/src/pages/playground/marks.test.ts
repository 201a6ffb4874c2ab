import { describe, expect, test } from "vitest";

import { blocks, parts, runs } from "./marks";

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

  test("code in a list is set in as its fence is", () => {
    expect(parts("1. Run:\n   ```sh\n   a\n     b\n   ```")).toEqual([
      { text: "1. Run:", code: null },
      { text: "a\n  b", code: "sh" },
    ]);
  });

  test("backquotes within a line are prose", () => {
    expect(parts("```inline``` code")).toEqual([{ text: "```inline``` code", code: null }]);
  });

  test("nothing is no part", () => {
    expect(parts("\n \n")).toEqual([]);
  });
});

describe("blocks", () => {
  test("reads headings, rules, quotes and paragraphs", () => {
    expect(blocks("## A **b** ##\none\ntwo\n\nthree\n> q\n> r\n---\n#no")).toEqual([
      { kind: "heading", level: 2, text: "A **b**" },
      { kind: "text", text: "one\ntwo" },
      { kind: "text", text: "three" },
      { kind: "quote", text: "q\nr" },
      { kind: "rule" },
      { kind: "text", text: "#no" },
    ]);
  });

  test("reads lists in lists, their numbers, and lines that go on", () => {
    const [list, after] = blocks("1. one\n   - a\n\n     goes on\n   - b\n12) two\n* three\n\nend");
    expect(list?.kind === "list" && list.items.map(({ depth, mark, text }) => [depth, mark, text])).toEqual([
      [0, "1.", "one"],
      [1, "•", "a\ngoes on"],
      [1, "•", "b"],
      [0, "12)", "two"],
      [0, "•", "three"],
    ]);
    expect(after).toEqual({ kind: "text", text: "end" });
  });

  test("bullets after a numbered list and an empty line are a list of their own", () => {
    expect(
      blocks("1. one\n\n- a\n\n- b").map((block) => block.kind === "list" && block.items.length),
    ).toEqual([1, 2]);
  });

  test("reads a table: how its columns are aligned, bars that are escaped, rows too short and too long", () => {
    expect(blocks("See:\n| A | B | C |\n|---|:-:|--:|\n| 1 | x \\| y |\n| 2 | | 3 | 4 |\nend")).toEqual([
      { kind: "text", text: "See:" },
      {
        kind: "table",
        head: ["A", "B", "C"],
        aligned: ["left", "center", "right"],
        rows: [
          ["1", "x | y", ""],
          ["2", "", "3"],
        ],
      },
      { kind: "text", text: "end" },
    ]);
  });

  test("bars without dashes below are text, as is a table whose dashes are still to come", () => {
    expect(blocks("a | b\nc | d")).toEqual([{ kind: "text", text: "a | b\nc | d" }]);
    expect(blocks("| a | b |\n|--")).toEqual([{ kind: "text", text: "| a | b |\n|--" }]);
  });
});

describe("runs", () => {
  test("tells bold, emphasis and code, and what is in bold may be more", () => {
    expect(runs("a **b `c`** *d* `e*f*` __g__ _h_")).toEqual([
      { kind: "text", text: "a " },
      { kind: "strong", text: "b `c`" },
      { kind: "text", text: " " },
      { kind: "em", text: "d" },
      { kind: "text", text: " " },
      { kind: "code", text: "e*f*" },
      { kind: "text", text: " " },
      { kind: "strong", text: "g" },
      { kind: "text", text: " " },
      { kind: "em", text: "h" },
    ]);
  });

  test.each(["2 ** 3 ** 4", "2 * 3 * 4", "snake_case_name", "**bo", "`half", "a*b*c"])(
    "%s is text",
    (text) => {
      expect(runs(text)).toEqual([{ kind: "text", text }]);
    },
  );

  test("an address of the web is a link, named or bare, without the full stop after it", () => {
    expect(runs("[docs](https://a.example/x_y_z) and https://b.example/?q=1.")).toEqual([
      { kind: "link", text: "docs", href: "https://a.example/x_y_z" },
      { kind: "text", text: " and " },
      { kind: "link", text: "https://b.example/?q=1", href: "https://b.example/?q=1" },
      { kind: "text", text: "." },
    ]);
  });

  test.each(["[x](javascript:alert(1))", "[x](data:text/html,y)", "[x](/keys)", "<javascript:alert(1)>"])(
    "%s is no link",
    (text) => {
      expect(runs(text)).toEqual([{ kind: "text", text }]);
    },
  );
});
