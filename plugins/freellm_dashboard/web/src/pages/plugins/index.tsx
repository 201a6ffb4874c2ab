import { useId, useState } from "react";
import { useApi } from "@/api/queries";
import type { PluginRow, Plugins } from "@/api/types";
import { Card, CopyField, Lines, Loaded, Page, Section, Status, type Tone } from "@/components";
import { IconChevronDown } from "@/components/icons";
import { plural } from "@/format/numbers";
import { sentence } from "@/format/words";
import styles from "./plugins.module.css";

const STATUS: Record<PluginRow["status"], Tone> = {
  loaded: "good",
  "on demand": "idle",
  disabled: "idle",
  quarantined: "bad",
  refused: "bad",
};

const GROUPS: readonly [kind: PluginRow["kind"], title: string, hint: string][] = [
  ["provider", "Providers", "Who can be asked"],
  ["plugin", "Features", "What else the server does"],
  ["command", "Commands", "Loaded only when they are run"],
];

function Row({ plugin }: { plugin: PluginRow }) {
  const [opened, setOpened] = useState(false);
  const list = useId();
  return (
    <li>
      <div className={styles.row}>
        <div className={styles.words}>
          <div className={styles.name}>
            <h3>{plugin.id}</h3>
            <span className={styles.muted}>
              {plugin.package} {plugin.version}
            </span>
          </div>
          <p className={styles.muted}>{plugin.summary}</p>
        </div>
        {plugin.hooks.length > 0 && (
          <button
            type="button"
            className={styles.toggle}
            aria-expanded={opened}
            aria-controls={list}
            onClick={() => setOpened(!opened)}
          >
            {plural(plugin.hooks.length, "hook")}
            <IconChevronDown size={14} aria-hidden />
          </button>
        )}
        <span className={styles.status}>
          <Status tone={STATUS[plugin.status]}>{plugin.status}</Status>
        </span>
        {plugin.reason && <p className={styles.reason}>{sentence(plugin.reason)}</p>}
        <ul id={list} className={styles.hooks} hidden={!opened}>
          {plugin.hooks.map((hook) => (
            <li key={hook}>{hook}</li>
          ))}
        </ul>
      </div>
    </li>
  );
}

/** The plugins of one kind; those that do not work come first. */
function Group({ title, hint, plugins }: { title: string; hint: string; plugins: PluginRow[] }) {
  if (plugins.length === 0) return null;
  const sorted = [...plugins].sort(
    (a, b) => Number(STATUS[b.status] === "bad") - Number(STATUS[a.status] === "bad"),
  );
  return (
    <Section title={`${title} (${plugins.length})`} hint={hint}>
      <Card padded={false}>
        <ul className={styles.rows}>
          {sorted.map((plugin) => (
            <Row key={`${plugin.kind} ${plugin.id}`} plugin={plugin} />
          ))}
        </ul>
      </Card>
    </Section>
  );
}

/** Every installed plugin, whether it works and why not, and how to get more. */
export default function PluginsPage() {
  const query = useApi<Plugins>("/plugins");
  return (
    <Page title="Plugins" subtitle="Everything but the core is one" width="narrow">
      <Loaded query={query} skeleton={<Lines count={8} height={56} />}>
        {(data) => (
          <>
            {GROUPS.map(([kind, title, hint]) => (
              <Group
                key={kind}
                title={title}
                hint={hint}
                plugins={data.plugins.filter((each) => each.kind === kind)}
              />
            ))}
            <Section title="Install more" hint="The server picks them up when it starts">
              <Card>
                <ul className={styles.install}>
                  {data.install.map((way) => (
                    <li key={way.title}>
                      <span>{way.title}</span>
                      <CopyField value={way.command} what={way.title} />
                    </li>
                  ))}
                  <li>
                    <span>Single-file plugins go into this folder</span>
                    <CopyField value={data.folder} what="the folder" />
                  </li>
                </ul>
              </Card>
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
