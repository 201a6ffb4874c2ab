/** The marks in a model's text. Pure. */

export interface Part {
  text: string;
  /** The language of fenced code, perhaps empty; null is prose. */
  code: string | null;
}

/** Split a text at its fences. A fence that is still open, while a text streams in, runs to the end. */
export function parts(text: string): Part[] {
  const found: Part[] = [];
  let fence: string | null = null;
  let lines: string[] = [];
  let code: string | null = null;
  const close = () => {
    const joined = lines.join("\n");
    if (code !== null || joined.trim() !== "")
      found.push({ text: code === null ? joined.trim() : joined, code });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const [, mark, language] = /^\s{0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/.exec(line) ?? [];
    if (fence === null && mark) {
      close();
      fence = mark;
      code = language ?? "";
    } else if (fence !== null && mark && language === "" && mark.startsWith(fence)) {
      close();
      fence = null;
      code = null;
    } else {
      lines.push(line);
    }
  }
  close();
  return found;
}

export interface Line {
  kind: "text" | "heading" | "item" | "empty";
  /** What stands before an item: a bullet or its number. */
  mark: string;
  runs: { text: string; bold: boolean }[];
}

/** Read the lines of prose. A mark that is not closed is text. */
export function lines(text: string): Line[] {
  return text.split("\n").map((line) => {
    if (line.trim() === "") return { kind: "empty", mark: "", runs: [] };
    const heading = /^\s{0,3}#{1,6}\s+(.*)$/.exec(line);
    if (heading) return { kind: "heading", mark: "", runs: runs(heading[1] ?? "") };
    const item = /^\s*(?:([-*+])|(\d{1,3}[.)]))\s+(.*)$/.exec(line);
    if (item) return { kind: "item", mark: item[2] ?? "•", runs: runs(item[3] ?? "") };
    return { kind: "text", mark: "", runs: runs(line) };
  });
}

function runs(text: string): Line["runs"] {
  // splitting by a group keeps what it caught: every second run was between the stars
  return text
    .split(/\*\*(?=\S)(.+?)\*\*/)
    .map((run, place) => ({ text: run, bold: place % 2 === 1 }))
    .filter((run) => run.text !== "");
}
