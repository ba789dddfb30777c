// The history of runs, newest first.
import { useEffect, useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import { duration, tail } from "../format";
import { place, setQuery, to } from "../route";
import type { Exit, Failure, Session } from "../types";
import { Check, Choice } from "../ui/field";
import { Ago, Copy, Cost, Empty, Failed, Head, Loading, now, State, Tokens, Warnings } from "../ui/parts";
import { type Column, Table } from "../ui/table";

const PAGE = 50;

export function exitWords(exit: Exit | null | undefined): string {
  if (exit === undefined || exit === null) return "";
  if (exit === "unknown") return "nobody saw it end";
  if (exit === "not_started") return "never started";
  return "code" in exit ? `exit ${exit.code}` : `signal ${exit.signal}`;
}

export function SessionState({ of: s }: { of: Session }) {
  if (s.state === "running") return <State tone="ok">running</State>;
  if (s.state === "starting") return <State tone="idle">starting</State>;
  const clean = typeof s.exit === "object" && s.exit !== null && "code" in s.exit && s.exit.code === 0;
  return <State tone={clean ? "idle" : s.state === "lost" ? "warn" : "bad"}>{clean ? "done" : exitWords(s.exit) || "lost"}</State>;
}

export function lasted(s: Session): number {
  return (s.ended ? Date.parse(s.ended) : now()) - Date.parse(s.started);
}

export function SessionTable({ rows, profile = true }: { rows: Session[]; profile?: boolean }) {
  const columns: Column<Session>[] = [
    { name: "Started", cell: (s) => <Ago time={s.started} />, by: (s) => s.started },
    ...(profile ? [{ name: "Profile", cell: (s: Session) => <b>{s.profile}</b>, by: (s: Session) => s.profile }] : []),
    { name: "Agent", cell: (s) => s.agent, by: (s) => s.agent, from: "mid" },
    { name: "Model", cell: (s) => s.model ?? "", by: (s) => s.model ?? "", from: "wide" },
    { name: "Directory", cell: (s) => <span title={s.cwd}>{tail(s.cwd)}</span>, by: (s) => s.cwd, from: "mid" },
    { name: "State", cell: (s) => <SessionState of={s} />, by: (s) => s.state },
    { name: "Lasted", cell: (s) => duration(lasted(s)), by: lasted, numeric: true, from: "mid" },
    { name: "Tokens", cell: (s) => (s.usage ? <Tokens n={s.usage.total_tokens} /> : ""), by: (s) => s.usage?.total_tokens ?? 0, numeric: true, from: "mid" },
    { name: "Cost", cell: (s) => (s.usage ? <Cost of={s.usage} /> : ""), by: (s) => s.usage?.cost_usd ?? 0, numeric: true },
  ];
  return <Table label="Sessions" rows={rows} columns={columns} id={(s) => s.id} href={(s) => to("sessions", s.id)} />;
}

export function Sessions() {
  const profile = place.value.query.get("profile") ?? "";
  const live = place.value.query.get("live") === "1";
  const ask = { ...(profile && { profile }), live, limit: PAGE };
  const list = useCall("sessions.list", ask);
  const profiles = useCall("profiles.list");
  const [more, setMore] = useState<{ rows: Session[]; end: boolean; failure?: Failure }>({ rows: [], end: false });
  useEffect(() => setMore({ rows: [], end: false }), [profile, live]);
  const first = list.data?.sessions ?? [];
  const known = new Set(first.map((s) => s.id));
  const rows = [...first, ...more.rows.filter((s) => !known.has(s.id))];
  const next = async () => {
    try {
      const page = await call("sessions.list", { ...ask, before: rows.at(-1)?.id });
      setMore({ rows: [...more.rows, ...page.sessions], end: page.sessions.length < PAGE });
    } catch (error) {
      setMore({ ...more, failure: failureOf(error) });
    }
  };
  return (
    <>
      <Head title="Sessions" note="Each run of an agent, with what it used." />
      <div class="filters" data-filter>
        <Choice
          label="Profile"
          value={profile}
          none="All profiles"
          options={[...new Set([...(profiles.data?.profiles ?? []).map((p) => p.alias), ...(profile ? [profile] : [])])]}
          onChange={(value) => setQuery({ profile: value })}
        />
        <Check label="Only what runs now" checked={live} onChange={(value) => setQuery({ live: value ? "1" : undefined })} />
      </div>
      {list.error && <Failed failure={list.error} retry={list.reload} />}
      {(list.data?.bad_lines ?? 0) > 0 && <Warnings list={[`${list.data?.bad_lines} lines of the record could not be read; they were left as they are`]} />}
      {!list.data && list.loading && <Loading rows={8} />}
      {list.data && rows.length === 0 && (
        <Empty icon="sessions" title={live ? "No agent is running" : "Nothing has been run yet"}>
          <Copy text={`clown run ${profile || "ALIAS"}`} />
        </Empty>
      )}
      {rows.length > 0 && <SessionTable rows={rows} />}
      {more.failure && <Failed failure={more.failure} />}
      {first.length === PAGE && !more.end && (
        <div class="more-rows">
          <button type="button" onClick={next}>
            Older sessions
          </button>
        </div>
      )}
    </>
  );
}
