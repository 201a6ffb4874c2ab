/** One request to the proxy, streamed: what comes is told as it comes. */

import { type Answer, refusal, type WireError, withChunk, withHeaders } from "./answers";
import { readEvents } from "./sse";

export type Change = (answer: Answer) => Answer;

/**
 * Ask for an answer and tell of every change to it. Never throws: what goes wrong is part of the answer.
 *
 * @param wanted the body of `POST /v1/chat/completions`
 * @param signal ends it early; the proxy cancels the request then
 * @param tell is given each change, in order
 */
export async function ask(
  wanted: unknown,
  signal: AbortSignal,
  tell: (change: Change) => void,
): Promise<void> {
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  try {
    const response = await fetch("/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wanted),
      signal,
    });
    tell((answer) => withHeaders(answer, response.headers));
    if (!response.ok || response.body === null) {
      const error = await failure(response);
      tell((answer) => ({ ...answer, status: "failed", ms: elapsed(), error: refusal(error) }));
      return;
    }
    let finished = false;
    for await (const data of readEvents(response.body)) {
      if (data === "[DONE]") {
        finished = true;
        break;
      }
      const chunk = JSON.parse(data);
      tell((answer) => withChunk(answer, chunk, elapsed()));
    }
    tell((answer) => ended(answer, finished, elapsed()));
  } catch (error) {
    tell((answer) => broken(answer, signal.aborted, error, elapsed()));
  }
}

function ended(answer: Answer, finished: boolean, ms: number): Answer {
  if (answer.status === "failed") return answer;
  if (finished) return { ...answer, status: "done", ms };
  const error = refusal({ message: "The answer was cut off before its end.", code: "network" });
  return { ...answer, status: "failed", ms, error };
}

function broken(answer: Answer, stopped: boolean, error: unknown, ms: number): Answer {
  if (stopped) return { ...answer, status: "stopped", ms };
  const message =
    error instanceof SyntaxError
      ? "The server sent something that is not JSON."
      : "The server cannot be reached.";
  const cure = "Look whether freellm still runs, then try again.";
  return { ...answer, status: "failed", ms, error: refusal({ message, cure }) };
}

async function failure(response: Response): Promise<WireError> {
  const text = await response.text();
  try {
    const parsed = JSON.parse(text) as { error?: WireError };
    if (parsed.error) return parsed.error;
  } catch {
    // not ours: said below
  }
  return { message: `The server answered ${response.status} without a reason.` };
}
