// What is going on, and what it costs.
import { useMemo } from "preact/hooks";
import { useCall } from "../data";
import { cacheWrite, cost, count, day, duration, plural, tail, tokens, usd, ZONE } from "../format";
import { to } from "../route";
import type { Figures, RegistryState, SummaryReply } from "../types";
import { Chart, type Stack } from "../ui/chart";
import { Ago, Copy, Cost, Empty, Facts, Failed, Head, Loading, now, Section, State, Tokens } from "../ui/parts";
import { Budgets } from "./budgets";

export function Dashboard() {
  const summary = useCall("usage.summary", { select: { period: "30d", timezone: ZONE } });
  if (!summary.data) {
    return (
      <>
        <Head title="Dashboard" />
        {summary.error ? <Failed failure={summary.error} retry={summary.reload} /> : <Loading rows={8} />}
      </>
    );
  }
  const s = summary.data;
  return (
    <>
      <Head title="Dashboard" />
      {summary.error && <Failed failure={summary.error} retry={summary.reload} />}
      <div class="figures">
        <Figure name="Today" figures={s.today} note={`${usd(s.yesterday.cost_usd ?? 0)} yesterday`} />
        <Figure name="This week" figures={s.week} />
        <Figure name="This month" figures={s.month} />
        <Kinds figures={s.totals} />
      </div>
      {s.known ? (
        <Section title="Last 30 days" note={<DaysNote totals={s.totals} />} tools={<a href={to("usage")}>All usage</a>}>
          <Days summary={s} />
        </Section>
      ) : (
        <FirstSteps />
      )}
      <div class="split">
        <Live />
        <Budgets list={s.budgets ?? []} />
      </div>
      <Machine />
    </>
  );
}

function Figure(props: { name: string; figures: Figures; note?: string }) {
  const f = props.figures;
  return (
    <div class="figure">
      <h2>{props.name}</h2>
      <p class="big">
        <Cost of={f} />
      </p>
      <p class="note">
        {tokens(f.total_tokens)} tokens · {plural(f.requests, "request")}
      </p>
      {props.note && <p class="note">{props.note}</p>}
    </div>
  );
}

/** Tokens of 30 days by kind, as one bar and its key. */
function Kinds({ figures: f }: { figures: Figures }) {
  const kinds: [string, number, string][] = [
    ["Cache read", f.cache_read_tokens, "--s0"],
    ["Cache write", cacheWrite(f), "--s2"],
    ["Input", f.input_tokens, "--s3"],
    ["Output", f.output_tokens, "--s1"],
  ];
  const all = Math.max(1, f.total_tokens);
  return (
    <div class="figure kinds">
      <h2>Tokens by kind, 30 days</h2>
      <div class="kinds-bar" aria-hidden="true">
        {kinds.filter(([, n]) => n > 0).map(([name, n, colour]) => (
          <i key={name} style={{ flexGrow: n / all, background: `var(${colour})` }} />
        ))}
      </div>
      <ul>
        {kinds.map(([name, n, colour]) => (
          <li key={name}>
            <i style={{ background: `var(${colour})` }} aria-hidden="true" />
            {name}
            <Tokens n={n} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function DaysNote({ totals }: { totals: Figures }) {
  return (
    <>
      {cost(totals)} for {tokens(totals.total_tokens)} tokens
    </>
  );
}

function Days({ summary }: { summary: SummaryReply }) {
  const key = JSON.stringify(summary.days.map((d) => d.cost_usd));
  const stack = useMemo<Stack>(
    () => ({
      times: summary.days.map((d) => Date.parse(`${d.date}T00:00:00`) / 1000),
      series: [{ name: "Cost", values: summary.days.map((d) => d.cost_usd ?? 0), colour: "--accent" }],
      show: usd,
      when: (t) => day(new Date(t * 1000).toLocaleDateString("sv")),
      kind: "bars",
      height: 170,
      label: `Cost of each of the last ${summary.days.length} days, together ${cost(summary.totals)}`,
    }),
    [key],
  );
  return <Chart stack={stack} />;
}

function FirstSteps() {
  return (
    <Section title="Nothing has been used yet">
      <p class="prose">
        Usage is read from the logs of your agents, also of runs outside of clown. Make a <a href={to("profiles", "new")}>profile</a>, run it, and its requests and their cost
        arrive here while it works.
      </p>
    </Section>
  );
}

function Live() {
  const live = useCall("sessions.list", { live: true, limit: 50 });
  const rows = live.data?.sessions ?? [];
  return (
    <Section title="Live sessions" note={rows.length > 0 && count(rows.length)} tools={<a href={to("sessions")}>History</a>}>
      {live.error && <Failed failure={live.error} retry={live.reload} />}
      {!live.data && live.loading && <Loading rows={3} />}
      {live.data && rows.length === 0 && (
        <Empty icon="sessions" title="No agent is running">
          <p>Start one from a terminal:</p>
          <Copy text="clown run ALIAS" />
        </Empty>
      )}
      <ul class="rows">
        {rows.map((s) => (
          <li key={s.id}>
            <a href={to("sessions", s.id)}>
              <State tone={s.state === "running" ? "ok" : "idle"}>
                <b>{s.profile}</b>
              </State>
              <span class="note">{[s.agent, s.model].filter(Boolean).join(" · ")}</span>
              <span class="note path">{tail(s.cwd)}</span>
              <span class="num end">{duration(now() - Date.parse(s.started))}</span>
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Machine() {
  const daemon = useCall("daemon.status");
  const registry = useCall("registry.inspect");
  const proxies = useCall("proxy.status");
  const d = daemon.data;
  const r = registry.data;
  const up = proxies.data?.instances.filter((i) => i.state === "running") ?? [];
  const bad = proxies.data?.instances.filter((i) => i.state === "failed" || i.problem) ?? [];
  return (
    <Section title="This machine">
      {daemon.error && <Failed failure={daemon.error} retry={daemon.reload} />}
      {!d && !daemon.error && <Loading rows={2} />}
      <Facts
        rows={[
          ["Daemon", d && <State tone={d.defects > 0 ? "warn" : "ok"}>{`clown ${d.version}, pid ${d.pid}`}</State>],
          ["Up since", d && <Ago time={d.started} />],
          ["Kept up by", d && (d.guards.join(", ") || (d.idle_timeout ? `nothing; ends after ${duration(d.idle_timeout * 1000)} without work` : "nothing"))],
          ["Proxies", proxies.data && <a href={to("proxy")}>{bad.length > 0 ? `${plural(bad.length, "problem")}` : `${count(up.length)} running`}</a>],
          ["Registry", r && <a href={to("registry")}>{registryWords(r)}</a>],
          ["Last sync", r?.lock && <Ago time={r.lock.checked} />],
        ]}
      />
    </Section>
  );
}

export function registryWords(r: RegistryState): string {
  if (r.last_error) return "the last sync failed";
  if (r.lock) return `${r.channel}, version ${r.lock.version}${r.expired ? ", expired" : ""}`;
  return r.url ? "never synced" : "not set up; built-in entries only";
}
