import { ActionIcon } from "@mantine/core";
import { useEffect, useRef } from "react";
import { IconSparkles, IconX } from "@/components/icons";

import { AnswerView } from "./answer_view";
import styles from "./chat.module.css";
import { Composer } from "./composer";
import { type Column, type Conversation, chooseModel, removeColumn } from "./conversation";
import { ModelPicker } from "./model_picker";
import type { Prompt, Turn } from "./requests";

/** The columns, what was said, and where one types. */
export function Chat({ conversation }: { conversation: Conversation }) {
  const { columns, turns } = conversation;
  return (
    <div className={styles.chat}>
      <div className={styles.columns}>
        {columns.map((column, place) => (
          <Head key={column.id} column={column} place={place} alone={columns.length === 1} />
        ))}
      </div>
      {turns.length === 0 ? (
        <Welcome />
      ) : (
        <ol className={styles.turns}>
          {turns.map((turn) => (
            <TurnView key={turn.id} turn={turn} columns={columns} />
          ))}
        </ol>
      )}
      <End conversation={conversation} />
      <Composer conversation={conversation} />
    </div>
  );
}

function Head({ column, place, alone }: { column: Column; place: number; alone: boolean }) {
  return (
    <div className={styles.head}>
      <ModelPicker
        label={alone ? "Model" : `Model ${place + 1}`}
        value={column.model}
        onChange={(model) => chooseModel(column.id, model)}
      />
      {!alone && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`Remove ${column.model}`}
          onClick={() => removeColumn(column.id)}
        >
          <IconX size={16} aria-hidden />
        </ActionIcon>
      )}
    </div>
  );
}

function Welcome() {
  return (
    <div className={styles.welcome}>
      <IconSparkles size={28} strokeWidth={1.5} aria-hidden />
      <h2>Ask any model</h2>
      <p>
        Answers stream in as clients get them, with who answered, who was tried before, and how long it took.
        Nothing is kept: a reload forgets it all.
      </p>
    </div>
  );
}

function TurnView({ turn, columns }: { turn: Turn; columns: Column[] }) {
  const taking = columns.filter((column) => turn.answers[column.id]);
  return (
    <li className={styles.turn}>
      <PromptView prompt={turn.prompt} />
      <div className={styles.answers}>
        {taking.map((column) => (
          <div key={column.id} className={styles.answerColumn}>
            {taking.length > 1 && <h3 className={styles.asked}>{column.model}</h3>}
            {turn.answers[column.id]?.map((answer, place, all) => (
              <AnswerView
                key={answer.id}
                answer={answer}
                turn={turn.id}
                column={column.id}
                newest={place === all.length - 1}
              />
            ))}
          </div>
        ))}
      </div>
    </li>
  );
}

function PromptView({ prompt }: { prompt: Prompt }) {
  return (
    <div className={styles.prompt}>
      {prompt.pictures.length > 0 && (
        <div className={styles.pictures}>
          {prompt.pictures.map((picture) => (
            <img key={picture.url} src={picture.url} alt={picture.name} />
          ))}
        </div>
      )}
      {prompt.text}
    </div>
  );
}

/** Keeps the end in sight while it grows, unless the reader has scrolled away from it. */
function End({ conversation }: { conversation: Conversation }) {
  const mark = useRef<HTMLDivElement>(null);
  const near = useRef(true);
  const { turns } = conversation;
  useEffect(() => {
    const look = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      near.current = scrollHeight - scrollTop - clientHeight < 160;
    };
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, []);
  const count = useRef(turns.length);
  useEffect(() => {
    const sent = turns.length > count.current;
    count.current = turns.length;
    if (turns.length > 0 && (sent || near.current)) mark.current?.scrollIntoView({ block: "end" });
  }, [turns]);
  return <div ref={mark} className={styles.end} />;
}
