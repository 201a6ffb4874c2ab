import { ActionIcon, Button, Textarea } from "@mantine/core";
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { notifyProblem } from "@/components";
import { IconArrowUp, IconPhotoPlus, IconPlayerStopFilled, IconRoute, IconX } from "@/components/icons";
import styles from "./composer.module.css";
import { type Conversation, isRunning, send, stop } from "./conversation";
import { ExplainDialog } from "./explain_dialog";
import { MOST, pictures } from "./pictures";
import { type Picture, type Prompt, parsedTools } from "./requests";

/** Where one types, drops and pastes. */
export function Composer({ conversation }: { conversation: Conversation }) {
  const [text, setText] = useState("");
  const [shown, setShown] = useState<Picture[]>([]);
  const [dropping, setDropping] = useState(false);
  const [explained, setExplained] = useState<Prompt | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const running = isRunning(conversation);
  const wrong = parsedTools(conversation.setup.tools).wrong;
  const prompt: Prompt = { text: text.trim(), pictures: shown };
  const empty = prompt.text === "" && shown.length === 0;

  const take = async (files: Iterable<File>) => {
    try {
      const read = await pictures(files);
      setShown((before) => [...before, ...read].slice(0, MOST));
    } catch (error) {
      notifyProblem(error);
    }
  };
  const submit = () => {
    if (empty || running || wrong) return;
    send(prompt);
    setText("");
    setShown([]);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    void take(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setDropping(false);
    void take(event.dataTransfer.files);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one of three ways; the button beside is another
    <div
      className={styles.composer}
      data-dropping={dropping || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={onDrop}
    >
      <Thumbnails pictures={shown} remove={(place) => setShown(shown.filter((_, one) => one !== place))} />
      <Textarea
        ref={field}
        variant="unstyled"
        aria-label="Prompt"
        placeholder="Ask something"
        autosize
        minRows={1}
        maxRows={10}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        data-autofocus
      />
      {wrong && <p className={styles.wrong}>Tools: {wrong}</p>}
      <div className={styles.composerBar}>
        <Attach take={take} />
        <Button
          variant="subtle"
          color="gray"
          aria-label="Who would answer?"
          title="Who would answer? Asks nobody"
          leftSection={<IconRoute size={16} aria-hidden />}
          disabled={empty || wrong !== null}
          onClick={() => setExplained(prompt)}
        >
          <span className={styles.roomy}>Who would answer?</span>
        </Button>
        <span className={styles.keys}>
          <kbd>Enter</kbd> sends, <kbd>Shift Enter</kbd> breaks the line
        </span>
        {running ? (
          <Button
            variant="filled"
            color="dark"
            leftSection={<IconPlayerStopFilled size={14} aria-hidden />}
            onClick={() => stop()}
          >
            Stop
          </Button>
        ) : (
          <Button
            variant="filled"
            leftSection={<IconArrowUp size={16} aria-hidden />}
            disabled={empty || wrong !== null}
            onClick={submit}
          >
            Send
          </Button>
        )}
      </div>
      <ExplainDialog conversation={conversation} prompt={explained} close={() => setExplained(null)} />
    </div>
  );
}

function Attach({ take }: { take: (files: Iterable<File>) => Promise<void> }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        onChange={(event) => {
          void take([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = ""; // the same file may be chosen again
        }}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label="Add pictures"
        title="Add pictures; they can be pasted and dropped, too"
        onClick={() => input.current?.click()}
      >
        <IconPhotoPlus size={18} aria-hidden />
      </ActionIcon>
    </>
  );
}

function Thumbnails({ pictures: shown, remove }: { pictures: Picture[]; remove: (place: number) => void }) {
  if (shown.length === 0) return null;
  return (
    <ul className={styles.thumbnails}>
      {shown.map((picture, place) => (
        <li key={`${place}${picture.name}`}>
          <img src={picture.url} alt={picture.name} />
          <ActionIcon
            variant="filled"
            color="dark"
            radius="xl"
            size={24}
            aria-label={`Remove ${picture.name}`}
            onClick={() => remove(place)}
          >
            <IconX size={14} aria-hidden />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}
