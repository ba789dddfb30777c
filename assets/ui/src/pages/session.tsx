// One run: its facts, its tokens by model, and when they were used.
import { useMemo } from "preact/hooks";
import { call } from "../client";
import { useCall, useLoad } from "../data";
import { cacheWrite, clock, cost, duration, moment, plural, tail, tokens } from "../format";
import { to } from "../route";
import type { Exported, Figures, Session, UsageRequest } from "../types";
import { Chart, Legend, type Series, type Stack } from "../ui/chart";
import { Ago, Cost, Facts, Failed, Head, Loading, Section, Tokens } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { exitWords, lasted, SessionState } from "./sessions";

export function SessionPage({ id }: { id: string }) {
  const detail = useCall("sessions.inspect", { id });
  const s = detail.data;
  const back = { href: to("sessions"), text: "Sessions" };
  if (!s) {
    return (
      <>
        <Head title="Session" back={back} />
        {detail.error ? <Failed failure={detail.error} retry={detail.reload} /> : <Loading rows={6} />}
      </>
    );
  }
  const live = s.state === "running" || s.state === "starting";
  return (
    <>
      <Head title={`${s.profile}, ${moment(s.started)}`} back={back} note={tail(s.cwd, 4)}>
        <SessionState of={s} />
      </Head>
      {detail.error && <Failed failure={detail.error} retry={detail.reload} />}
      <div class="split">
        <Section title="Run">
          <Facts
            rows={[
              ["Profile", <a href={to("profiles", s.profile)}>{s.profile}</a>],
              ["Agent", [s.agent, s.agent_version].filter(Boolean).join(" ")],
              ["Provider", s.provider],
              ["Model", s.model ?? "the agent decides"],
              ["Directory", <code class="wrap">{s.cwd}</code>],
              ["Started", <Ago time={s.started} />],
              [live ? "Running for" : "Lasted", duration(lasted(s))],
              ["End", exitWords(s.exit)],
              ["Process", s.process && String(s.process.pid)],
              ["Id", <code class="wrap">{s.id}</code>],
            ]}
          />
        </Section>
        <Section title="Used" note={s.usage ? sourceWords(s.usage.source) : undefined}>
          {s.usage ? <Use of={s.usage} /> : <p class="prose">{live ? "It is counted when the session ends. What is known so far is below." : "It is not known what this session used."}</p>}
        </Section>
      </div>
      <Timeline session={s} />
    </>
  );
}

function sourceWords(source: string): string {
  return source === "log+proxy" ? "from the agent's log, and what only the proxy saw" : "from the agent's log";
}

function Use({ of: u }: { of: NonNullable<Session["usage"]> }) {
  return (
    <>
      <p class="big">
        <Cost of={u} />
      </p>
      <Facts rows={parts(u)} />
      {u.models.length > 1 && (
        <Facts
          rows={u.models.map((m) => [
            m.model,
            <>
              <Cost of={m} /> · {tokens(m.total_tokens)}
            </>,
          ])}
        />
      )}
    </>
  );
}

function parts(f: Figures): [string, preact.ComponentChildren][] {
  return [
    ["Input", <Tokens n={f.input_tokens} />],
    ["Output", <Tokens n={f.output_tokens} />],
    ["Cache read", <Tokens n={f.cache_read_tokens} />],
    ["Cache write", <Tokens n={cacheWrite(f)} />],
    ["Together", <Tokens n={f.total_tokens} />],
    ["Requests", <span class="num">{f.requests}</span>],
  ];
}

const MOST = 4000;

/** Requests of the profile while the session lasted; of two at once, the one that began later has them, as in the records. */
function useRequests(s: Session) {
  const from = Date.parse(s.started);
  const to = s.ended ? Date.parse(s.ended) : Number.MAX_SAFE_INTEGER;
  const select = { profiles: [s.profile], since: s.started.slice(0, 10), ...(s.ended && { until: s.ended.slice(0, 10) }), timezone: "UTC" };
  return useLoad<UsageRequest[]>("usage.export", `${s.id} ${s.ended ?? ""}`, async () => {
    const all: UsageRequest[] = [];
    const { sessions } = await call("sessions.list", { profile: s.profile, live: false, limit: 500 });
    const later = sessions.filter((other) => other.id > s.id);
    const ours = (at: number) => at >= from && at <= to && !later.some((other) => at >= Date.parse(other.started) && (!other.ended || at <= Date.parse(other.ended)));
    for (let next: number | undefined = 0; next !== undefined && all.length < MOST; ) {
      const page: Exported = await call("usage.export", { select, from: next });
      all.push(...page.requests.filter((r) => ours(Date.parse(r.time))));
      next = page.next ?? undefined;
    }
    return all.sort((a, b) => a.time.localeCompare(b.time));
  });
}

function Timeline({ session }: { session: Session }) {
  const loaded = useRequests(session);
  const requests = loaded.data ?? [];
  const stack = useMemo(() => timeline(requests), [loaded.data]);
  const columns: Column<UsageRequest>[] = [
    { name: "Time", cell: (r) => clock(r.time), by: (r) => r.time },
    { name: "Model", cell: (r) => r.model, by: (r) => r.model },
    { name: "Input", cell: (r) => <Tokens n={r.input_tokens} />, by: (r) => r.input_tokens, numeric: true, from: "mid" },
    { name: "Cache", cell: (r) => <Tokens n={r.cache_read_tokens + cacheWrite(r)} />, by: (r) => r.cache_read_tokens + cacheWrite(r), numeric: true, from: "mid" },
    { name: "Output", cell: (r) => <Tokens n={r.output_tokens} />, by: (r) => r.output_tokens, numeric: true },
    { name: "Cost", cell: (r) => <Cost of={r} />, by: (r) => r.cost_usd ?? 0, numeric: true },
  ];
  return (
    <Section title="Token timeline" note={requests.length > 0 ? plural(requests.length, "request") : undefined}>
      {loaded.error && <Failed failure={loaded.error} retry={loaded.reload} />}
      {!loaded.data && loaded.loading && <Loading rows={4} />}
      {loaded.data && requests.length === 0 && <p class="prose">No request of this session is known. Some agents write no log, and the local model is not billed.</p>}
      {stack && (
        <>
          <Legend series={stack.series} />
          <Chart stack={stack} />
        </>
      )}
      {requests.length > 0 && <Table label="Requests" rows={requests} columns={columns} id={(r) => r.key} order={{ column: "Time", down: true }} />}
    </Section>
  );
}

/** Tokens so far, by kind. */
function timeline(requests: UsageRequest[]): Stack | undefined {
  if (requests.length < 2) return undefined;
  const kinds: [string, string, (r: UsageRequest) => number][] = [
    ["Cache read", "--s0", (r) => r.cache_read_tokens],
    ["Cache write", "--s2", cacheWrite],
    ["Input", "--s3", (r) => r.input_tokens],
    ["Output", "--s1", (r) => r.output_tokens],
  ];
  const series: Series[] = kinds.map(([name, colour, of]) => {
    let sum = 0;
    return { name, colour, values: requests.map((r) => (sum += of(r))) };
  });
  const times = requests.map((r) => Date.parse(r.time) / 1000);
  // The last step needs a width too.
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  times.push(last + Math.max(1, (last - first) * 0.03));
  for (const s of series) s.values.push(s.values.at(-1) ?? 0);
  const total = series.reduce((all, s) => all + (s.values.at(-1) ?? 0), 0);
  const spent = requests.reduce((all, r) => all + (r.cost_usd ?? 0), 0);
  return {
    times,
    series,
    show: tokens,
    when: (t) => clock(new Date(t * 1000).toISOString()),
    kind: "steps",
    height: 200,
    label: `Tokens used as the session went on: ${tokens(total)} in ${requests.length} requests, ${cost({ cost_usd: spent, partial: false })}`,
  };
}
