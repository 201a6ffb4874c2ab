import { expect, test } from "vitest";

import type { Attempt, PassedOver, RequestDetail } from "@/api/types";
import { rungs } from "./rungs";

const attempt = (number: number, started: number, ms: number, passed_over: number): Attempt => ({
  number,
  provider: "groq",
  model: `m${number}`,
  key: "k",
  key_label: null,
  kind: "ok",
  status: 200,
  started,
  first_byte_ms: null,
  duration_ms: ms,
  message: "",
  quota: "",
  passed_over,
});

const passed = (name: string): PassedOver => ({
  name,
  key: null,
  key_label: null,
  cause: "quota",
  detail: "",
  opens_at: null,
});

function detail(attempts: Attempt[], names: string, duration_ms: number): RequestDetail {
  const request = { created: 100, duration_ms } as RequestDetail["request"];
  return { request, attempts, passed_over: [...names].map(passed) };
}

function told(given: RequestDetail): string {
  return rungs(given)
    .map((rung) =>
      "attempt" in rung ? String(rung.attempt.number) : rung.passedOver.map((one) => one.name).join(""),
    )
    .join(" ");
}

test("routes that were passed over stand before the attempt that they led to", () => {
  expect(told(detail([attempt(1, 100, 50, 2), attempt(2, 100.05, 50, 3)], "abcde", 100))).toBe("ab 1 c 2 de");
});

test("a ladder without attempts is what was passed over, and one without either is empty", () => {
  expect(told(detail([], "ab", 5))).toBe("ab");
  expect(told(detail([], "", 5))).toBe("");
});

test("bars are shares of the whole time and never leave it", () => {
  const [first, second] = rungs(detail([attempt(1, 100, 250, 0), attempt(2, 100.25, 1250, 0)], "", 1000));
  expect(first && "attempt" in first && first.width).toBeCloseTo(250 / 1500);
  expect(second && "attempt" in second && second.start + second.width).toBeCloseTo(1);
  const [early] = rungs(detail([attempt(1, 99, 10, 0)], "", 100));
  expect(early).toMatchObject({ start: 0 });
});
