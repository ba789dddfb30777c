// What was used, by time and by what.
import { useMemo } from "preact/hooks";
import { useCall } from "../data";
import { cacheWrite, cost, day, daysBack, plural, tokens, usd, ZONE } from "../format";
import { place, setQuery } from "../route";
import type { Line, Page } from "../types";
import { Text } from "../ui/field";
import { Chart, Legend } from "../ui/chart";
import { Heatmap } from "../ui/heatmap";
import { Icon } from "../ui/icons";
import { Ago, Cost, Empty, Failed, Head, Loading, Section, Switcher, Tokens, Warnings } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { saveCsv } from "./usage-csv";
import { type By, type Measure, stackOf, useDays, useYear } from "./usage-data";

const PERIODS: [string, string][] = [
  ["today", "Today"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["month", "Month"],
  ["all", "All"],
  ["custom", "Custom"],
];

const GROUPS: [string, string][] = [
  ["daily", "Days"],
  ["models", "Models"],
  ["profiles", "Profiles"],
  ["agents", "Agents"],
  ["projects", "Projects"],
  ["sessions", "Sessions"],
];

export function selection(query: URLSearchParams): object {
  const period = query.get("period") ?? "30d";
  const base = { timezone: ZONE };
  if (period !== "custom") return { ...base, period };
  return { ...base, since: query.get("since") ?? daysBack(6), until: query.get("until") ?? daysBack(0) };
}

export function Usage() {
  const { query } = place.value;
  const period = query.get("period") ?? "30d";
  const by = (query.get("by") ?? "model") as By;
  const measure = (query.get("of") ?? "cost") as Measure;
  const select = selection(query);
  const days = useDays(select, by);
  const totals = days.data?.totals;
  const stack = useMemo(() => days.data && stackOf(days.data, by, measure), [days.data, by, measure]);
  return (
    <>
      <Head title="Usage" note="From the logs of your agents and proxies. Each request counts once.">
        <Switcher label="Period" value={period} options={PERIODS} onChange={(value) => setQuery({ period: value, since: undefined, until: undefined })} />
      </Head>
      {period === "custom" && (
        <div class="filters">
          <Text label="From" type="date" value={query.get("since") ?? daysBack(6)} onInput={(since) => setQuery({ since })} />
          <Text label="To" type="date" value={query.get("until") ?? daysBack(0)} onInput={(until) => setQuery({ until })} />
        </div>
      )}
      {days.error && <Failed failure={days.error} retry={days.reload} />}
      {!days.data && days.loading && <Loading rows={7} />}
      {days.data && !days.data.known && (
        <Empty icon="usage" title="Nothing has been used yet">
          <p>Requests arrive here from the logs of your agents, a moment after they were made.</p>
        </Empty>
      )}
      {totals && days.data?.known && (
        <>
          <div class="figures slim">
            <Sum name="Cost" value={<Cost of={totals} />} />
            <Sum name="Tokens" value={<Tokens n={totals.total_tokens} />} />
            <Sum name="Input" value={<Tokens n={totals.input_tokens} />} />
            <Sum name="Output" value={<Tokens n={totals.output_tokens} />} />
            <Sum name="Cache read" value={<Tokens n={totals.cache_read_tokens} />} />
            <Sum name="Cache write" value={<Tokens n={cacheWrite(totals)} />} />
            <Sum name="Requests" value={totals.requests.toLocaleString("en")} />
          </div>
          {days.data.unpriced.length > 0 && <Warnings list={[`No price is known for ${days.data.unpriced.join(", ")}; the cost is too low by that`]} />}
          <Section
            title={measure === "cost" ? "Cost by day" : "Tokens by day"}
            tools={
              <>
                <Switcher label="Stacked by" value={by} options={[["model", "Model"], ["profile", "Profile"], ["agent", "Agent"]]} onChange={(value) => setQuery({ by: value })} />
                <Switcher label="Measure" value={measure} options={[["cost", "Cost"], ["tokens", "Tokens"]]} onChange={(value) => setQuery({ of: value })} />
              </>
            }
          >
            {stack && stack.times.length > 0 ? (
              <>
                <Chart stack={stack} />
                <Legend series={stack.series} />
              </>
            ) : (
              <p class="prose">Nothing was used in these days.</p>
            )}
          </Section>
          <Year measure={measure} />
          <Breakdown select={select} />
        </>
      )}
    </>
  );
}

function Sum({ name, value }: { name: string; value: preact.ComponentChildren }) {
  return (
    <div class="figure">
      <h2>{name}</h2>
      <p class="mid-figure num">{value}</p>
    </div>
  );
}

function Year({ measure }: { measure: Measure }) {
  const year = useYear();
  const values = useMemo(() => new Map((year.data ?? []).map((l) => [l.date ?? "", measure === "cost" ? (l.cost_usd ?? 0) : l.total_tokens])), [year.data, measure]);
  const show = measure === "cost" ? usd : (n: number) => `${tokens(n)} tokens`;
  return (
    <Section title="The last year" note={plural((year.data ?? []).filter((l) => l.requests > 0).length, "day") + " with use"}>
      {year.error && <Failed failure={year.error} retry={year.reload} />}
      {year.data && <Heatmap label="Use on each day of the last year" values={values} show={show} pick={(date) => setQuery({ period: "custom", since: date, until: date })} />}
    </Section>
  );
}

const figures: Column<Line>[] = [
  { name: "Input", cell: (l) => <Tokens n={l.input_tokens} />, by: (l) => l.input_tokens, numeric: true, from: "mid" },
  { name: "Output", cell: (l) => <Tokens n={l.output_tokens} />, by: (l) => l.output_tokens, numeric: true, from: "mid" },
  { name: "Cache read", cell: (l) => <Tokens n={l.cache_read_tokens} />, by: (l) => l.cache_read_tokens, numeric: true, from: "wide" },
  { name: "Cache write", cell: (l) => <Tokens n={cacheWrite(l)} />, by: cacheWrite, numeric: true, from: "wide" },
  { name: "Tokens", cell: (l) => <Tokens n={l.total_tokens} />, by: (l) => l.total_tokens, numeric: true },
  { name: "Requests", cell: (l) => l.requests.toLocaleString("en"), by: (l) => l.requests, numeric: true, from: "mid" },
  { name: "Cost", cell: (l) => <Cost of={l} />, by: (l) => l.cost_usd ?? -1, numeric: true },
];

function names(group: string): Column<Line>[] {
  const outside = (name: string | null | undefined) => (name === "-" || !name ? <span class="note">outside of profiles</span> : <b>{name}</b>);
  switch (group) {
    case "daily":
      return [{ name: "Day", cell: (l) => <time dateTime={l.date ?? ""}>{day(l.date ?? "")}</time>, by: (l) => l.date ?? "" }];
    case "models":
      return [{ name: "Model", cell: (l) => <b>{l.model}</b>, by: (l) => l.model ?? "" }];
    case "profiles":
      return [{ name: "Profile", cell: (l) => outside(l.profile), by: (l) => l.profile ?? "" }];
    case "agents":
      return [{ name: "Agent", cell: (l) => <b>{l.agent}</b>, by: (l) => l.agent ?? "" }];
    case "projects":
      return [{ name: "Project", cell: (l) => <span class="path">{l.project ?? "unknown"}</span>, by: (l) => l.project ?? "" }];
    default:
      return [
        { name: "Last request", cell: (l) => l.last && <Ago time={l.last} />, by: (l) => l.last ?? "" },
        { name: "Profile", cell: (l) => outside(l.profile), by: (l) => l.profile ?? "", from: "mid" },
        { name: "Agent", cell: (l) => l.agent, by: (l) => l.agent ?? "" },
      ];
  }
}

function Breakdown({ select }: { select: object }) {
  const group = place.value.query.get("table") ?? "daily";
  const report = useCall("usage.report", { group, select, last: 250 });
  const columns = [...names(group), ...figures];
  const id = (l: Line) => l.date ?? l.session ?? [l.model, l.profile, l.agent, l.project].join(" ");
  const rows = report.data?.lines ?? [];
  return (
    <Section
      title="Table"
      note={report.data && report.data.count > rows.length ? `${rows.length} of ${report.data.count}` : undefined}
      tools={
        <>
          <Switcher label="Rows" value={group} options={GROUPS} onChange={(value) => setQuery({ table: value })} />
          <button type="button" class="small" disabled={rows.length === 0} onClick={() => saveCsv(group, rows)}>
            <Icon name="down" />
            CSV
          </button>
        </>
      }
    >
      {report.error && <Failed failure={report.error} retry={report.reload} />}
      {!report.data && report.loading && <Loading />}
      {report.data && rows.length === 0 && <p class="prose">Nothing was used in this period.</p>}
      {report.data && rows.length > 0 && (
        <Table key={group} label={`Usage by ${group}`} rows={rows} columns={columns} id={id} order={{ column: group === "daily" ? "Day" : group === "sessions" ? "Last request" : "Cost", down: true }} foot={<Total page={report.data} columns={columns} />} />
      )}
    </Section>
  );
}

function Total({ page, columns }: { page: Page; columns: Column<Line>[] }) {
  return (
    <tr>
      {columns.map((c, n) => (
        <td key={c.name} class={`${c.numeric ? "r num" : ""} ${c.from ?? ""}`}>
          {n === 0 ? "Total" : c.numeric ? (c.name === "Cost" ? cost(page.totals) : c.cell(page.totals as Line)) : ""}
        </td>
      ))}
    </tr>
  );
}
