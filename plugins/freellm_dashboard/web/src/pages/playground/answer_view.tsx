import { ActionIcon, Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { CopyIcon, type Fact, FactList, Status } from "@/components";
import { IconRefresh, IconRoute } from "@/components/icons";
import { compact, count, duration, plural } from "@/format/numbers";
import { Call } from "../analytics/ladder";
import { kind } from "../analytics/rungs";
import styles from "./answer.module.css";
import { type Answer, type Attempt, type Refusal, tokensPerSecond } from "./answers";
import { again, chooseModel, isOpen } from "./conversation";
import { Prose } from "./prose";
import { ToolCalls } from "./tool_calls";

interface Props {
  answer: Answer;
  turn: string;
  column: string;
  /** Whether it is the newest of its column in this turn: only that can be asked for again. */
  newest: boolean;
}

/** One answer: what it says, and below it who said it and how long it took. */
export function AnswerView({ answer, turn, column, newest }: Props) {
  const [why, setWhy] = useState(false);
  const open = isOpen(answer);
  return (
    <article
      className={styles.answer}
      aria-busy={open}
      aria-label={`Answer of ${answer.routedVia ?? answer.requested}`}
    >
      {answer.status === "waiting" && <Waiting answer={answer} />}
      {answer.reasoning && (
        <details className={styles.reasoning} open={open && answer.text === ""}>
          <summary>Reasoning</summary>
          <p>{answer.reasoning}</p>
        </details>
      )}
      {answer.text && <Prose text={answer.text} />}
      {answer.toolCalls.length > 0 && (
        <ToolCalls answer={answer} turn={turn} column={column} newest={newest} />
      )}
      {answer.status === "done" && answer.text === "" && answer.toolCalls.length === 0 && (
        <p className={styles.faint}>The answer is empty.</p>
      )}
      {answer.status === "stopped" && (
        <span className={styles.stopped}>
          <Status tone="idle">stopped by you</Status>
        </span>
      )}
      {answer.error && <Failure error={answer.error} choose={(model) => chooseModel(column, model)} />}
      {!open && (
        <footer className={styles.foot}>
          <Facts answer={answer} />
          <span className={styles.footActions}>
            {answer.requestId && (
              <Button
                variant="subtle"
                color="gray"
                size="compact-sm"
                leftSection={<IconRoute size={14} aria-hidden />}
                aria-expanded={why}
                onClick={() => setWhy(!why)}
              >
                Why
              </Button>
            )}
            {answer.text && <CopyIcon value={answer.text} what="answer" />}
            {newest && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label="Ask again"
                title="Ask again"
                onClick={() => again(turn, column)}
              >
                <IconRefresh size={16} aria-hidden />
              </ActionIcon>
            )}
          </span>
        </footer>
      )}
      {why && answer.requestId && <Call id={answer.requestId} brief />}
    </article>
  );
}

function Waiting({ answer }: { answer: Answer }) {
  return (
    <p className={styles.waiting} role="status">
      <span className={styles.pulse} aria-hidden />
      {answer.routedVia ? `${answer.routedVia} answers` : `Asking ${answer.requested}`}
    </p>
  );
}

/** Who answered and what it took. */
function Facts({ answer }: { answer: Answer }) {
  const speed = tokensPerSecond(answer);
  const { usage } = answer;
  const facts: Fact[] = [];
  if (answer.routedVia) facts.push(["via", <strong key="via">{answer.routedVia}</strong>]);
  if (answer.failedCount > 0) facts.push(["after", <Trail key="after" answer={answer} />]);
  if (answer.queueMs) facts.push(["waited", duration(answer.queueMs)]);
  if (answer.firstTokenMs !== null) facts.push(["first token", duration(answer.firstTokenMs)]);
  if (answer.ms !== null) facts.push(["took", duration(answer.ms)]);
  if (usage) {
    const mark = answer.usageEstimated ? "≈ " : "";
    facts.push(["tokens", `${mark}${count(usage.prompt_tokens)} in, ${count(usage.completion_tokens)} out`]);
  }
  if (speed !== null) facts.push(["writes", `${compact(Math.round(speed))} tokens/s`]);
  if (answer.finishReason && answer.finishReason !== "stop") facts.push(["ended by", answer.finishReason]);
  if (answer.droppedParameters.length > 0) facts.push(["without", answer.droppedParameters.join(", ")]);
  return <FactList facts={facts} className={styles.factList} />;
}

function Trail({ answer }: { answer: Answer }) {
  const words = plural(answer.failedCount, "failed attempt");
  return (
    <span title={trail(answer.failed)}>{answer.failed.length === 1 ? trail(answer.failed) : words}</span>
  );
}

function trail(failed: Attempt[]): string {
  return failed.map((one) => `${one.route} (${kind(one.kind)})`).join(", ");
}

/** What went wrong, what to do, and what was tried. */
function Failure({ error, choose }: { error: Refusal; choose: (model: string) => void }) {
  return (
    <div className={styles.failure} role="alert">
      <p>{error.message}</p>
      {error.cure && (
        <p className={styles.cure}>
          {error.cure} {error.code === "no_providers_configured" && <Link href="/keys">Add a key</Link>}
        </p>
      )}
      {error.suggestions.length > 0 && (
        <p className={styles.suggestions}>
          Did you mean
          {error.suggestions.slice(0, 4).map((name) => (
            <Button key={name} size="compact-sm" onClick={() => choose(name)}>
              {name}
            </Button>
          ))}
        </p>
      )}
      {error.attempts.length > 0 && (
        <ul className={styles.attempts}>
          {error.attempts.map((attempt, place) => (
            <li key={`${place}${attempt.route}`}>
              {attempt.route} <span className={styles.faint}>{kind(attempt.kind)}</span>
              {attempt.ms !== null && <span className={styles.faint}> · {duration(attempt.ms)}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
