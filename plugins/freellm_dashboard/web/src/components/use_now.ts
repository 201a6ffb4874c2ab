import { useSyncExternalStore } from "react";

// One clock for the whole page, so that everything that counts does so in step.
let now = Date.now() / 1_000;
let timer: number | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now() / 1_000;
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    window.clearInterval(timer);
    timer = null;
  };
}

/** Unix time in seconds, anew every second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
