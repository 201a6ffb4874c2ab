import { Button, Drawer, Menu } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { notify, notifyProblem, Page, ToolButton, useQueryParam } from "@/components";
import { IconAdjustmentsHorizontal, IconCode, IconColumns, IconTrash } from "@/components/icons";
import { listed } from "../search_params";
import { Chat } from "./chat";
import styles from "./chat.module.css";
import {
  addColumn,
  type Conversation,
  clear,
  MOST_COLUMNS,
  nextBody,
  setColumns,
  useConversation,
} from "./conversation";
import { asCurl, asPython } from "./requests";
import { SetupPanel } from "./setup_panel";

/** A chat with any model, or with up to four at once. */
export default function PlaygroundPage() {
  const conversation = useConversation();
  const { columns } = conversation;
  const roomy = useMediaQuery("(min-width: 75rem)", true, { getInitialValueInEffect: false });
  const wide = roomy && columns.length <= 2; // more answers need the setup's room
  const [open, setOpen] = useState(false);
  useModelsOfAddress(conversation);
  return (
    <Page
      title="Playground"
      subtitle="Ask, compare, see who answered"
      wide
      actions={
        <>
          {!wide && (
            <Button
              leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}
              onClick={() => setOpen(true)}
            >
              Setup
            </Button>
          )}
          <ToolButton
            icon={IconColumns}
            disabled={columns.length >= MOST_COLUMNS}
            onClick={() => addColumn(columns.at(-1)?.model === "auto" ? "auto:fast" : "auto")}
          >
            Compare
          </ToolButton>
          <CopyAs conversation={conversation} />
          <ToolButton icon={IconTrash} disabled={conversation.turns.length === 0} onClick={clear}>
            Clear
          </ToolButton>
        </>
      }
    >
      <div className={styles.layout} data-wide={wide || undefined}>
        <Chat conversation={conversation} />
        {wide ? (
          <aside className={styles.aside} aria-label="Setup">
            <SetupPanel setup={conversation.setup} />
          </aside>
        ) : (
          <Drawer opened={open} onClose={() => setOpen(false)} position="right" title="Setup">
            <SetupPanel setup={conversation.setup} />
          </Drawer>
        )}
      </div>
    </Page>
  );
}

/** The address names the models, such as `?model=auto:fast,groq/llama`; what is chosen is written back to it. */
function useModelsOfAddress({ columns }: Conversation): void {
  const [named, setNamed] = useQueryParam("model");
  const read = useRef<string | null>(null);
  const chosen = columns.map((column) => column.model).join(",");
  useEffect(() => {
    if (named !== "" && named !== read.current) {
      // a link was followed
      read.current = named;
      if (named !== chosen) setColumns(listed(named));
    } else if (chosen !== named) {
      read.current = chosen;
      setNamed(chosen === "auto" ? "" : chosen);
    }
  }, [named, chosen, setNamed]);
}

/** The request of the first column as a program. */
function CopyAs({ conversation }: { conversation: Conversation }) {
  const column = conversation.columns[0];
  if (!column) return null;
  const copy = async (write: typeof asCurl, what: string) => {
    const again = {
      ...conversation,
      turns: conversation.turns.map(withoutLast(column.id, conversation.turns.length - 1)),
    };
    try {
      await navigator.clipboard.writeText(write(location.origin, nextBody(again, column)));
      notify(`Copied as ${what}. The key is taken from OPENAI_API_KEY.`);
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button leftSection={<IconCode size={16} aria-hidden />} disabled={conversation.turns.length === 0}>
          Copy as
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void copy(asCurl, "curl")}>curl</Menu.Item>
        <Menu.Item onClick={() => void copy(asPython, "Python")}>Python</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The newest answer is what the copied program is to ask for again. */
function withoutLast(column: string, last: number) {
  return (turn: Conversation["turns"][number], place: number): Conversation["turns"][number] =>
    place === last && turn.answers[column]
      ? { ...turn, answers: { ...turn.answers, [column]: turn.answers[column].slice(0, -1) } }
      : turn;
}
