import { Button, Group, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Problem } from "./states";

/** A question before something that cannot be taken back. `action` may throw; the dialog then says why and stays. */
export function Confirm(props: {
  opened: boolean;
  close: () => void;
  title: string;
  children: ReactNode;
  verb: string;
  action: () => Promise<void>;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const close = () => {
    setError(null);
    props.close();
  };
  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      await props.action();
      close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={props.opened} onClose={close} title={props.title} size="md">
      {props.children}
      {error !== null && <Problem error={error} />}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button variant="filled" color="red" loading={busy} onClick={run}>
          {props.verb}
        </Button>
      </Group>
    </Modal>
  );
}
