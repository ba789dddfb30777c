// Sends calls. Everything about addresses and failures of the transport is here.
import { signal } from "@preact/signals";
import { type CallName, type Reply, ROUTES } from "./routes";
import type { Failure } from "./types";

/** A call that failed, with the daemon's own words. */
export class CallError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** Whether this browser may speak to the daemon: unknown until the first answer. */
export const access = signal<"unknown" | "granted" | "denied">("unknown");

/** The fragment `#login=TOKEN` of a one-time link buys a cookie, and goes from the address and the history. */
export async function login(): Promise<void> {
  const token = /^#login=(.+)$/.exec(location.hash)?.[1];
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  const reply = await request("POST", "/api/v1/login", { token: decodeURIComponent(token) });
  if (reply.status === 401 || reply.status === 403) access.value = "denied";
}

export async function call<N extends CallName>(name: N, body: object = {}): Promise<Reply<N>> {
  const [method = "GET", pattern = ""] = ROUTES[name].split(" ");
  const fields = new Map<string, unknown>(Object.entries(body).filter(([, value]) => value !== undefined));
  const path = pattern.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = fields.get(field);
    fields.delete(field);
    return encodeURIComponent(String(value));
  });
  const inQuery = method === "GET" || method === "DELETE";
  const query = inQuery ? asQuery(fields).toString() : "";
  return read<Reply<N>>(await request(method, `${path}${query && `?${query}`}`, inQuery ? undefined : Object.fromEntries(fields)));
}

/** Fields of an object inside have their names after a dot; a list is its values one by one. */
function asQuery(fields: Iterable<[string, unknown]>, above = ""): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of fields) {
    if (Array.isArray(value)) value.forEach((item) => query.append(above + name, String(item)));
    else if (typeof value === "object" && value !== null) asQuery(Object.entries(value), `${name}.`).forEach((v, n) => query.append(n, v));
    else if (value !== undefined && value !== null) query.append(above + name, String(value));
  }
  return query;
}

async function read<T>(reply: Response): Promise<T> {
  const document = await reply.json().catch(() => null);
  if (reply.ok && document !== null) {
    access.value = "granted";
    return document as T;
  }
  if (reply.status === 401) access.value = "denied";
  const failure: Failure = document?.error ?? { code: "unknown", message: `the daemon answered with status ${reply.status}` };
  throw new CallError(failure);
}

async function request(method: string, path: string, body?: object): Promise<Response> {
  try {
    const content = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return await fetch(path, { method, credentials: "same-origin", cache: "no-store", ...content });
  } catch {
    throw new CallError({ code: "unreachable", message: "the daemon does not answer", hints: ["start it: clown daemon start"] });
  }
}

export function failureOf(error: unknown): Failure {
  return error instanceof CallError ? error.failure : { code: "defect", message: String(error) };
}
