// The last requests through a profile's proxy, with what became of them.
import { useCall } from "../data";
import { clock, duration } from "../format";
import type { ProxyRequest } from "../types";
import { Failed, Section, State, Tokens } from "../ui/parts";
import { type Column, Table } from "../ui/table";

function ms(value: number): string {
  return value < 10_000 ? `${Math.round(value).toLocaleString("en")} ms` : duration(value);
}

function Outcome({ of: r }: { of: ProxyRequest }) {
  const before = r.failed.length;
  if (r.outcome === "ok") {
    return (
      <span title={r.failed.map((f) => `${f.target}: ${f.why}`).join("\n")}>
        <State tone={before > 0 ? "warn" : "ok"}>{before > 0 ? `${r.status}, after ${before} failed` : String(r.status)}</State>
      </span>
    );
  }
  return <State tone="bad">{r.status > 0 ? `${r.outcome} ${r.status}` : r.outcome}</State>;
}

const COLUMNS: Column<ProxyRequest>[] = [
  { name: "Time", cell: (r) => <time dateTime={r.time}>{clock(r.time)}</time>, by: (r) => r.time },
  { name: "Outcome", cell: (r) => <Outcome of={r} />, by: (r) => r.status },
  { name: "Asked for", cell: (r) => r.model, by: (r) => r.model, from: "mid" },
  { name: "Rule", cell: (r) => r.rule, by: (r) => r.rule, from: "mid" },
  { name: "Answered by", cell: (r) => <code>{r.target}</code>, by: (r) => r.target },
  { name: "First byte", cell: (r) => ms(r.first_ms), by: (r) => r.first_ms, numeric: true, from: "mid" },
  { name: "Whole", cell: (r) => ms(r.total_ms), by: (r) => r.total_ms, numeric: true },
  { name: "Input", cell: (r) => <Tokens n={r.input_tokens} />, by: (r) => r.input_tokens, numeric: true, from: "wide" },
  { name: "Output", cell: (r) => <Tokens n={r.output_tokens} />, by: (r) => r.output_tokens, numeric: true, from: "wide" },
];

export function Requests({ alias }: { alias: string }) {
  const list = useCall("proxy.requests", { alias, limit: 50 });
  const rows = list.data?.requests ?? [];
  return (
    <Section title="Requests" note={rows.length > 0 ? `the last ${rows.length}` : undefined}>
      {list.error && <Failed failure={list.error} retry={list.reload} />}
      {list.data && rows.length === 0 && <p class="prose">No request has come through yet.</p>}
      {rows.length > 0 && <Table label="Requests" rows={rows} columns={COLUMNS} id={(r) => r.id} />}
    </Section>
  );
}
