// What was read from the daemon, kept until an event says that it changed.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { access, call, failureOf } from "./client";
import type { CallName, Reply } from "./routes";
import type { Event, Failure } from "./types";

export interface Loaded<T> {
  data?: T;
  /** Of the last attempt; older data stays beside it. */
  error?: Failure;
  loading: boolean;
}

/** Topics that change the answers of a call, by the beginning of its name. */
const CHANGED_BY: [string, string[]][] = [
  ["profiles.options", ["profile/", "registry/", "agent/"]],
  ["profiles.", ["profile/", "session/", "registry/", "config/"]],
  ["agents.", ["agent/", "profile/", "registry/"]],
  ["providers.", ["profile/", "registry/"]],
  ["proxy.requests", ["usage/", "proxy/"]],
  ["proxy.", ["proxy/", "profile/", "session/"]],
  ["sessions.", ["session/", "usage/"]],
  ["usage.", ["usage/", "budget/", "profile/deleted", "registry/prices"]],
  ["budgets.", ["usage/", "budget/"]],
  ["registry.progress", ["registry/"]],
  ["registry.", ["registry/updated", "registry/prices", "config/"]],
  ["scripts.", ["script/", "registry/"]],
  ["templates.", ["script/", "registry/"]],
  ["config.", ["config/"]],
  ["daemon.", ["session/", "proxy/", "config/", "registry/"]],
];

class Entry {
  readonly state: Signal<Loaded<unknown>> = signal({ loading: true });
  users = 0;
  private fresh = false;
  private running = false;
  private timer = 0;

  constructor(
    readonly name: string,
    private readonly load: () => Promise<unknown>,
  ) {}

  use(): () => void {
    this.users += 1;
    if (!this.fresh) void this.run();
    return () => {
      this.users -= 1;
    };
  }

  /** Reads again now when someone looks, else when someone looks next. Several in a moment are one. */
  changed(wait = 40): void {
    this.fresh = false;
    if (this.users === 0) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.run(), wait);
  }

  async run(): Promise<void> {
    if (this.running) {
      this.changed(120);
      return;
    }
    this.running = true;
    this.fresh = true;
    if (!this.state.peek().loading) this.state.value = { ...this.state.peek(), loading: true };
    try {
      this.state.value = { data: await this.load(), loading: false };
    } catch (error) {
      this.fresh = false;
      this.state.value = { ...this.state.peek(), error: failureOf(error), loading: false };
    }
    this.running = false;
  }
}

const entries = new Map<string, Entry>();

function topicsOf(name: string): string[] {
  return CHANGED_BY.find(([start]) => name.startsWith(start))?.[1] ?? [];
}

export function eventChanges(event: Event): void {
  for (const entry of entries.values()) {
    const names = entry.name.split("+");
    if (names.some((name) => topicsOf(name).some((topic) => event.topic.startsWith(topic)))) entry.changed();
  }
}

export function readAllAgain(): void {
  for (const [key, entry] of entries) {
    if (entry.users === 0) entries.delete(key);
    else entry.changed(0);
  }
}

/** The answer of a call, read again when an event says that it may be another one. `null`: no call. */
export function useCall<N extends CallName>(name: N, body: object | null = {}): Loaded<Reply<N>> & { reload: () => void } {
  return useLoad<Reply<N>>(body === null ? null : name, JSON.stringify(body), () => call(name, body ?? {}));
}

/** As `useCall` for what takes several calls; `names` are theirs, joined by `+`. */
export function useLoad<T>(names: string | null, key: string, load: () => Promise<T>): Loaded<T> & { reload: () => void } {
  const entry = useMemo(() => {
    if (names === null) return undefined;
    const id = `${names} ${key}`;
    let known = entries.get(id);
    if (!known) entries.set(id, (known = new Entry(names, load)));
    return known;
  }, [names, key]);
  useEffect(() => entry?.use(), [entry]);
  const state = entry ? (entry.state.value as Loaded<T>) : { loading: false };
  return { ...state, reload: () => void entry?.run() };
}

access.subscribe((now) => {
  if (now === "granted") for (const entry of entries.values()) if (entry.state.peek().error) entry.changed(0);
});
