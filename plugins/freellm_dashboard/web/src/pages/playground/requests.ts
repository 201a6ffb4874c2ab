/** What is sent: a conversation as OpenAI's messages, parameters, and the same as curl or Python. Pure. */

import type { Answer } from "./answers";

export interface Picture {
  name: string;
  /** A `data:` URL. */
  url: string;
}

export interface Prompt {
  text: string;
  pictures: Picture[];
}

/** One prompt, and per column the answers to it: more than one when tool calls were answered. */
export interface Turn {
  id: string;
  prompt: Prompt;
  answers: Record<string, Answer[]>;
}

export interface Setup {
  system: string;
  /** Only what the user switched on; everything else is the provider's default. */
  parameters: Record<string, ParameterValue>;
  /** The tools as JSON text; empty is none. */
  tools: string;
}

export type ParameterValue = number | string | boolean;

export interface Parameter {
  name: string;
  label: string;
  help: string;
  kind: "number" | "choice" | "text";
  /** What it is set to when it is switched on. */
  initial: ParameterValue;
  min?: number;
  max?: number;
  step?: number;
  choices?: string[];
}

/** The parameters on offer. Limits are those that the proxy checks. */
export const PARAMETERS: Parameter[] = [
  {
    name: "temperature",
    label: "Temperature",
    help: "0 repeats itself, 2 rambles.",
    kind: "number",
    initial: 0.7,
    min: 0,
    max: 2,
    step: 0.1,
  },
  {
    name: "top_p",
    label: "Top p",
    help: "Only the likeliest words, up to this share.",
    kind: "number",
    initial: 0.9,
    min: 0,
    max: 1,
    step: 0.05,
  },
  {
    name: "max_tokens",
    label: "Max tokens",
    help: "Where the answer is cut off.",
    kind: "number",
    initial: 512,
    min: 1,
    step: 64,
  },
  {
    name: "reasoning_effort",
    label: "Reasoning effort",
    help: "How long it thinks first, where the model can.",
    kind: "choice",
    initial: "low",
    choices: ["none", "minimal", "low", "medium", "high"],
  },
  {
    name: "response_format",
    label: "Answer format",
    help: "json_object asks for a JSON object.",
    kind: "choice",
    initial: "json_object",
    choices: ["text", "json_object"],
  },
  {
    name: "seed",
    label: "Seed",
    help: "The same seed tends to give the same answer.",
    kind: "number",
    initial: 1,
    min: 0,
    step: 1,
  },
  { name: "stop", label: "Stop at", help: "The answer ends before this text.", kind: "text", initial: "" },
  {
    name: "frequency_penalty",
    label: "Frequency penalty",
    help: "Above 0 it repeats words less.",
    kind: "number",
    initial: 0,
    min: -2,
    max: 2,
    step: 0.1,
  },
  {
    name: "presence_penalty",
    label: "Presence penalty",
    help: "Above 0 it changes the subject more.",
    kind: "number",
    initial: 0,
    min: -2,
    max: 2,
    step: 0.1,
  },
];

type Json = Record<string, unknown>;

/** Return the messages of one column, the last of which waits for an answer. */
export function messages(system: string, turns: Turn[], column: string): Json[] {
  const said: Json[] = system.trim() ? [{ role: "system", content: system }] : [];
  for (const turn of turns) {
    const answers = turn.answers[column];
    if (!answers) continue; // the column was added later
    const known = answers.filter(counts);
    // a prompt that nobody answered is repeated only while it is the newest
    if (known.length === 0 && turn !== turns.at(-1)) continue;
    said.push({ role: "user", content: content(turn.prompt) });
    for (const answer of known) said.push(...answered(answer));
  }
  return said;
}

/** Tell whether an answer has something that the conversation can go on from. */
function counts(answer: Answer): boolean {
  const unanswered = answer.toolCalls.some((call) => !(call.id in answer.results));
  return (answer.text !== "" || answer.toolCalls.length > 0) && !unanswered;
}

function answered(answer: Answer): Json[] {
  const calls = answer.toolCalls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.arguments || "{}" },
  }));
  const own: Json = { role: "assistant", content: answer.text || null };
  if (calls.length > 0) own.tool_calls = calls;
  const results = calls.map((call) => ({
    role: "tool",
    tool_call_id: call.id,
    content: answer.results[call.id] ?? "",
  }));
  return [own, ...results];
}

function content(prompt: Prompt): unknown {
  if (prompt.pictures.length === 0) return prompt.text;
  const pictures = prompt.pictures.map((one) => ({ type: "image_url", image_url: { url: one.url } }));
  return prompt.text ? [{ type: "text", text: prompt.text }, ...pictures] : pictures;
}

/** Return the body of a request. */
export function body(model: string, setup: Setup, said: Json[]): Json {
  const wanted: Json = { model, messages: said };
  for (const [name, value] of Object.entries(setup.parameters)) {
    if (value === "") continue;
    wanted[name] = name === "response_format" ? { type: value } : value;
  }
  const tools = parsedTools(setup.tools);
  if (tools.value.length > 0) wanted.tools = tools.value;
  wanted.stream = true;
  wanted.stream_options = { include_usage: true };
  return wanted;
}

export interface ParsedTools {
  value: unknown[];
  /** What is wrong, with where; null: nothing. */
  wrong: string | null;
}

/** Read the tools that were typed, and say what is wrong with them. */
export function parsedTools(text: string): ParsedTools {
  if (text.trim() === "") return { value: [], wrong: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { value: [], wrong: `This is not JSON: ${error instanceof Error ? error.message : error}` };
  }
  if (!Array.isArray(value)) return { value: [], wrong: "The tools are a list: put [ and ] around them." };
  const names = new Set<string>();
  for (const [place, tool] of value.entries()) {
    const wrong = wrongTool(tool, names);
    if (wrong) return { value: [], wrong: `tools[${place}]${wrong}` };
  }
  return { value, wrong: null };
}

function wrongTool(tool: unknown, names: Set<string>): string | null {
  if (!isObject(tool)) return " is not an object.";
  if (tool.type !== "function") return '.type has to be "function".';
  if (!isObject(tool.function)) return ".function is missing.";
  const { name, parameters } = tool.function;
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
    return ".function.name has to be 1 to 64 letters, digits, _ or -.";
  }
  if (names.has(name)) return `.function.name: ${name} is there twice.`;
  names.add(name);
  if (parameters !== undefined && !isObject(parameters))
    return ".function.parameters has to be a JSON schema.";
  return null;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const EXAMPLE_TOOLS = JSON.stringify(
  [
    {
      type: "function",
      function: {
        name: "get_weather",
        description: "Tells the weather of a city.",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ],
  null,
  2,
);

/** Return the request as a curl command. The key stays in the shell's variable. */
export function asCurl(origin: string, wanted: Json): string {
  const json = JSON.stringify(wanted, null, 2).replaceAll("'", "'\\''");
  return [
    `curl -N ${origin}/v1/chat/completions \\`,
    '  -H "Authorization: Bearer $OPENAI_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${json}'`,
  ].join("\n");
}

/** Return the request as a Python program for OpenAI's SDK, which takes the key from the environment. */
export function asPython(origin: string, wanted: Json): string {
  const options = Object.entries(wanted)
    .filter(([name]) => name !== "stream_options")
    .map(([name, value]) => `    ${name}=${python(value, "    ")},`);
  return [
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${python(`${origin}/v1`, "")})  # the key is taken from OPENAI_API_KEY`,
    "stream = client.chat.completions.create(",
    ...options,
    ")",
    "for chunk in stream:",
    "    if chunk.choices:",
    '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
  ].join("\n");
}

/** Write a JSON value as a Python literal. */
function python(value: unknown, indent: string): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value); // JSON's strings and numbers are Python's, too
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((one) => `${inner}${python(one, inner)},\n`).join("")}${indent}]`;
  }
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  return `{\n${members.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${python(one, inner)},\n`).join("")}${indent}}`;
}
