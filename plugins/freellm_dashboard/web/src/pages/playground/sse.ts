/** Server-sent events, read while they arrive. */

/**
 * Yields the `data` of each event as soon as the event is complete.
 *
 * Lines end with LF, CR or CRLF, wherever the network cuts them; comments and other fields are left out. An event that
 * the stream's end cuts short is dropped, as the standard says.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const split = lineSplitter();
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const line of split(value)) {
        if (line === "") {
          if (data.length > 0) yield data.join("\n");
          data = [];
        } else if (line === "data" || line.startsWith("data:")) {
          data.push(line.slice(5).replace(/^ /, ""));
        }
      }
    }
  } finally {
    // reached as well when whoever reads stops early: the server must hear of it
    await reader.cancel().catch(() => undefined);
  }
}

/** Returns a function that takes bytes and gives the lines they complete. */
function lineSplitter(): (bytes: Uint8Array) => string[] {
  const decoder = new TextDecoder(); // drops a byte order mark, keeps a character that is cut in two
  let rest = "";
  let endedWithReturn = false;
  return (bytes) => {
    let text = decoder.decode(bytes, { stream: true });
    if (text === "") return [];
    if (endedWithReturn && text.startsWith("\n")) text = text.slice(1);
    endedWithReturn = text === "" ? false : text.endsWith("\r");
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    return lines;
  };
}
