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
  let margin = "";
  let lines: string[] = [];
  let code: string | null = null;
  const close = () => {
    const joined = lines.join("\n");
    if (code !== null) found.push({ text: joined, code });
    else if (joined.trim() !== "") found.push({ text: joined.replace(/^\s*\n|\s+$/g, ""), code });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const [, indent = "", mark, language] = /^(\s*)(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/.exec(line) ?? [];
    if (fence === null && mark) {
      close();
      fence = mark;
      margin = indent;
      code = language ?? "";
    } else if (fence !== null && mark && language === "" && mark.startsWith(fence)) {
      close();
      fence = null;
      code = null;
    } else {
      // code in a list is set in as its fence is
      lines.push(fence !== null && line.startsWith(margin) ? line.slice(margin.length) : line);
    }
  }
  close();
  return found;
}

export type Align = "left" | "center" | "right";

export interface Item {
  /** Spaces before it, and how many items it stands in. */
  indent: number;
  depth: number;
  /** What stands before it: a bullet or its number. */
  mark: string;
  text: string;
}

export type Block =
  | { kind: "text" | "quote"; text: string }
  | { kind: "heading"; level: number; text: string }
  | { kind: "list"; items: Item[] }
  | { kind: "table"; head: string[]; aligned: Align[]; rows: string[][] }
  | { kind: "rule" };

const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)[\s#]*$/;
const ITEM = /^(\s*)(?:[-*+]|(\d{1,3}[.)]))\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
/** The line below a table's head. */
const DASHES = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Read prose as blocks. What does not follow a rule of these is text. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const lines = text.split("\n");
  let gap = true;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      gap = true;
      continue;
    }
    const table = tableAt(lines, at);
    if (table) {
      found.push(table);
      at += table.rows.length + 1;
    } else {
      add(found, line, gap);
    }
    gap = table !== null;
  }
  return found;
}

/** Add a line to the last block, if that goes on there, else as a block of its own. */
function add(found: Block[], line: string, gap: boolean): void {
  const last = found.at(-1);
  const [, signs, title = ""] = HEADING.exec(line) ?? [];
  const quoted = QUOTE.exec(line)?.[1];
  const item = ITEM.exec(line);
  if (RULE.test(line)) found.push({ kind: "rule" });
  else if (signs) found.push({ kind: "heading", level: signs.length, text: title });
  else if (quoted !== undefined) grow(found, "quote", quoted, gap);
  else if (item) {
    const [, margin = "", mark = "•", text = ""] = item;
    const indent = margin.length;
    const items = last?.kind === "list" && !(gap && indent === 0 && other(last, mark)) ? last.items : [];
    if (items.length === 0) found.push({ kind: "list", items });
    const above = items.findLast((one) => one.indent <= indent);
    const depth = above ? above.depth + Number(above.indent < indent) : 0;
    items.push({ indent, depth, mark, text });
  } else if (last?.kind === "list" && (!gap || line.startsWith("  "))) {
    const owner = last.items.at(-1);
    if (owner) owner.text += `\n${line.trim()}`;
  } else grow(found, "text", line, gap);
}

/** Whether a list is numbered and a mark is a bullet, or the other way round. */
function other(list: Extract<Block, { kind: "list" }>, mark: string): boolean {
  return (list.items[0]?.mark === "•") !== (mark === "•");
}

function grow(found: Block[], kind: "text" | "quote", text: string, gap: boolean): void {
  const last = found.at(-1);
  if (last?.kind === kind && !gap) last.text += `\n${text}`;
  else found.push({ kind, text });
}

/** The table that begins at a line, whose next line are its dashes; rows are as long as its head. */
function tableAt(lines: string[], at: number): Extract<Block, { kind: "table" }> | null {
  const under = lines[at + 1] ?? "";
  if (!under.includes("|") || !DASHES.test(under)) return null;
  const head = cells(lines[at] ?? "");
  const dashes = cells(under);
  if (dashes.length !== head.length) return null;
  const rows: string[][] = [];
  for (const line of lines.slice(at + 2)) {
    if (!line.includes("|")) break;
    const row = cells(line);
    rows.push(head.map((_, place) => row[place] ?? ""));
  }
  const aligned = dashes.map((dash) =>
    /:$/.test(dash) ? (dash.startsWith(":") ? "center" : "right") : "left",
  );
  return { kind: "table", head, aligned, rows };
}

function cells(line: string): string[] {
  const inner = line.trim().replace(/^\||(?<!\\)\|$/g, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

export interface Run {
  kind: "text" | "code" | "strong" | "em" | "link";
  text: string;
  /** Where a link leads: http or https, nowhere else. */
  href?: string;
}

/** Code; bold; emphasis; a link with words; an address. */
const RUN =
  /`([^`\n]+)`|(?<!\w)(\*\*|__)(?=\S)(.+?)\2|(?<![\w*])([*_])(?=[^\s*_])([^*_\n]*?[^\s*_])\4(?![\w*])|!?\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>"')\]]*[\w/])/;
/** What a split by it gives: a text, then its eight groups, and so on. */
const STRIDE = 9;

/** Read the marks within a line. One that is not closed, as while a text streams in, is text. */
export function runs(text: string): Run[] {
  const found: Run[] = [];
  const pieces: (string | undefined)[] = text.split(RUN);
  for (let at = 0; at < pieces.length; at += STRIDE) {
    const [before, code, , strong, , em, words, href, bare] = pieces.slice(at, at + STRIDE);
    if (before) found.push({ kind: "text", text: before });
    if (code) found.push({ kind: "code", text: code });
    if (strong) found.push({ kind: "strong", text: strong });
    if (em) found.push({ kind: "em", text: em });
    const address = href ?? bare;
    if (address) found.push({ kind: "link", text: words ?? address, href: address });
  }
  return found;
}
