// Events of the daemon. An event says what changed; what it is now is read again.
import { signal } from "@preact/signals";
import { access, call } from "./client";
import { eventChanges, readAllAgain } from "./data";
import type { Event } from "./types";

export const connection = signal<"connecting" | "live" | "lost">("connecting");
/** The last events, newest first. */
export const events = signal<Event[]>([]);

const KEPT = 500;
const PING_EVERY = 20_000;
let seen: { epoch: string; seq: number } | undefined;
let pause = 500;
/** The browser may keep a page that was left, and would keep its socket with it. */
let left = false;
let open: WebSocket | undefined;

/** As `FromServer` in `src/wire/http.rs`. */
type FromServer =
  | ({ type: "hello" | "subscribed" | "resync" } & { epoch: string; seq: number })
  | ({ type: "event" } & Event)
  | { type: "pong" }
  | { type: "error"; message: string };

function take(event: Event): void {
  seen = { epoch: event.epoch, seq: event.seq };
  events.value = [event, ...events.peek()].slice(0, KEPT);
  eventChanges(event);
}

/** Events were missed: everything that is shown may be old. */
async function resync(now: { epoch: string; seq: number }): Promise<void> {
  seen = { epoch: now.epoch, seq: now.seq };
  readAllAgain();
  await history(now.epoch);
}

async function history(epoch: string): Promise<void> {
  try {
    const known = await call("events.since", { epoch, seq: 0 });
    events.value = [...known.events].reverse().slice(0, KEPT);
  } catch {
    // The list fills with what comes.
  }
}

function listen(): void {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  open = socket;
  let ping = 0;
  let answered = true;
  socket.onopen = () => {
    socket.send(JSON.stringify({ type: "subscribe", topics: [""], ...(seen && { after: seen }) }));
    // A daemon that is gone without a word, such as behind a sleep of the machine, answers no ping.
    ping = window.setInterval(() => {
      if (!answered) socket.close();
      answered = false;
      socket.send(JSON.stringify({ type: "ping" }));
    }, PING_EVERY);
  };
  socket.onmessage = (message) => {
    answered = true;
    const said = JSON.parse(String(message.data)) as FromServer;
    if (said.type === "event") take(said);
    else if (said.type === "resync") void resync(said);
    else if (said.type === "subscribed") {
      connection.value = "live";
      pause = 500;
      // What was read before the subscription held may be old already.
      if (!seen) void resync(said);
    }
  };
  socket.onclose = () => {
    window.clearInterval(ping);
    if (left) return;
    connection.value = access.peek() === "denied" ? "connecting" : "lost";
    window.setTimeout(() => void connect(), pause);
    pause = Math.min(pause * 2, 8000);
  };
}

/** A stranger gets no socket, so none is asked for before a first answer says that this browser is known. */
export async function connect(): Promise<void> {
  try {
    await call("daemon.status");
  } catch {
    if (access.peek() === "denied") {
      // A link in another tab, or here, may change that.
      window.setTimeout(() => void connect(), 8000);
      return;
    }
  }
  listen();
}

window.addEventListener("pagehide", () => {
  left = true;
  open?.close();
});
window.addEventListener("pageshow", (event) => {
  left = false;
  if (event.persisted) void connect();
});
