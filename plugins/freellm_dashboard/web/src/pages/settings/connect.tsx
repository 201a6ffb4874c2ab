import { Button } from "@mantine/core";
import { useState } from "react";
import { api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { RevealedKey, Settings, UnifiedKey } from "@/api/types";
import {
  Card,
  Confirm,
  CopyButton,
  CopyField,
  notify,
  notifyProblem,
  Section,
  Snippet,
  useQueryParam,
} from "@/components";
import { IconEye, IconEyeOff, IconRotate } from "@/components/icons";
import styles from "./settings.module.css";
import { CLIENTS, filled, SHOWN_KEY } from "./snippets";

/** The unified key itself: fetched only when it is shown or copied, and never kept in the cache. */
async function reveal(): Promise<string> {
  return (await api.post<RevealedKey>("/apikey/reveal")).api_key;
}

const SOURCES: Record<UnifiedKey["source"], string> = {
  database: "Made by freellm, stored encrypted.",
  FREELLM_API_KEY: "Set by the variable FREELLM_API_KEY; change it there.",
  none: "This server takes requests without a key.",
};

function Rotate({ rotated }: { rotated: (key: string) => void }) {
  const [asking, setAsking] = useState(false);
  const rotate = async () => {
    const { api_key } = await api.post<RevealedKey>("/apikey/rotate");
    await refresh("apikey");
    rotated(api_key);
    notify("The old key is void; give the new one to your clients");
  };
  return (
    <>
      <Button leftSection={<IconRotate size={16} aria-hidden />} onClick={() => setAsking(true)}>
        Rotate
      </Button>
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title="Replace the API key?"
        verb="Replace it"
        action={rotate}
      >
        <p>Every client that sends the old key is refused from now on, until it gets the new one.</p>
      </Confirm>
    </>
  );
}

function KeyLine({ unified }: { unified: UnifiedKey }) {
  const [shown, setShown] = useState<string | null>(null);
  const show = async () => {
    try {
      setShown(shown === null ? await reveal() : null);
    } catch (error) {
      notifyProblem(error);
    }
  };
  if (unified.source === "none") return <p>{SOURCES.none}</p>;
  const Icon = shown === null ? IconEye : IconEyeOff;
  return (
    <div className={styles.lines}>
      <div className={styles.key}>
        <code className={styles.secret}>{shown ?? unified.masked}</code>
        <Button leftSection={<Icon size={16} aria-hidden />} onClick={show}>
          {shown === null ? "Show" : "Hide"}
        </Button>
        <CopyButton value={reveal} primary>
          Copy
        </CopyButton>
        {unified.rotatable && <Rotate rotated={setShown} />}
      </div>
      <p className={styles.muted}>{SOURCES[unified.source]}</p>
    </div>
  );
}

function Snippets({ url, locked }: { url: string; locked: boolean }) {
  const [chosen, choose] = useQueryParam("client", "shell");
  const client = CLIENTS.find((each) => each.id === chosen) ?? CLIENTS[0];
  if (!client) return null;
  const copy = async () => filled(client, url, locked ? await reveal() : "none");
  return (
    <div className={styles.lines}>
      <div className={styles.tabs} role="tablist" aria-label="Client">
        {CLIENTS.map((each) => (
          <button
            key={each.id}
            type="button"
            role="tab"
            aria-selected={each === client}
            className={styles.tab}
            onClick={() => choose(each.id)}
          >
            {each.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={client.title} className={styles.lines}>
        <p className={styles.muted}>{client.hint}</p>
        <Snippet
          value={copy}
          shown={filled(client, url, locked ? SHOWN_KEY : "none")}
          what={`the text for ${client.title}`}
        />
        {locked && client.text.includes("{KEY}") && (
          <p className={styles.muted}>Copying puts your key in; it is not shown here.</p>
        )}
      </div>
    </div>
  );
}

/** The address and the key that clients need, and how each of them is told. */
export function Connect({ settings, unified }: { settings: Settings; unified: UnifiedKey }) {
  return (
    <Section title="Connect a client" hint="One address and one key for every provider">
      <Card className={styles.part}>
        <dl className={styles.lines}>
          <div className={styles.line}>
            <dt>Base URL</dt>
            <dd>
              <CopyField value={settings.openai_base_url} what="the base URL" />
            </dd>
          </div>
          <div className={styles.line}>
            <dt>API key</dt>
            <dd>
              <KeyLine unified={unified} />
            </dd>
          </div>
        </dl>
        <Snippets url={settings.openai_base_url} locked={unified.source !== "none"} />
      </Card>
    </Section>
  );
}
