import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { IconTool } from "@/components/icons";
import styles from "./answer.module.css";
import { type Answer, pretty } from "./answers";
import { giveResults, isOpen } from "./conversation";

interface Props {
  answer: Answer;
  turn: string;
  column: string;
  newest: boolean;
}

/** The calls that a model wants made, and fields for their results. */
export function ToolCalls({ answer, turn, column, newest }: Props) {
  const [results, setResults] = useState<Record<string, string>>({});
  const given = Object.keys(answer.results).length > 0;
  const asks = newest && !isOpen(answer) && !given && answer.status === "done";
  return (
    <form
      className={styles.calls}
      onSubmit={(event) => {
        event.preventDefault();
        giveResults(
          turn,
          column,
          Object.fromEntries(answer.toolCalls.map(({ id }) => [id, results[id] ?? ""])),
        );
      }}
    >
      {answer.toolCalls.map((call) => (
        <div key={call.id} className={styles.call}>
          <p className={styles.callName}>
            <IconTool size={14} aria-hidden />
            <code>{call.name}</code>
          </p>
          <pre>{pretty(call.arguments)}</pre>
          {asks && (
            <Textarea
              label={`Result of ${call.name}`}
              placeholder="What the tool answers, as text or JSON"
              classNames={{ input: styles.code }}
              autosize
              minRows={1}
              maxRows={8}
              value={results[call.id] ?? ""}
              onChange={(event) => setResults({ ...results, [call.id]: event.currentTarget.value })}
            />
          )}
          {given && <pre className={styles.result}>{answer.results[call.id]}</pre>}
        </div>
      ))}
      {asks && (
        <Button type="submit" variant="filled" className={styles.giveResults}>
          {answer.toolCalls.length === 1 ? "Send the result" : "Send the results"}
        </Button>
      )}
    </form>
  );
}
