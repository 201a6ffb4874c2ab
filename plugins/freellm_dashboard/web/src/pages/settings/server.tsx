import { Button } from "@mantine/core";
import { useState } from "react";
import { send } from "@/api/client";
import type { Setting, Settings } from "@/api/types";
import { Card, CopyField, Marked, notify, notifyProblem, Section } from "@/components";
import { IconDownload } from "@/components/icons";
import { bytes, plural } from "@/format/numbers";
import styles from "./settings.module.css";

/** The name that the server gave a download, or ours. */
function fileName(response: Response): string {
  const header = response.headers.get("Content-Disposition") ?? "";
  return /filename="([^"/\\]+)"/.exec(header)?.[1] ?? `freellm-${new Date().toISOString().slice(0, 10)}.db`;
}

async function download(): Promise<string> {
  const response = await send("POST", "/backup");
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(response);
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return link.download;
}

/** A consistent copy of the database, to keep. */
export function Backup({ settings }: { settings: Settings }) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      notify(`Saved as ${await download()}`);
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title="Backup">
      <Card className={styles.part}>
        <p>
          The database ({bytes(settings.database_bytes)}) as one file: keys stay encrypted in it, and the
          master key that opens them is not inside. Keep a copy of that one, too, in another place.
        </p>
        <div className={styles.buttons}>
          <Button loading={busy} onClick={run} leftSection={<IconDownload size={16} aria-hidden />}>
            Download a backup
          </Button>
        </div>
      </Card>
    </Section>
  );
}

function Rows({ settings }: { settings: Setting[] }) {
  return (
    <ul className={styles.settings}>
      {settings.map((setting) => (
        <li key={setting.name}>
          <div>
            <code>{setting.name}</code>
            <p className={styles.muted}>
              <Marked text={setting.help} />
            </p>
          </div>
          {/* of a table in JSON, each entry on a line */}
          <code className={styles.settingValue}>{setting.value.replaceAll(',"', ',\n"') || "not set"}</code>
          <span className={styles.muted}>{setting.source}</span>
        </li>
      ))}
    </ul>
  );
}

/** How the server is set up, and by whom: what somebody set, and behind a click what is as it comes. */
export function Server({ settings }: { settings: Settings }) {
  const changed = settings.settings.filter((setting) => setting.source !== "default");
  const others = settings.settings.filter((setting) => setting.source === "default");
  return (
    <Section title="Server" hint={`freellm ${settings.version}, Python ${settings.python}`}>
      <Card className={styles.part}>
        <dl className={styles.lines}>
          <div className={styles.line}>
            <dt>Settings file</dt>
            <dd>
              <CopyField value={settings.config_file} what="the path of the settings file" />
            </dd>
          </div>
          <div className={styles.line}>
            <dt>Data folder</dt>
            <dd>
              <CopyField value={settings.data_dir} what="the path of the data folder" />
            </dd>
          </div>
        </dl>
      </Card>
      <Card padded={false}>
        <Rows settings={changed} />
        <details className={styles.others}>
          <summary>{plural(others.length, "setting")} as they come</summary>
          <Rows settings={others} />
        </details>
      </Card>
    </Section>
  );
}
