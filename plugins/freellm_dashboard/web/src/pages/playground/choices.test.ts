import { expect, test } from "vitest";

import type { ModelRow, ProfileRow } from "@/api/types";
import { choices } from "./choices";

const row = (name: string, family: string, more: object = {}) =>
  ({ name, family, task: "chat", state: "on", ...more }) as ModelRow;

test("what is on, each name once, automatic names first", () => {
  const models = [
    row("groq/llama", "llama"),
    row("lab/llama", "llama"),
    row("lab/off", "off", { state: "off" }),
    row("lab/vectors", "vectors", { task: "embeddings" }),
  ];
  const found = choices(models, ["fast"], [{ name: "mine" } as ProfileRow], "auto");
  expect(found.map(({ group, items }) => [group, items.map((item) => item.value)])).toEqual([
    ["Automatic", ["auto", "auto:fast"]],
    ["Profiles", ["auto:mine"]],
    ["Families, at any provider", ["llama"]],
    ["At one provider", ["groq/llama", "lab/llama"]],
  ]);
});

test("a name from the address is on offer although nobody knows it", () => {
  expect(choices([], [], [], "gone/model")[0]).toEqual({
    group: "Chosen",
    items: [{ value: "gone/model", label: "gone/model" }],
  });
});
