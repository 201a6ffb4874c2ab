import { createElement, type ReactNode } from "react";
import { Snippet } from "@/components";
import styles from "./answer.module.css";
import { type Block, blocks, parts, runs } from "./marks";

/** A model's text with the marks that models use, drawn; what looks like HTML is text. */
export function Prose({ text }: { text: string }) {
  return (
    <div className={styles.prose}>
      {parts(text).map((part, place) =>
        part.code === null ? (
          <Blocks key={place} text={part.text} />
        ) : (
          <Snippet key={place} value={part.text} what={part.code || "code"} label={part.code} />
        ),
      )}
    </div>
  );
}

function Blocks({ text }: { text: string }) {
  return blocks(text).map((block, place) => <One key={place} block={block} />);
}

function One({ block }: { block: Block }): ReactNode {
  switch (block.kind) {
    case "text":
      return (
        <p>
          <Runs text={block.text} />
        </p>
      );
    case "heading":
      // below the page's own headings, of which there are two
      return createElement(`h${Math.min(6, block.level + 2)}`, null, <Runs text={block.text} />);
    case "quote":
      return (
        <blockquote>
          <Blocks text={block.text} />
        </blockquote>
      );
    case "rule":
      return <hr />;
    case "list":
      return (
        <ul>
          {block.items.map((item, place) => (
            <li key={place} data-depth={Math.min(3, item.depth)}>
              <span className={styles.mark}>{item.mark}</span>
              <span>
                <Runs text={item.text} />
              </span>
            </li>
          ))}
        </ul>
      );
    case "table":
      return <Table block={block} />;
  }
}

function Table({ block }: { block: Extract<Block, { kind: "table" }> }) {
  const row = (tag: "th" | "td", cells: string[]) =>
    cells.map((cell, place) =>
      createElement(
        tag,
        { key: place, "data-align": block.aligned[place], scope: tag === "th" ? "col" : undefined },
        <Runs text={cell} />,
      ),
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll box has to be reachable by keyboard
    <div className={styles.table} tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>{row("th", block.head)}</tr>
        </thead>
        <tbody>
          {block.rows.map((cells, place) => (
            <tr key={place}>{row("td", cells)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Runs({ text }: { text: string }): ReactNode {
  return runs(text).map((run, place) => {
    if (run.kind === "text") return run.text;
    if (run.kind === "code") return <code key={place}>{run.text}</code>;
    // an address in the words of a link would be a link in a link
    const inner = run.text.includes("://") && run.href ? run.text : <Runs text={run.text} />;
    if (run.kind !== "link") return createElement(run.kind, { key: place }, inner);
    return (
      <a key={place} href={run.href} target="_blank" rel="noreferrer">
        {inner}
      </a>
    );
  });
}
