import { useEffect, useSyncExternalStore } from "react";
import { type Activity, LiveFeed, type Status, type Stream } from "./live";
import { queries, refresh } from "./queries";

interface Live extends Activity {
  status: Status;
}

let live: Live = { status: "off", under_way: 0, last: null };
const listeners = new Set<() => void>();

function change(part: Partial<Live>): void {
  live = { ...live, ...part };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The connection's status and the requests that are under way. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}

/** Follow the server's notices for as long as the component is there. */
export function useLiveFeed(signedOut: () => void): void {
  useEffect(() => {
    const feed = new LiveFeed({
      open: () => new EventSource("/api/events") as Stream,
      now: () => Date.now(),
      after: (ms, then) => window.setTimeout(then, ms),
      cancel: (timer) => window.clearTimeout(timer as number),
      refresh: (topic) => void refresh(topic),
      refreshAll: () => void queries.invalidateQueries({}, { cancelRefetch: false }),
      signedOut,
      status: (status) => change({ status }),
      activity: change,
    });
    const wake = () => feed.wake();
    const seen = () => (document.hidden ? feed.rest() : feed.wake());
    feed.start();
    if (document.hidden) feed.rest();
    window.addEventListener("online", wake);
    document.addEventListener("visibilitychange", seen);
    return () => {
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", seen);
      feed.stop();
    };
  }, [signedOut]);
}
