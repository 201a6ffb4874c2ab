import { Button, CloseButton } from "@mantine/core";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { ApiError } from "@/api/client";
import { sentence } from "@/format/words";
import { IconAlertCircle, IconCheck } from "./icons";
import { Marked } from "./marked";
import styles from "./toasts.module.css";

interface Toast {
  id: number;
  tone: "good" | "bad";
  message: ReactNode;
  detail: string;
  undo: (() => void) | undefined;
  /** Milliseconds after which it goes by itself; null: it stays until it is dismissed. */
  stays: number | null;
}

const MOST = 4;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function show(toast: Omit<Toast, "id">): void {
  last += 1;
  change([...toasts, { ...toast, id: last }].slice(-MOST));
}

function hide(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Say briefly that something was done; with `undo`, offer to take it back. */
export function notify(message: ReactNode, undo?: () => void): void {
  show({ tone: "good", message, detail: "", undo, stays: undo ? 8_000 : 4_000 });
}

/** Say that something failed, and the cure; stays until it is dismissed. */
export function notifyProblem(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const cure = error instanceof ApiError ? error.cure : null;
  show({
    tone: "bad",
    message: sentence(message),
    detail: sentence(cure ?? ""),
    undo: undefined,
    stays: null,
  });
}

function Item({ toast }: { toast: Toast }) {
  const { id, stays, undo } = toast;
  useEffect(() => {
    if (stays === null) return;
    const timer = window.setTimeout(() => hide(id), stays);
    return () => window.clearTimeout(timer);
  }, [id, stays]);
  const Icon = toast.tone === "good" ? IconCheck : IconAlertCircle;
  return (
    <li className={styles.toast} data-tone={toast.tone}>
      <Icon size={18} aria-hidden />
      <div className={styles.words}>
        {toast.message}{" "}
        {toast.detail && (
          <span className={styles.detail}>
            <Marked text={toast.detail} />
          </span>
        )}
      </div>
      {undo && (
        <Button
          size="compact-sm"
          onClick={() => {
            hide(id);
            undo();
          }}
        >
          Undo
        </Button>
      )}
      <CloseButton size="sm" aria-label="Dismiss" onClick={() => hide(id)} />
    </li>
  );
}

/** Where toasts appear. Its two lists are there from the start, so that screen readers announce what comes into them. */
export function Toasts() {
  const all = useSyncExternalStore(subscribe, () => toasts);
  const of = (tone: Toast["tone"]) =>
    all.filter((toast) => toast.tone === tone).map((toast) => <Item key={toast.id} toast={toast} />);
  return (
    <div className={styles.region}>
      <ul aria-live="assertive" aria-label="Problems">
        {of("bad")}
      </ul>
      <ul aria-live="polite" aria-label="Messages">
        {of("good")}
      </ul>
    </div>
  );
}
