// Agents that clown knows, and what of them is on this machine.
import { useState } from "preact/hooks";
import { call } from "../client";
import { useCall } from "../data";
import { place, setQuery, to } from "../route";
import type { AgentRow } from "../types";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { Copy, Facts, Failed, Head, Loading, Problems, sentence, State, Tag } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { failed, toast } from "../ui/toast";

const COLUMNS: Column<AgentRow>[] = [
  { name: "Agent", cell: (a) => <b>{a.name}</b>, by: (a) => a.name.toLowerCase() },
  {
    name: "On this machine",
    cell: (a) =>
      a.installed ? (
        <State tone={a.installed.version ? "ok" : "warn"}>{a.installed.version ?? a.installed.problem ?? "version unknown"}</State>
      ) : (
        <span class="install">
          <State tone="idle">not installed</State>
          <InstallHint text={a.install_hint} />
        </span>
      ),
    by: (a) => (a.installed ? 0 : 1),
  },
  { name: "Tested", cell: (a) => a.tested ?? <Tag>never</Tag>, by: (a) => (a.tested ? 0 : 1), from: "mid" },
  { name: "Program", cell: (a) => a.installed && <code class="wrap">{a.installed.path}</code>, from: "wide" },
  { name: "From", cell: (a) => <Source origin={a.origin} />, by: (a) => a.origin, from: "mid" },
  { name: "Profiles", cell: (a) => a.profiles || <span class="note">0</span>, by: (a) => a.profiles, numeric: true },
];

/** A hint is a command of one line, or words. */
function InstallHint({ text }: { text: string }) {
  return /^(npm|pip|pipx|uv|brew|cargo|go|curl) /.test(text) ? <Copy text={text} /> : <span class="note">{sentence(text)}</span>;
}

export function Source({ origin }: { origin: string }) {
  return origin === "built-in" ? <span class="note">built in</span> : <Tag tone={origin === "user" ? "accent" : undefined}>{origin === "user" ? "yours" : origin}</Tag>;
}

export function Agents() {
  const list = useCall("agents.list");
  const [busy, setBusy] = useState(false);
  const shown = place.value.query.get("show");
  const detect = async () => {
    setBusy(true);
    try {
      const found = await call("agents.detect");
      list.reload();
      toast(`${found.agents.filter((a) => a.installed).length} of ${found.agents.length} agents are installed`);
    } catch (error) {
      failed(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Head title="Agents" note="Programs that clown can run, found on your PATH.">
        <button type="button" onClick={detect} disabled={busy}>
          <Icon name="sync" />
          {busy ? "Looking…" : "Look again"}
        </button>
      </Head>
      {list.error && <Failed failure={list.error} retry={list.reload} />}
      <Problems list={list.data?.problems} />
      {!list.data && list.loading && <Loading rows={6} />}
      {list.data && (
        <Table label="Agents" rows={list.data.agents} columns={COLUMNS} id={(a) => a.id} href={(a) => `${to("agents")}?show=${a.id}`} order={{ column: "On this machine", down: false }} />
      )}
      {shown && <Detail id={shown} />}
    </>
  );
}

function Detail({ id }: { id: string }) {
  const detail = useCall("agents.inspect", { id });
  const d = detail.data;
  return (
    <Dialog title={d?.manifest.name ?? id} onClose={() => setQuery({ show: undefined })}>
      {detail.error && <Failed failure={detail.error} />}
      {!d && detail.loading && <Loading />}
      {d && (
        <>
          <Facts
            rows={[
              ["Id", <code>{d.manifest.id}</code>],
              ["Installed", d.installed ? (d.installed.version ?? d.installed.problem) : "no"],
              ["Program", d.installed && <code class="wrap">{d.installed.path}</code>],
              ["Tested with", d.manifest.tested ?? "nothing: clown's tests have never run it"],
              ["Mind", d.manifest.caveats?.join(" ")],
              ["Speaks", d.manifest.formats.join(", ")],
              ["Isolation", d.manifest.isolation.modes.join(", ")],
              ["Usage is read", d.manifest.usage ? "yes" : "no"],
              ["Script", d.script_origin && <>{d.manifest.script} ({d.script_origin})</>],
              ["File", d.file && <code class="wrap">{d.file}</code>],
              ["Log in with", d.manifest.login?.hint],
              ["Install", !d.installed && <InstallHint text={d.manifest.install?.hint ?? ""} />],
            ]}
          />
          <h3>Providers it can use</h3>
          <p class="tags">
            {d.providers.map((p) => (
              <a key={p} class="tag" href={`${to("providers")}?show=${p}`}>
                {p}
              </a>
            ))}
          </p>
          <div class="actions">
            <a class="button primary" href={`${to("profiles", "new")}?agent=${d.manifest.id}`}>
              New profile with it
            </a>
          </div>
        </>
      )}
    </Dialog>
  );
}
