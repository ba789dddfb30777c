// A table as a file for spreadsheets.
import type { Line } from "../types";

const COLUMNS = ["date", "session", "agent", "profile", "project", "model", "input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "total_tokens", "requests", "cost_usd", "partial"] as const;

export function csv(rows: Line[]): string {
  const used = COLUMNS.filter((name) => rows.some((row) => row[name] !== undefined));
  return [used.join(","), ...rows.map((row) => used.map((name) => field(row[name])).join(","))].join("\r\n") + "\r\n";
}

/** A text that a spreadsheet would take for a formula gets an apostrophe. */
function field(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]./.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function saveCsv(name: string, rows: Line[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
  link.download = `clown-usage-${name}.csv`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
