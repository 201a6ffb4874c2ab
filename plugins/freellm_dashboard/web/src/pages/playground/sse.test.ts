import { describe, expect, test } from "vitest";

import { readEvents } from "./sse";

function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
}

async function all(body: ReadableStream<Uint8Array>): Promise<string[]> {
  const events: string[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

describe("readEvents", () => {
  test("joins the data lines of one event and leaves out comments and other fields", async () => {
    const body = streamOf(": keep-alive\n\nevent: note\nid: 7\ndata: one\ndata: two\n\ndata:three\n\n");
    expect(await all(body)).toEqual(["one\ntwo", "three"]);
  });

  test.each([["\n"], ["\r"], ["\r\n"]])("takes %j as the end of a line", async (end) => {
    expect(await all(streamOf(`data: a${end}${end}data: b${end}${end}`))).toEqual(["a", "b"]);
  });

  test("gives the same events however the bytes are cut", async () => {
    const bytes = new TextEncoder().encode('\ufeffdata: {"a":"é🙂"}\r\n\r\n: hm\r\ndata: [DONE]\r\n\r\n');
    for (let size = 1; size <= bytes.length; size += 1) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
      expect(await all(streamOf(...chunks)), `in pieces of ${size}`).toEqual(['{"a":"é🙂"}', "[DONE]"]);
    }
  });

  test("drops an event that the end of the stream cuts short", async () => {
    expect(await all(streamOf("data: whole\n\ndata: cut\n"))).toEqual(["whole"]);
  });

  test("yields an event before the next bytes are there", async () => {
    let push: (text: string) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        push = (text) => controller.enqueue(new TextEncoder().encode(text));
      },
    });
    const events = readEvents(body);
    push("data: first\n\n");
    expect(await events.next()).toEqual({ done: false, value: "first" });
    push("data: second\n\n");
    expect(await events.next()).toEqual({ done: false, value: "second" });
  });

  test("cancels the stream when nobody reads on", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("data: first\n\n"));
      },
      cancel() {
        cancelled = true;
      },
    });
    for await (const event of readEvents(body)) {
      expect(event).toBe("first");
      break;
    }
    expect(cancelled).toBe(true);
  });
});
