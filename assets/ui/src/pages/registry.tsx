// The signed registry: what is in force, what would come, and what waits for agreement.
import { useEffect, useState } from "preact/hooks";
import { call } from "../client";
import { useCall } from "../data";
import { bytes, count, plural } from "../format";
import { place, setQuery } from "../route";
import type { Differences, RegistryState } from "../types";
import { Choice } from "../ui/field";
import { Icon } from "../ui/icons";
import { Ago, Copy, Empty, Facts, Failed, Head, Loading, Section, State, Warnings } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { failed, toast } from "../ui/toast";
import { Diff, ReviewDialog } from "./registry-review";
import { startSync, sync, SyncProgress } from "./registry-sync";

export function Registry() {
  const state = useCall("registry.inspect");
  const r = state.data;
  const [differences, setDifferences] = useState<Differences | "asking">();
  // They are against what is in force.
  useEffect(() => setDifferences(undefined), [r?.lock?.version, r?.channel]);
  const diff = async () => {
    setDifferences("asking");
    try {
      setDifferences(await call("registry.diff"));
    } catch (error) {
      setDifferences(undefined);
      failed(error);
    }
  };
  const verify = async () => {
    try {
      const v = await call("registry.verify");
      toast(v.problems.length === 0 ? `All ${v.artifacts} entries are as they were signed` : v.problems.join(" "), v.problems.length === 0 ? "ok" : "bad");
    } catch (error) {
      failed(error);
    }
  };
  const busy = sync.value.at === "running";
  return (
    <>
      <Head title="Registry" note="Agents, providers, models and scripts as data, signed by their publisher.">
        {r && !r.url && (
          <button type="button" onClick={() => void startSync()} disabled={busy}>
            <Icon name="sync" />
            Take new prices
          </button>
        )}
        {r?.url && (
          <>
            <button type="button" onClick={diff} disabled={differences === "asking"}>
              {differences === "asking" ? "Asking…" : "What would change"}
            </button>
            {r.lock && (
              <button type="button" onClick={verify}>
                Check signatures
              </button>
            )}
            <button type="button" class="primary" onClick={() => void startSync()} disabled={busy}>
              <Icon name="sync" />
              {busy ? "Syncing…" : "Sync now"}
            </button>
          </>
        )}
      </Head>
      {state.error && <Failed failure={state.error} retry={state.reload} />}
      {!r && state.loading && <Loading rows={5} />}
      <SyncProgress />
      {r?.last_error && <Warnings list={[`The last sync failed: ${r.last_error}. What was in force stays in force.`]} />}
      {r && !r.url && (
        <Empty icon="registry" title="No registry is set up">
          <p>What is built in works without one. A registry brings newer agents, providers and models:</p>
          <Copy text="clown config set registry.url ADDRESS" />
        </Empty>
      )}
      {differences && differences !== "asking" && <WouldChange of={differences} close={() => setDifferences(undefined)} />}
      {r && (r.url || r.lock) && <InForce state={r} />}
      <Waiting />
      {place.value.query.get("review") && <ReviewDialog name={place.value.query.get("review") ?? ""} />}
    </>
  );
}

function InForce({ state: r }: { state: RegistryState }) {
  const lock = r.lock;
  const pin = async (reference: string | undefined) => {
    try {
      await call("registry.pin", { reference });
      toast(reference ? "Stays at this version until it is released" : "Follows the channel again");
    } catch (error) {
      failed(error);
    }
  };
  const entries = (lock?.artifacts ?? []) as { kind: string; id: string; length: number }[];
  const columns: Column<(typeof entries)[number]>[] = [
    { name: "Entry", cell: (e) => <b>{e.id}</b>, by: (e) => e.id },
    { name: "Kind", cell: (e) => e.kind, by: (e) => e.kind },
    { name: "Size", cell: (e) => bytes(e.length), by: (e) => e.length, numeric: true },
  ];
  return (
    <>
      <div class="split">
        <Section
          title="In force"
          tools={
            lock && (
              <button type="button" class="small" onClick={() => pin(lock.pinned ? undefined : lock.commit)}>
                {lock.pinned ? "Follow the channel" : "Stay at this version"}
              </button>
            )
          }
        >
          <Facts
            rows={[
              ["State", lock ? <State tone={r.expired ? "warn" : "ok"}>{lock.pinned ? "pinned" : r.expired ? "expired; still used" : "up to date"}</State> : <State tone="idle">built-in entries only</State>],
              ["Version", lock && `${lock.version} of ${lock.channel}`],
              ["Commit", lock && <code title={lock.commit}>{lock.commit.slice(0, 12)}</code>],
              ["Confirmed", lock && <Ago time={lock.checked} />],
              ["Good until", lock && <Ago time={lock.expires} />],
              ["Entries", lock && count(entries.length)],
              ["Prices", r.prices > 0 && `${count(r.prices)} models`],
              ["Prices taken", r.prices_synced && <Ago time={r.prices_synced} />],
            ]}
          />
        </Section>
        <Section title="Trust">
          <Facts
            rows={[
              ["Address", r.url && <code class="wrap">{r.url}</code>],
              ["Channel", <Channel now={r.channel} />],
              ["Must sign", `${r.threshold} of ${plural(r.keys.length, "key")}`],
              ["Keys", r.keys.map((k) => <code key={k}>{k} </code>)],
              ["Root", String(r.root)],
              ["Refreshed", r.refresh_hours > 0 ? `every ${r.refresh_hours} h` : "only when asked"],
              ["Kept on disk", plural(r.commits.length, "version")],
            ]}
          />
        </Section>
      </div>
      {entries.length > 0 && (
        <Section title="Entries">
          <Table label="Entries" rows={entries} columns={columns} id={(e) => `${e.kind} ${e.id}`} order={{ column: "Kind", down: false }} />
        </Section>
      )}
    </>
  );
}

function Channel({ now }: { now: string }) {
  const set = async (value: string) => {
    try {
      await call("config.set", { key: "registry.channel", value });
      toast(`The next sync takes channel ${value}`);
    } catch (error) {
      failed(error);
    }
  };
  return (
    <div class="inline-choice">
      <Choice label="Channel" value={now} options={["stable", "beta", "nightly"]} onChange={set} />
    </div>
  );
}

function WouldChange({ of: d, close }: { of: Differences; close: () => void }) {
  return (
    <Section
      title="A sync would change"
      note={d.changes.length > 0 ? `${plural(d.changes.length, "entry", "entries")}, ${bytes(d.bytes)} to fetch` : undefined}
      tools={
        <button type="button" class="quiet" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      }
    >
      {d.changes.length === 0 && <p class="prose">Nothing: what is in force is what the channel has.</p>}
      {d.changes.map((c) => (
        <details key={`${c.kind} ${c.id}`} class="change">
          <summary>
            <span class={`change-kind ${c.change}`}>{c.change}</span> {c.kind} <b>{c.id}</b>
          </summary>
          <Diff text={c.text} />
        </details>
      ))}
    </Section>
  );
}

/** Scripts run code when a profile is made or run: nobody but the user agrees to them. */
function Waiting() {
  const scripts = useCall("scripts.list");
  const waiting = scripts.data?.scripts.filter((s) => s.needs_approval) ?? [];
  if (scripts.error) return <Failed failure={scripts.error} retry={scripts.reload} />;
  if (waiting.length === 0) return null;
  return (
    <Section title="Waits for your agreement" note="until then, runs that need it are refused">
      <ul class="rows">
        {waiting.map((s) => (
          <li key={s.name}>
            <span class="row">
              <b>{s.name}</b>
              <span class="note">{s.agents.length > 0 ? `script of ${s.agents.join(", ")}` : "script"}</span>
              <button type="button" class="small end" onClick={() => setQuery({ review: s.name })}>
                Read and agree
              </button>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
