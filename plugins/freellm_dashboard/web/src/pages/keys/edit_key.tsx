import { Button, Modal, Switch, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { KeyRow } from "@/api/types";
import { notify, Problem } from "@/components";
import styles from "./keys.module.css";

/** Change what a key is called and whether it is on a paid plan. */
export function EditKey({ row, close }: { row: KeyRow; close: () => void }) {
  const [label, setLabel] = useState(row.label);
  const [unlimited, setUnlimited] = useState(row.unlimited);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.patch<KeyRow>(`/keys/${encodeURIComponent(row.id)}`, { label, unlimited });
      await refresh("keys", "models", "overview");
      notify("Saved");
      close();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={`Key of ${row.title}`} size="md">
      <form className={styles.form} onSubmit={save}>
        <TextInput
          label="Label"
          description="What you call it; it appears in the log"
          maxLength={200}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
          data-autofocus
        />
        <Switch
          label="On a paid plan"
          description="Its use is counted and never refused"
          checked={unlimited}
          onChange={(event) => setUnlimited(event.currentTarget.checked)}
        />
        {error !== null && <Problem error={error} />}
        <div className={styles.buttons}>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="filled" loading={busy}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}
