import { describe, expect, test } from "vitest";

import { type Answer, newAnswer, pretty, refusal, tokensPerSecond, withChunk, withHeaders } from "./answers";

const blank = newAnswer("1", "auto");

function told(...chunks: Parameters<typeof withChunk>[1][]): Answer {
  return chunks.reduce<Answer>((answer, chunk, at) => withChunk(answer, chunk, (at + 1) * 100), blank);
}

const delta = (part: object, more: object = {}) => ({ choices: [{ delta: part, ...more }] });

describe("withChunk", () => {
  test("joins text and notes when the first of it came", () => {
    const answer = told(
      delta({ role: "assistant" }),
      delta({ content: "Hel" }),
      delta({ content: "lo" }, { finish_reason: "stop" }),
    );
    expect(answer).toMatchObject({
      text: "Hello",
      firstTokenMs: 200,
      finishReason: "stop",
      status: "streaming",
    });
  });

  test("takes reasoning under both of its names", () => {
    expect(told(delta({ reasoning_content: "a" }), delta({ reasoning: "b" })).reasoning).toBe("ab");
  });

  test("puts tool calls together that come in pieces and interleaved", () => {
    const answer = told(
      delta({ tool_calls: [{ index: 0, id: "x", function: { name: "f", arguments: '{"a"' } }] }),
      delta({ tool_calls: [{ index: 1, id: "y", function: { name: "g", arguments: "" } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }),
      delta({ tool_calls: [{ index: 1, function: { arguments: "{}" } }] }),
    );
    expect(answer.toolCalls).toEqual([
      { id: "x", name: "f", arguments: '{"a":1}' },
      { id: "y", name: "g", arguments: "{}" },
    ]);
  });

  test("keeps who answered first, and takes usage from a chunk without choices", () => {
    const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
    const answer = told(
      { ...delta({ content: "x" }), _routed_via: { platform: "groq", model: "llama" } },
      {
        ...delta({}),
        _routed_via: { platform: "other", model: "m" },
        x_freellm: { request_id: "req_1", fallback_attempts: 2 },
      },
      { choices: [], usage },
    );
    expect(answer).toMatchObject({ routedVia: "groq/llama", requestId: "req_1", failedCount: 2, usage });
  });

  test("an error in the stream keeps what was said before", () => {
    const answer = told(delta({ content: "half" }), { error: { message: "it broke", code: "network" } });
    expect(answer).toMatchObject({ status: "failed", text: "half", error: { message: "it broke" } });
    expect(answer.error?.cure).toContain("Try again");
  });
});

test("withHeaders reads the trail, decodes names, and copes without any", () => {
  const headers = new Headers({
    "x-request-id": "req_1",
    "x-routed-via": "lab/caf%C3%A9",
    "x-fallback-attempts": "2",
    "x-fallback-trail": "groq/openai/gpt-oss-120b=rate_limited, lab/a=b=timeout",
    "x-freellm-dropped-params": "seed, top_k",
  });
  expect(withHeaders(blank, headers)).toMatchObject({
    requestId: "req_1",
    routedVia: "lab/café",
    failedCount: 2,
    failed: [
      { route: "groq/openai/gpt-oss-120b", kind: "rate_limited" },
      { route: "lab/a=b", kind: "timeout" },
    ],
    droppedParameters: ["seed", "top_k"],
    queueMs: null,
  });
  expect(withHeaders(blank, new Headers())).toEqual(blank);
});

describe("refusal", () => {
  test("names the field unless the message does", () => {
    expect(refusal({ message: "must be a number", param: "temperature" }).message).toBe(
      "temperature: must be a number",
    );
    expect(refusal({ message: "temperature must be a number", param: "temperature" }).message).toBe(
      "temperature must be a number",
    );
  });

  test("the server's cure comes before the page's own", () => {
    expect(refusal({ message: "", code: "model_not_found", cure: "Do this." }).cure).toBe("Do this.");
    expect(refusal({ message: "", code: "something_new" }).cure).toBeNull();
  });
});

test("tokens a second are unknown without usage, and count from the first token on", () => {
  expect(tokensPerSecond(blank)).toBeNull();
  const usage = { prompt_tokens: 1, completion_tokens: 50, total_tokens: 51 };
  expect(tokensPerSecond({ ...blank, usage, firstTokenMs: 500, ms: 1500 })).toBe(50);
  expect(tokensPerSecond({ ...blank, usage, firstTokenMs: 500, ms: 510 })).toBeNull();
});

test("pretty leaves alone what is no JSON", () => {
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty('{"a":')).toBe('{"a":');
});
