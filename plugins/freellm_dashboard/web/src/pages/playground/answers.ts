/** What an answer is made of, and how the chunks of a stream build it. Pure. */

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** An error as `/v1` and `/api` tell it, with what the page can say to mend it. */
export interface Refusal {
  message: string;
  code: string | null;
  cure: string | null;
  attempts: Attempt[];
  suggestions: string[];
}

export interface Attempt {
  route: string;
  kind: string;
  ms: number | null;
}

export type Status = "waiting" | "streaming" | "done" | "stopped" | "failed";

export interface Answer {
  id: string;
  /** The `model` that was asked for. */
  requested: string;
  status: Status;
  text: string;
  reasoning: string;
  toolCalls: ToolCall[];
  /** What the user answered to tool calls, by call id. */
  results: Record<string, string>;
  finishReason: string | null;
  requestId: string | null;
  /** `provider/model` that answered. */
  routedVia: string | null;
  /** Attempts that failed before. */
  failed: Attempt[];
  failedCount: number;
  queueMs: number | null;
  droppedParameters: string[];
  usage: Usage | null;
  usageEstimated: boolean;
  /** Milliseconds from sending to the first text, reasoning or tool call. */
  firstTokenMs: number | null;
  /** Milliseconds from sending to the end. */
  ms: number | null;
  error: Refusal | null;
}

export function newAnswer(id: string, requested: string): Answer {
  return {
    id,
    requested,
    status: "waiting",
    text: "",
    reasoning: "",
    toolCalls: [],
    results: {},
    finishReason: null,
    requestId: null,
    routedVia: null,
    failed: [],
    failedCount: 0,
    queueMs: null,
    droppedParameters: [],
    usage: null,
    usageEstimated: false,
    firstTokenMs: null,
    ms: null,
    error: null,
  };
}

/** Take over what the headers of an answer tell. */
export function withHeaders(answer: Answer, headers: Headers): Answer {
  const failed = trail(headers.get("x-fallback-trail"));
  return {
    ...answer,
    requestId: headers.get("x-request-id"),
    routedVia: decoded(headers.get("x-routed-via")),
    failed,
    failedCount: Number(headers.get("x-fallback-attempts") ?? failed.length),
    queueMs: numberOrNull(headers.get("x-freellm-queue-ms")),
    droppedParameters: list(headers.get("x-freellm-dropped-params")),
  };
}

interface Chunk {
  choices?: { delta?: Delta; finish_reason?: string | null }[];
  usage?: Usage | null;
  error?: WireError;
  _routed_via?: { platform: string; model: string };
  x_freellm?: {
    request_id?: string;
    fallback_attempts?: number;
    usage_estimated?: boolean;
    queue_ms?: number;
  };
}

interface Delta {
  content?: string | null;
  reasoning_content?: string | null;
  reasoning?: string | null;
  tool_calls?: { index: number; id?: string; function?: { name?: string; arguments?: string } }[];
}

/**
 * Add one chunk of a stream to an answer.
 *
 * @param ms milliseconds since the request was sent
 */
export function withChunk(answer: Answer, chunk: Chunk, ms: number): Answer {
  if (chunk.error) return { ...answer, status: "failed", ms, error: refusal(chunk.error) };
  const next: Answer = { ...answer };
  const choice = chunk.choices?.[0];
  const delta = choice?.delta ?? {};
  next.text += delta.content ?? "";
  next.reasoning += delta.reasoning_content ?? delta.reasoning ?? "";
  if (delta.tool_calls) next.toolCalls = withCalls(answer.toolCalls, delta.tool_calls);
  const says = delta.content || delta.reasoning_content || delta.reasoning || delta.tool_calls?.length;
  if (says) {
    next.status = "streaming";
    next.firstTokenMs ??= ms;
  }
  next.finishReason = choice?.finish_reason ?? next.finishReason;
  next.usage = chunk.usage ?? next.usage;
  const via = chunk._routed_via;
  if (via) next.routedVia ??= `${via.platform}/${via.model}`;
  const ours = chunk.x_freellm;
  if (ours) {
    next.requestId ??= ours.request_id ?? null;
    next.failedCount = ours.fallback_attempts ?? next.failedCount;
    next.usageEstimated = ours.usage_estimated ?? next.usageEstimated;
    next.queueMs = ours.queue_ms ?? next.queueMs;
  }
  return next;
}

function withCalls(calls: ToolCall[], deltas: NonNullable<Delta["tool_calls"]>): ToolCall[] {
  const next = [...calls];
  for (const delta of deltas) {
    const before = next[delta.index] ?? { id: "", name: "", arguments: "" };
    next[delta.index] = {
      id: before.id || (delta.id ?? ""),
      name: before.name || (delta.function?.name ?? ""),
      arguments: before.arguments + (delta.function?.arguments ?? ""),
    };
  }
  return next;
}

export interface WireError {
  message?: string;
  code?: string | null;
  param?: string | null;
  field?: string | null;
  cure?: string | null;
  x_freellm?: {
    attempts?: { route: string; class: string; ms?: number }[];
    suggestions?: string[];
  };
}

/** What the page itself knows to do about an error, by its code. */
const CURES: Record<string, string> = {
  all_routes_exhausted: "Wait until a route opens, add a key of another provider, or ask for auto.",
  all_routes_failed: "Look at the attempts below; a key may be refused or a provider may be down.",
  context_length_exceeded:
    "Clear the conversation, shorten the prompt, or pick a model with a larger window.",
  content_policy_violation: "The provider's filter refused it. Word it otherwise, or pick another provider.",
  deadline_exceeded: "Every provider was too slow. Try again, or ask for auto:fast.",
  invalid_image_url: "Drop the picture itself in instead of its address.",
  invalid_request: "Switch parameters back to the provider's default, then try again.",
  model_not_found: "Pick a model from the list; it may be switched off or lack a key.",
  network: "The provider's connection broke. Try again; another route will be asked first.",
  no_allowed_provider: "The profile leaves nobody who could answer. Change it on the Models page.",
  no_capable_model: "No model that is on can do this. Take out the tools or pictures, or switch a model on.",
  no_providers_configured: "Add a provider key on the Keys page; some providers need none.",
  request_too_large: "Send fewer or smaller pictures.",
};

/** Return an error in the page's words. */
export function refusal(error: WireError): Refusal {
  const code = error.code ?? null;
  const ours = error.x_freellm;
  const field = error.param ?? error.field;
  const message = error.message ?? "The server refused the request and did not say why.";
  return {
    message: field && !message.includes(field) ? `${field}: ${message}` : message,
    code,
    cure: error.cure ?? (code ? (CURES[code] ?? null) : null),
    attempts: (ours?.attempts ?? []).map((one) => ({
      route: one.route,
      kind: one.class,
      ms: one.ms ?? null,
    })),
    suggestions: ours?.suggestions ?? [],
  };
}

/** Milliseconds of writing below which the network's buffers are measured, and not the model. */
const LEAST_MS = 100;

/** Tokens a second while the model was writing; null when it cannot be told. */
export function tokensPerSecond(answer: Answer): number | null {
  if (!answer.usage || answer.ms === null || answer.firstTokenMs === null) return null;
  const writing = answer.ms - answer.firstTokenMs;
  return writing < LEAST_MS || answer.usage.completion_tokens < 2
    ? null
    : (answer.usage.completion_tokens * 1000) / writing;
}

function trail(header: string | null): Attempt[] {
  return list(header).map((one) => {
    const at = one.lastIndexOf("=");
    return { route: decoded(one.slice(0, at)) ?? "", kind: one.slice(at + 1), ms: null };
  });
}

function list(header: string | null): string[] {
  return (header ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
}

function numberOrNull(header: string | null): number | null {
  return header === null || header === "" ? null : Number(header);
}

function decoded(header: string | null): string | null {
  if (header === null) return null;
  try {
    return decodeURIComponent(header);
  } catch {
    return header; // a percent sign of the name itself
  }
}

/** Return a call's arguments as they are read best; as they came when they are no JSON. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // still being streamed, or wrong: both are to be seen
  }
}
