import { expect, test } from "vitest";

import { change } from "./changes";

test.each([
  [120, 100, "20 % more than"],
  [50, 100, "50 % fewer than"],
  [250, 100, "2.5 times as many as"],
  [2000, 100, "20 times as many as"],
  [0, 100, "100 % fewer than"],
  [1001, 1000, undefined],
  [5, 0, undefined],
  [5, 5, undefined],
])("%i after %i is %s", (now, then, words) => {
  expect(change(now, then)?.words).toBe(words);
});
