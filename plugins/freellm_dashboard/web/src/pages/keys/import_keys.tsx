import { Button, Modal, Switch, Textarea, VisuallyHidden } from "@mantine/core";
import { type ChangeEvent, useState } from "react";
import { api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { Imported, ImportedKey } from "@/api/types";
import { notify, Problem, Status, type Tone, useReturnFocus } from "@/components";
import { IconFileImport } from "@/components/icons";
import { plural } from "@/format/numbers";
import { sentence } from "@/format/words";
import styles from "./keys.module.css";

const OUTCOMES: Record<ImportedKey["outcome"], [tone: Tone, word: string]> = {
  take: ["accent", "to be added"],
  stored: ["good", "added"],
  known: ["idle", "there already"],
  refused: ["bad", "refused"],
  wrong: ["warn", "unusable"],
};

function Found({ found }: { found: Imported }) {
  return (
    <>
      {found.keys.length === 0 && <p>No provider's key is in there.</p>}
      <ul className={styles.found}>
        {found.keys.map((key) => {
          const [tone, word] = OUTCOMES[key.outcome];
          return (
            <li key={`${key.provider} ${key.variable}`}>
              <div className={styles.who}>
                {key.provider} <span className={styles.masked}>{key.masked}</span>
                <div className={styles.muted}>
                  {key.variable}
                  {key.reason && `: ${sentence(key.reason)}`}
                </div>
              </div>
              <Status tone={tone}>{word}</Status>
            </li>
          );
        })}
      </ul>
      {found.ignored.length > 0 && (
        <p className={styles.muted}>
          Left alone: {found.ignored.slice(0, 12).join(", ")}
          {found.ignored.length > 12 && ` and ${found.ignored.length - 12} more`}
        </p>
      )}
    </>
  );
}

/** Take the keys of a `.env` file, after a preview of what would be taken. */
export function ImportKeys({ close }: { close: () => void }) {
  useReturnFocus();
  const [text, setText] = useState("");
  const [check, setCheck] = useState(true);
  const [found, setFound] = useState<Imported | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const send = async (preview: boolean) => {
    setBusy(true);
    setError(null);
    try {
      const answer = await api.post<Imported>("/keys/import", { text, preview, check });
      setFound(answer);
      if (!preview) {
        await refresh("keys", "providers", "overview", "models");
        notify(`${plural(answer.keys.filter((key) => key.outcome === "stored").length, "key")} added`);
        setText("");
      }
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.currentTarget.files?.[0];
    if (file) setText(await file.text());
    setFound(null);
  };
  const fresh = found?.preview ? found.keys.filter((key) => key.outcome === "take").length : 0;
  const finished = found !== null && !found.preview;
  return (
    <Modal opened onClose={close} title="Import keys from .env">
      <div className={styles.form}>
        {!finished && (
          <>
            <Textarea
              label="The file's text"
              description="Paste it, or choose the file. It goes to this server only; the preview stores nothing."
              placeholder={"GROQ_API_KEY=…\nGEMINI_API_KEY=…"}
              autosize
              minRows={5}
              maxRows={12}
              spellCheck={false}
              autoComplete="off"
              data-autofocus
              value={text}
              onChange={(event) => {
                setText(event.currentTarget.value);
                setFound(null);
              }}
            />
            <div>
              <Button
                component="label"
                className={styles.file}
                leftSection={<IconFileImport size={16} aria-hidden />}
              >
                Choose a file
                <VisuallyHidden>
                  <input type="file" onChange={read} />
                </VisuallyHidden>
              </Button>
            </div>
            <Switch
              label="Ask each provider whether its key works"
              checked={check}
              onChange={(event) => setCheck(event.currentTarget.checked)}
            />
          </>
        )}
        {found && <Found found={found} />}
        {error !== null && <Problem error={error} />}
        <div className={styles.buttons}>
          <Button onClick={close}>{finished ? "Close" : "Cancel"}</Button>
          {!finished && fresh === 0 && (
            <Button
              variant="filled"
              disabled={text.trim() === ""}
              loading={busy}
              onClick={() => void send(true)}
            >
              Preview
            </Button>
          )}
          {fresh > 0 && (
            <Button variant="filled" loading={busy} onClick={() => void send(false)}>
              Add {plural(fresh, "key")}
            </Button>
          )}
        </div>
      </div>
    </Modal>
  );
}
