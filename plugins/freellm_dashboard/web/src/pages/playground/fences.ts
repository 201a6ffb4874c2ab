/** Fenced code in a model's text. Pure. */

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
