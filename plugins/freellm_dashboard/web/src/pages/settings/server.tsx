import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { send } from "@/api/client";
import type { Settings } from "@/api/types";
import { Card, CopyField, notify, notifyProblem, Section } from "@/components";
import { bytes } from "@/format/numbers";
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

/** How the server is set up, and by whom. */
export function Server({ settings }: { settings: Settings }) {
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
        <table className={styles.settings}>
          <tbody>
            {settings.settings.map((setting) => (
              <tr key={setting.name}>
                <th scope="row">
                  <code>{setting.name}</code>
                  <div className={styles.help}>{setting.help}</div>
                </th>
                <td>
                  <code>{setting.value || "–"}</code>
                </td>
                <td className={`${styles.muted} ${styles.source}`}>{setting.source}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
    </Section>
  );
}
