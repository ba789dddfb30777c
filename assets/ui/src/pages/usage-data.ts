// Reads days by model, profile or agent, and makes a stack of them.
import { call } from "../client";
import { useLoad } from "../data";
import { day, daysBack, isoDay, tokens, usd, ZONE } from "../format";
import type { Line, Page } from "../types";
import { SERIES, type Stack } from "../ui/chart";

export type By = "model" | "profile" | "agent";
export type Measure = "cost" | "tokens";

export interface Days extends Omit<Page, "lines"> {
  days: string[];
  /** Name and its line on each day. */
  parts: { name: string; lines: Map<string, Line> }[];
  all: Map<string, Line>;
}

/** Parts with a colour of their own; what is smaller is "others". */
const MOST = 6;

async function report(body: object): Promise<Page> {
  const first = await call("usage.report", body);
  while (first.lines.length < first.count) {
    const next = await call("usage.report", { ...body, skip: first.lines.length });
    if (next.lines.length === 0) break;
    first.lines.push(...next.lines);
  }
  return first;
}

const byDate = (lines: Line[]) => new Map(lines.map((l) => [l.date ?? "", l]));

export function useDays(select: object, by: By) {
  return useLoad<Days>("usage.report", `days ${by} ${JSON.stringify(select)}`, async () => {
    const whole = await report({ group: "daily", select, breakdown: by === "model" });
    const all = byDate(whole.lines);
    const names = (await call("usage.report", { group: `${by}s`, select })).lines.map((l) => l[by] ?? "-").slice(0, MOST);
    const parts =
      by === "model"
        ? names.map((name) => ({ name, lines: byDate(whole.lines.flatMap((l) => (l.breakdown ?? []).filter((b) => b.model === name).map((b) => ({ ...b, date: l.date })))) }))
        : await Promise.all(names.map(async (name) => ({ name, lines: byDate((await report({ group: "daily", select: { ...select, [`${by}s`]: [name] } })).lines) })));
    return { ...whole, days: fill(whole), parts, all };
  });
}

/** Every day from the first to the last, also those without use. */
function fill(page: Page): string[] {
  const dates = page.lines.map((l) => l.date ?? "").sort();
  const first = page.slice.since ?? dates[0];
  const last = page.slice.until ?? daysBack(0);
  if (!first) return [];
  const days: string[] = [];
  const at = new Date(`${first}T12:00:00`);
  while (isoDay(at) <= last && days.length < 1500) {
    days.push(isoDay(at));
    at.setDate(at.getDate() + 1);
  }
  return days;
}

export function stackOf(data: Days, by: By, measure: Measure): Stack {
  const value = (line: Line | undefined) => (line ? (measure === "cost" ? (line.cost_usd ?? 0) : line.total_tokens) : 0);
  const series = data.parts.map((part, n) => ({
    name: part.name === "-" ? "outside of profiles" : part.name,
    values: data.days.map((date) => value(part.lines.get(date))),
    colour: SERIES[n] ?? "--s0",
  }));
  const rest = data.days.map((date, n) => Math.max(0, value(data.all.get(date)) - series.reduce((sum, s) => sum + (s.values[n] ?? 0), 0)));
  // Sums of money are no whole numbers: a difference below a hundredth of a cent is none.
  if (rest.some((v) => v > 0.0001)) series.push({ name: "others", values: rest, colour: "--s0" });
  return {
    times: data.days.map((date) => Date.parse(`${date}T00:00:00`) / 1000),
    series: series.filter((s) => s.values.some((v) => v > 0)),
    show: measure === "cost" ? usd : tokens,
    when: (t) => day(isoDay(new Date(t * 1000))),
    kind: "bars",
    height: 260,
    label: `${measure === "cost" ? "Cost" : "Tokens"} by day and ${by}; the table below has the figures`,
  };
}

export function useYear() {
  return useLoad<Line[]>("usage.report", "year", async () => {
    const page = await report({ group: "daily", select: { since: daysBack(371), timezone: ZONE } });
    return page.lines;
  });
}
