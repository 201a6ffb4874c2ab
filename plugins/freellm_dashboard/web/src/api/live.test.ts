import { beforeEach, describe, expect, it } from "vitest";
import { type Activity, LiveFeed, type Status, type Stream } from "./live";

/** A network and a clock that do what a test says. */
class World {
  time = 1_000_000;
  streams: FakeStream[] = [];
  timers: { at: number; then: () => void }[] = [];
  statuses: Status[] = [];
  refreshed: string[] = [];
  all = 0;
  signedOut = 0;
  activity: Activity | null = null;

  feed = new LiveFeed({
    open: () => {
      const stream = new FakeStream();
      this.streams.push(stream);
      return stream;
    },
    now: () => this.time,
    after: (ms, then) => {
      const timer = { at: this.time + ms, then };
      this.timers.push(timer);
      return timer;
    },
    cancel: (timer) => {
      this.timers = this.timers.filter((each) => each !== timer);
    },
    refresh: (topic) => this.refreshed.push(topic),
    refreshAll: () => {
      this.all += 1;
    },
    signedOut: () => {
      this.signedOut += 1;
    },
    status: (status) => this.statuses.push(status),
    activity: (activity) => {
      this.activity = activity;
    },
  });

  /** Let time pass; `asleep`, timers do not run until its end, as on a machine that sleeps. */
  pass(ms: number, asleep = false): void {
    const end = this.time + ms;
    if (asleep) this.time = end;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.time = Math.max(this.time, due.at);
      due.then();
    }
    this.time = end;
  }

  get stream(): FakeStream {
    const last = this.streams.at(-1);
    if (!last) throw new Error("nothing is connected");
    return last;
  }
}

class FakeStream implements Stream {
  readyState = 1;
  closed = false;
  private listeners = new Map<string, ((event: MessageEvent<string>) => void)[]>();

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  close(): void {
    this.closed = true;
    this.readyState = 2;
  }

  send(type: string, data: unknown = {}): void {
    for (const listener of this.listeners.get(type) ?? [])
      listener({ data: JSON.stringify(data) } as MessageEvent<string>);
  }

  fail(refused: boolean): void {
    this.readyState = refused ? 2 : 0;
    this.send("error");
  }
}

let world: World;
beforeEach(() => {
  world = new World();
  world.feed.start();
});

describe("a live feed", () => {
  it("reads everything again whenever a connection stands", () => {
    world.stream.send("hello");
    expect([world.all, world.statuses.at(-1)]).toEqual([1, "live"]);
    world.stream.fail(false);
    expect(world.statuses.at(-1)).toBe("waiting");
    world.stream.send("hello");
    expect([world.all, world.statuses.at(-1), world.streams.length]).toEqual([2, "live", 1]);
  });

  it("connects anew with growing pauses when the browser gave up", () => {
    const connected: number[] = [];
    for (const wait of [1, 2, 4, 8, 16, 30, 30]) {
      world.stream.fail(true);
      world.pass(wait * 1_000 - 1);
      const before = world.streams.length;
      world.pass(1);
      connected.push(world.streams.length - before);
    }
    expect(connected).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it("begins with a short pause again after a connection stood", () => {
    world.stream.fail(true);
    world.pass(1_000);
    world.stream.fail(true);
    world.pass(2_000);
    world.stream.send("hello");
    world.stream.fail(true);
    world.pass(1_000);
    expect(world.streams.length).toBe(4);
  });

  it("connects anew after the machine slept, for the old connection may be dead", () => {
    const old = world.stream;
    world.pass(60_000);
    expect(world.streams.length).toBe(1);
    world.pass(3_600_000, true);
    expect([old.closed, world.streams.length]).toEqual([true, 2]);
    world.stream.send("hello");
    expect(world.all).toBe(1);
  });

  it("lets the connection go while nobody looks, and takes it up when somebody does", () => {
    world.feed.rest();
    world.pass(3_600_000, true);
    expect([world.stream.closed, world.streams.length]).toEqual([true, 1]);
    world.feed.wake();
    expect([world.stream.closed, world.streams.length]).toEqual([false, 2]);
  });

  it("asks for nothing while nobody looks, whatever was told before", () => {
    world.stream.send("quotas");
    world.stream.send("quotas");
    world.refreshed = [];
    world.feed.rest();
    world.pass(60_000);
    expect([world.refreshed, world.streams.length]).toEqual([[], 1]);
    world.feed.wake();
    world.stream.send("hello");
    expect(world.all).toBe(1);
  });

  it("reads a page's figures once for a request, not once for each notice of it", () => {
    world.stream.send("quotas");
    world.stream.send("request");
    world.pass(5_000);
    expect(world.refreshed.toSorted()).toEqual([
      "analytics",
      "models",
      "overview",
      "panels",
      "quotas",
      "requests",
    ]);
  });

  it("reads a topic at most once a second, and never misses the last notice", () => {
    for (let notice = 0; notice < 50; notice += 1) {
      world.stream.send("quotas");
      world.pass(50);
    }
    world.pass(1_000);
    const quotas = world.refreshed.filter((topic) => topic === "quotas").length;
    expect(quotas).toBeGreaterThanOrEqual(3);
    expect(quotas).toBeLessThanOrEqual(4);
    world.refreshed = [];
    world.pass(5_000);
    expect(world.refreshed).toEqual([]);
    world.stream.send("quotas");
    expect(world.refreshed).toContain("quotas");
  });

  it("tells what is under way, and when the session has ended", () => {
    world.stream.send("activity", { under_way: 3, last: null });
    expect(world.activity).toEqual({ under_way: 3, last: null });
    world.stream.send("signed-out");
    expect(world.signedOut).toBe(1);
  });

  it("ignores what an old connection says, and everything after it was stopped", () => {
    const old = world.stream;
    world.feed.wake();
    old.send("hello");
    expect(world.all).toBe(0);
    world.stream.send("quotas");
    world.stream.send("quotas");
    world.refreshed = [];
    world.feed.stop();
    world.pass(60_000);
    expect([world.refreshed, world.streams.length, world.statuses.at(-1)]).toEqual([[], 2, "off"]);
  });
});
