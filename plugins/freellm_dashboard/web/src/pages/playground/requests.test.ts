import { describe, expect, test } from "vitest";

import { type Answer, newAnswer } from "./answers";
import { asCurl, asPython, body, EXAMPLE_TOOLS, messages, parsedTools, type Turn } from "./requests";

const answer = (more: Partial<Answer>): Answer => ({ ...newAnswer("1", "auto"), ...more });

const turn = (text: string, ...answers: Answer[]): Turn => ({
  id: text,
  prompt: { text, pictures: [] },
  answers: { a: answers },
});

describe("messages", () => {
  test("begin with the system prompt and end with the newest question", () => {
    expect(messages("Be brief.", [turn("Hi", answer({ text: "Hello" })), turn("And?")], "a")).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "And?" },
    ]);
  });

  test("leave out questions that failed, and turns before a column was there", () => {
    const failed = turn("lost", answer({ status: "failed" }));
    const other: Turn = { ...turn("elsewhere"), answers: { b: [] } };
    expect(messages("  ", [failed, other, turn("now")], "a")).toEqual([{ role: "user", content: "now" }]);
  });

  test("carry tool calls with their results, and leave out calls that nobody answered", () => {
    const toolCalls = [{ id: "x", name: "f", arguments: "" }];
    const said = messages("", [turn("go", answer({ toolCalls, results: { x: "42" } }))], "a");
    expect(said.slice(1)).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "x", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "x", content: "42" },
    ]);
    expect(messages("", [turn("go", answer({ toolCalls })), turn("on")], "a")).toEqual([
      { role: "user", content: "on" },
    ]);
  });

  test("carry pictures beside the text", () => {
    const shown: Turn = {
      id: "1",
      prompt: { text: "What?", pictures: [{ name: "p", url: "data:x" }] },
      answers: { a: [] },
    };
    expect(messages("", [shown], "a")[0]?.content).toEqual([
      { type: "text", text: "What?" },
      { type: "image_url", image_url: { url: "data:x" } },
    ]);
  });
});

describe("body", () => {
  test("has only the parameters that are on", () => {
    const setup = {
      system: "",
      parameters: { temperature: 0, stop: "", response_format: "json_object" },
      tools: "",
    };
    expect(body("auto", setup, [])).toEqual({
      model: "auto",
      messages: [],
      temperature: 0,
      response_format: { type: "json_object" },
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

describe("parsedTools", () => {
  test.each([
    ["{", "not JSON"],
    ["{}", "list"],
    ["[1]", "tools[0] is not an object"],
    ['[{"type":"x"}]', "tools[0].type"],
    ['[{"type":"function"}]', "tools[0].function is missing"],
    ['[{"type":"function","function":{"name":"a b"}}]', "tools[0].function.name"],
    ['[{"type":"function","function":{"name":"a","parameters":[]}}]', "tools[0].function.parameters"],
    [
      '[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]',
      "there twice",
    ],
  ])("%s is wrong: %s", (text, wrong) => {
    expect(parsedTools(text).wrong).toContain(wrong);
    expect(parsedTools(text).value).toEqual([]);
  });

  test("takes the example, and nothing for nothing", () => {
    expect(parsedTools(EXAMPLE_TOOLS)).toMatchObject({ wrong: null, value: [{ type: "function" }] });
    expect(parsedTools(" ")).toEqual({ value: [], wrong: null });
  });
});

describe("as a program", () => {
  const wanted = {
    model: "auto",
    messages: [{ role: "user", content: 'it\'s "me"' }],
    stream: true,
    seed: null,
  };

  test("curl survives an apostrophe and has no key in it", () => {
    const text = asCurl("http://127.0.0.1:3001", wanted);
    expect(text).toContain("it'\\''s");
    expect(text).toContain("http://127.0.0.1:3001/v1/chat/completions");
    expect(text).toContain("$OPENAI_API_KEY");
  });

  test("Python has Python's words for JSON's", () => {
    const text = asPython("http://127.0.0.1:3001", wanted);
    expect(text).toContain("stream=True");
    expect(text).toContain("seed=None");
    expect(text).toContain('"content": "it\'s \\"me\\""');
  });
});
