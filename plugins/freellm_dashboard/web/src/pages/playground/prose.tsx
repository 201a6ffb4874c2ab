import { Marked, Snippet } from "@/components";
import styles from "./answer.module.css";
import { type Line, lines, parts } from "./marks";

/** A model's text with its commonest marks: fenced code, headings, bullets, bold and code. Never taken for markup. */
export function Prose({ text }: { text: string }) {
  return (
    <div className={styles.prose}>
      {parts(text).map((part, place) =>
        part.code === null ? (
          <Words key={place} text={part.text} />
        ) : (
          <Snippet key={place} value={part.text} what={part.code || "code"} />
        ),
      )}
    </div>
  );
}

function Words({ text }: { text: string }) {
  return (
    <div>
      {lines(text).map((line, place) => (
        <p key={place} data-kind={line.kind}>
          {line.mark && <span className={styles.mark}>{line.mark}</span>}
          <span>
            <Runs line={line} />
          </span>
        </p>
      ))}
    </div>
  );
}

function Runs({ line }: { line: Line }) {
  return line.runs.map((run, place) =>
    run.bold ? (
      <strong key={place}>
        <Marked text={run.text} />
      </strong>
    ) : (
      <Marked key={place} text={run.text} />
    ),
  );
}
