// How figures and times look. Nothing here decides anything.
import type { Figures } from "./types";

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

const whole = new Intl.NumberFormat("en");
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export function count(value: number): string {
  return whole.format(value);
}

export function plural(n: number, one: string, many = one + "s"): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** 1234 is 1,234; 12345 is 12.3k; 1234567 is 1.23M. */
export function tokens(value: number): string {
  if (value < 10_000) return whole.format(value);
  const [unit, by] = value < 1e6 ? ["k", 1e3] : value < 1e9 ? ["M", 1e6] : ["B", 1e9];
  const scaled = value / by;
  return `${scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)}${unit}`;
}

export function usd(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value !== 0 && Math.abs(value) < 0.01) return `$${value.toFixed(4)}`;
  return `$${cents.format(value)}`;
}

/** Money of a sum; `+` when some of it has no known price. */
export function cost(figures: Pick<Figures, "cost_usd" | "partial">): string {
  return usd(figures.cost_usd) + (figures.partial && figures.cost_usd !== null ? "+" : "");
}

export function costTitle(figures: Pick<Figures, "cost_usd" | "partial">): string | undefined {
  if (figures.cost_usd === null && figures.partial) return "No price is known for these models";
  return figures.partial ? "Some requests have no known price and are not in this sum" : undefined;
}

export function cacheWrite(f: Figures): number {
  return f.cache_write_5m_tokens + f.cache_write_1h_tokens + (f.cache_write_12h_tokens ?? 0) + (f.cache_write_other_tokens ?? 0);
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  return value < 1024 * 1024 ? `${(value / 1024).toFixed(1)} KiB` : `${(value / 1024 / 1024).toFixed(1)} MiB`;
}

/** `3 min ago`, `in 2 h`, `yesterday`. */
export function ago(time: string, now: number): string {
  const seconds = (now - Date.parse(time)) / 1000;
  const [size, ahead] = [Math.abs(seconds), seconds < 0];
  const say = (text: string) => (ahead ? `in ${text}` : `${text} ago`);
  if (size < 5) return ahead ? "in a moment" : "just now";
  if (size < 60) return say(`${Math.floor(size)} s`);
  if (size < 3600) return say(`${Math.floor(size / 60)} min`);
  if (size < 48 * 3600) return say(`${Math.floor(size / 3600)} h`);
  if (size < 60 * 86400) return say(`${Math.floor(size / 86400)} days`);
  return new Date(time).toLocaleDateString("en", { year: "numeric", month: "short", day: "numeric" });
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function clock(time: string): string {
  return new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function moment(time: string): string {
  return new Date(time).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** `2026-11-22` as people say it. */
export function day(date: string): string {
  return new Date(`${date}T12:00:00`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });
}

/** A local date as the API writes days. */
export function isoDay(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function daysBack(n: number): string {
  const date = new Date();
  date.setDate(date.getDate() - n);
  return isoDay(date);
}

/** The last parts of a path, which tell more than the first. */
export function tail(path: string, most = 2): string {
  const parts = path.split("/").filter(Boolean);
  return parts.length <= most ? path : `…/${parts.slice(-most).join("/")}`;
}
