import { ActionIcon, Button, Menu, Switch } from "@mantine/core";
import { type ReactNode, type Ref, useRef, useState } from "react";
import { api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { Cooldown, KeyRow, RemovedKey } from "@/api/types";
import { Ago, ClearCooldown, Confirm, Countdown, notify, Status, useAction } from "@/components";
import { IconDots, IconPencil, IconRefresh, IconTrash } from "@/components/icons";
import { sentence } from "@/format/words";
import { kind } from "@/pages/analytics/rungs";
import { EditKey } from "./edit_key";
import { standing } from "./key_states";
import styles from "./keys.module.css";

function CooldownChip({ cooldown }: { cooldown: Cooldown }) {
  return (
    <li className={styles.cooldown}>
      <span>
        {cooldown.what}: {cooldown.kind ? kind(cooldown.kind) : "closed"}
        {cooldown.stated ? "" : " (guess)"}, opens in <Countdown at={cooldown.until} over="a moment" />
      </span>
      <ClearCooldown cooldown={cooldown} size="compact-xs" />
    </li>
  );
}

/** Why it stands so, and what to do; nothing for one that was not tried yet, where its button says it. */
function words(key: KeyRow): string {
  if (key.state === "untested") return sentence(key.reason);
  return [key.reason, key.fix ?? ""].filter(Boolean).map(sentence).join(" ");
}

function name(key: KeyRow): string {
  return key.label || key.masked || key.title;
}

function KeyMenu(props: {
  row: KeyRow;
  button: Ref<HTMLButtonElement>;
  edit: () => void;
  remove: () => void;
}) {
  const { row, button, edit, remove } = props;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon ref={button} variant="default" size={30} aria-label={`More for the key ${name(row)}`}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={edit}>
          Edit label and plan
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** What is said of where a key is kept; nothing of the usual, which is here and encrypted. */
const SOURCES: Record<KeyRow["source"], string> = {
  stored: "",
  environment: "from the environment",
  keyless: "no key needed",
};

function Who({ row }: { row: KeyRow }) {
  const notes = [SOURCES[row.source], row.unlimited ? "paid plan" : ""]
    .filter((note) => note && note !== row.label)
    .join(", ");
  return (
    <div className={styles.who}>
      {row.label || (row.masked ? "" : row.title)} <span className={styles.masked}>{row.masked}</span>{" "}
      {notes && <span className={styles.source}>{notes}</span>}
    </div>
  );
}

/** One key: what it is, how it stands and why, and everything that can be done with it. */
export function KeyItem({ row, extra }: { row: KeyRow; extra?: ReactNode }) {
  const [checking, check] = useAction();
  const [switching, change] = useAction();
  const [dialog, setDialog] = useState<"edit" | "remove" | null>(null);
  const menu = useRef<HTMLButtonElement>(null);
  // The menu's item, which had the focus before the dialog, is gone by now.
  const close = () => {
    setDialog(null);
    menu.current?.focus();
  };
  const [tone, word] = standing(row);
  const path = `/keys/${encodeURIComponent(row.id)}`;

  const checkNow = () =>
    check(async () => {
      const checked = await api.post<KeyRow>(`${path}/check`);
      await refresh("keys", "providers", "overview");
      if (checked.state === "valid") notify(`${checked.title}: the key works`);
    });
  const enable = (enabled: boolean) =>
    change(async () => {
      await api.patch<KeyRow>(path, { enabled });
      await refresh("keys", "providers", "overview", "models");
    });
  const remove = async () => {
    await api.delete<RemovedKey>(path);
    await refresh("keys", "providers", "overview", "models");
    notify(`The key ${name(row)} is gone`);
  };
  return (
    <li className={styles.key} data-off={row.enabled ? undefined : true}>
      <Who row={row} />
      <div className={styles.keyActions}>
        <Button
          size="compact-sm"
          loading={checking}
          onClick={checkNow}
          leftSection={<IconRefresh size={14} aria-hidden />}
          aria-label={`Check the key ${name(row)} now`}
        >
          Check
        </Button>
        {row.editable && (
          <>
            <Switch
              checked={row.enabled}
              disabled={switching}
              onChange={(event) => void enable(event.currentTarget.checked)}
              aria-label={`Use the key ${name(row)}`}
            />
            <KeyMenu
              row={row}
              button={menu}
              edit={() => setDialog("edit")}
              remove={() => setDialog("remove")}
            />
          </>
        )}
      </div>
      <div className={styles.standing}>
        <Status tone={tone}>{word}</Status>
        <span className={styles.reason}>{words(row)}</span>
        <span className={styles.checked}>
          {row.checked_at === null ? (
            "never checked"
          ) : (
            <>
              checked <Ago at={row.checked_at} />
            </>
          )}
        </span>
        {extra}
      </div>
      {row.closed.length > 0 && (
        <ul className={styles.cooldowns}>
          {row.closed.map((cooldown) => (
            <CooldownChip key={cooldown.what} cooldown={cooldown} />
          ))}
        </ul>
      )}
      <Confirm
        opened={dialog === "remove"}
        close={close}
        title={`Remove this key of ${row.title}?`}
        verb="Remove the key"
        action={remove}
      >
        <p>
          {row.masked && <code>{row.masked}</code>} is deleted here for good; at {row.title} it stays valid.{" "}
          {row.models.length > 0 && `${row.models.length} models may lose their only key.`}
        </p>
      </Confirm>
      {dialog === "edit" && <EditKey row={row} close={close} />}
    </li>
  );
}
