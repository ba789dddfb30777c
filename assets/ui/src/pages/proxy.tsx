// Proxies: which run, and which could.
import { call } from "../client";
import { useCall } from "../data";
import { to } from "../route";
import type { Instance } from "../types";
import { Ago, Copy, Empty, Failed, Head, Loading, State, Warnings } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { failed, toast } from "../ui/toast";

export function InstanceState({ of: i }: { of: Instance }) {
  const tone = { running: "ok", starting: "idle", stopped: "idle", restarting: "warn", failed: "bad" } as const;
  return <State tone={tone[i.state]}>{i.state}</State>;
}

export async function startProxy(alias: string, restart: boolean): Promise<void> {
  try {
    const done = await call("proxy.start", { alias, restart });
    if (done.needs?.length) toast(`It waits for keys that only a terminal can fetch: clown proxy start ${alias}`, "bad");
    else toast(`The proxy of ${alias} runs on port ${done.instance.port}`);
  } catch (error) {
    failed(error);
  }
}

export async function stopProxy(alias: string): Promise<void> {
  try {
    await call("proxy.stop", { alias });
    toast(`The proxy of ${alias} is stopped`);
  } catch (error) {
    failed(error);
  }
}

export function Control({ of: i }: { of: Instance }) {
  if (i.state === "stopped" || i.state === "failed") {
    return (
      <button type="button" class="small" onClick={() => startProxy(i.alias, false)}>
        Start
      </button>
    );
  }
  return (
    <span class="pair">
      <button type="button" class="small" onClick={() => startProxy(i.alias, true)}>
        Restart
      </button>
      <button type="button" class="small" onClick={() => stopProxy(i.alias)}>
        Stop
      </button>
    </span>
  );
}

const COLUMNS: Column<Instance>[] = [
  { name: "Profile", cell: (i) => <b>{i.alias}</b>, by: (i) => i.alias },
  { name: "State", cell: (i) => <InstanceState of={i} />, by: (i) => i.state },
  { name: "Address", cell: (i) => i.port && <code>127.0.0.1:{i.port}</code>, from: "mid" },
  { name: "Since", cell: (i) => i.since && <Ago time={i.since} />, by: (i) => i.since ?? "", from: "mid" },
  { name: "Used since", cell: (i) => <span class="note">{{ needed: "the formats differ", enabled: "you enabled it", off: "no longer used" }[i.use as "needed"]}</span>, from: "wide" },
  { name: "Sessions", cell: (i) => i.sessions, by: (i) => i.sessions, numeric: true, from: "mid" },
  { name: "Restarts", cell: (i) => i.restarts, by: (i) => i.restarts, numeric: true, from: "wide" },
  { name: "", cell: (i) => <Control of={i} /> },
];

export function Proxies() {
  const list = useCall("proxy.status");
  const rows = list.data?.instances ?? [];
  return (
    <>
      <Head title="Proxy" note="One process for each profile that uses one. It translates between formats and leads requests by rules." />
      {list.error && <Failed failure={list.error} retry={list.reload} />}
      <Warnings list={rows.flatMap((i) => (i.problem ? [`${i.alias}: ${i.problem}`] : []))} />
      {!list.data && list.loading && <Loading />}
      {list.data && rows.length === 0 && (
        <Empty icon="proxy" title="No profile uses a proxy">
          <p>It comes by itself where agent and provider speak different formats. To route requests by rules, enable it for a profile:</p>
          <Copy text="clown proxy enable ALIAS" />
        </Empty>
      )}
      {rows.length > 0 && <Table label="Proxies" rows={rows} columns={COLUMNS} id={(i) => i.alias} href={(i) => to("proxy", i.alias)} order={{ column: "Profile", down: false }} />}
    </>
  );
}
