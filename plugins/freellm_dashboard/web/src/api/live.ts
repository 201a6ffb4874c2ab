/** The parts of an EventSource that are used, so that a test can stand in for the network. */
export interface Stream {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
  readonly readyState: number;
}

/** What the world outside is to a feed: the network, the clock and what is done with what it hears. */
export interface Surroundings {
  open: () => Stream;
  now: () => number;
  after: (ms: number, then: () => void) => unknown;
  cancel: (timer: unknown) => void;
  refresh: (topic: string) => void;
  refreshAll: () => void;
  signedOut: () => void;
  status: (status: Status) => void;
  activity: (activity: Activity) => void;
}

/** `live`: connected; `waiting`: tries again; `off`: was never started, or stopped. */
export type Status = "off" | "waiting" | "live";

/** Requests that are being answered, and the last one that was. */
export interface Activity {
  under_way: number;
  last: number | null;
}

/**
 * What to read again when a notice of this name arrives: `quotas` when requests begin or are over, `request` when the log has
 * them, too. The server sends them no faster than a person reads.
 */
export const TOPICS: Readonly<Record<string, readonly string[]>> = {
  request: ["requests", "analytics", "panels"],
  quotas: ["quotas", "overview", "models"],
  keys: ["keys", "providers", "overview", "models", "fallback", "quotas"],
  models: ["models", "fallback", "profiles", "overview"],
  settings: ["settings", "apikey", "session"],
};

const CLOSED = 2;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** A topic is read again at most this often, however many notices name it. */
const PACE = 1_000;
const TICK = 5_000;
/** A tick this late means that the machine slept, or the tab was frozen: the connection may be dead unnoticed. */
const SLEPT = 20_000;

/** Follows `GET /api/events`: reconnects, and reads everything again after an interruption or a sleep. */
export class LiveFeed {
  private stream: Stream | null = null;
  private wait = FIRST_WAIT;
  private resting = false;
  private retry: unknown = null;
  private ticker: unknown = null;
  private readonly pending = new Map<string, unknown>();
  private readonly refreshed = new Map<string, number>();

  constructor(private readonly surroundings: Surroundings) {}

  start(): void {
    if (this.ticker !== null) return;
    this.tick(this.surroundings.now());
    this.connect();
  }

  stop(): void {
    this.drop();
    this.surroundings.cancel(this.ticker);
    this.ticker = null;
    this.surroundings.status("off");
  }

  /** Let go of the connection until `wake`: nobody is looking, and a browser has six of them for all tabs. */
  rest(): void {
    if (this.ticker === null) return;
    this.resting = true;
    this.drop();
  }

  /** Connect anew at once: the network is back, or the machine woke up. */
  wake(): void {
    if (this.ticker === null) return;
    this.resting = false;
    this.drop();
    this.wait = FIRST_WAIT;
    this.connect();
  }

  private tick(previous: number): void {
    this.ticker = this.surroundings.after(TICK, () => {
      const now = this.surroundings.now();
      this.tick(now);
      if (now - previous > SLEPT && !this.resting) this.wake();
    });
  }

  private connect(): void {
    const stream = this.surroundings.open();
    this.stream = stream;
    const heard = (type: string, listener: (data: string) => void) =>
      stream.addEventListener(type, (event) => {
        if (this.stream === stream) listener(event.data);
      });
    heard("hello", () => this.hello());
    heard("activity", (data) => this.surroundings.activity(JSON.parse(data) as Activity));
    heard("signed-out", () => this.surroundings.signedOut());
    for (const [name, topics] of Object.entries(TOPICS)) {
      heard(name, () => {
        for (const topic of topics) this.pace(topic);
      });
    }
    heard("error", () => this.lost(stream));
  }

  private hello(): void {
    this.wait = FIRST_WAIT;
    this.surroundings.status("live");
    // What was read before the connection stood may be stale: nobody would have told.
    this.surroundings.refreshAll();
  }

  private lost(stream: Stream): void {
    this.surroundings.status("waiting");
    // The browser tries again by itself unless the server refused.
    if (stream.readyState !== CLOSED) return;
    this.drop();
    const wait = this.wait;
    this.wait = Math.min(wait * 2, LONGEST_WAIT);
    this.retry = this.surroundings.after(wait, () => this.connect());
  }

  private drop(): void {
    this.surroundings.cancel(this.retry);
    this.retry = null;
    // What is pending is read with everything else when the next connection stands.
    for (const timer of this.pending.values()) this.surroundings.cancel(timer);
    this.pending.clear();
    this.stream?.close();
    this.stream = null;
  }

  private pace(topic: string): void {
    if (this.pending.has(topic)) return;
    const run = () => {
      this.pending.delete(topic);
      this.refreshed.set(topic, this.surroundings.now());
      this.surroundings.refresh(topic);
    };
    const due = (this.refreshed.get(topic) ?? Number.NEGATIVE_INFINITY) + PACE - this.surroundings.now();
    if (due <= 0) run();
    else this.pending.set(topic, this.surroundings.after(due, run));
  }
}
