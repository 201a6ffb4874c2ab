import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertCircle, IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import styles from "./toasts.module.css";

/** Say briefly that something was done; with `undo`, offer to take it back. */
export function notify(message: ReactNode, undo?: () => void): void {
  const id = notifications.show({
    message: undo ? (
      <span className={styles.undo}>
        <span>{message}</span>
        <Button
          size="compact-sm"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          Undo
        </Button>
      </span>
    ) : (
      message
    ),
    icon: <IconCheck size={16} aria-hidden />,
    color: "green",
    autoClose: undo ? 8_000 : 4_000,
    role: "status",
    closeButtonProps: { "aria-label": "Dismiss" },
  });
}

/** Say that something failed, and the cure; stays until it is dismissed. */
export function notifyProblem(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const cure = error instanceof ApiError ? error.cure : null;
  notifications.show({
    title: message,
    message: cure ?? "",
    icon: <IconAlertCircle size={16} aria-hidden />,
    color: "red",
    autoClose: false,
    role: "alert",
    closeButtonProps: { "aria-label": "Dismiss" },
  });
}
