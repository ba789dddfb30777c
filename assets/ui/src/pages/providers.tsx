// Who serves models, where, and which profiles have a key for it.
import { call } from "../client";
import { useCall, useLoad } from "../data";
import { plural } from "../format";
import { place, setQuery, to } from "../route";
import type { Endpoint, ProfileDetail, ProviderRow } from "../types";
import { Dialog } from "../ui/dialog";
import { Facts, Failed, Head, Loading, Problems, State } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { failed, toast } from "../ui/toast";
import { Source } from "./agents";
import { Check } from "./provider-check";

const COLUMNS: Column<ProviderRow>[] = [
  { name: "Provider", cell: (p) => <b>{p.name}</b>, by: (p) => p.name.toLowerCase() },
  { name: "Key", cell: (p) => <KeyState row={p} />, by: (p) => -p.profiles },
  { name: "Formats", cell: (p) => p.formats.join(", ") || <span class="note">the agent's own</span>, from: "mid" },
  { name: "Default model", cell: (p) => p.default_model && <code>{p.default_model}</code>, by: (p) => p.default_model ?? "", from: "mid" },
  { name: "Regions", cell: (p) => p.regions?.join(", "), from: "wide" },
  { name: "From", cell: (p) => <Source origin={p.origin} />, from: "wide" },
  { name: "Profiles", cell: (p) => p.profiles || <span class="note">0</span>, by: (p) => p.profiles, numeric: true },
];

/** Each profile with what is known of its key. */
function useKeys() {
  return useLoad<ProfileDetail[]>("profiles.list+profiles.inspect", "keys", async () => {
    const { profiles } = await call("profiles.list");
    const details = await Promise.allSettled(profiles.slice(0, 100).map((p) => call("profiles.inspect", { alias: p.alias })));
    return details.flatMap((d) => (d.status === "fulfilled" ? [d.value] : []));
  });
}

function KeyState({ row }: { row: ProviderRow }) {
  const keys = useKeys().data?.filter((d) => d.profile.provider === row.id) ?? [];
  if (row.kind === "self") return <span class="note">the agent's login</span>;
  if (row.kind === "offline") return <span class="note">none needed</span>;
  const first = keys[0];
  if (!first) return <span class="note">no profile yet</span>;
  const same = new Set(keys.map((k) => k.key)).size;
  return <State tone="ok">{same === 1 ? first.key : `${same} keys`}</State>;
}

export function Providers() {
  const list = useCall("providers.list");
  const shown = place.value.query.get("show");
  return (
    <>
      <Head title="Providers" note="Who serves the models. A key goes only to hosts that you agreed to." />
      {list.error && <Failed failure={list.error} retry={list.reload} />}
      <Problems list={list.data?.problems} />
      {!list.data && list.loading && <Loading rows={6} />}
      {list.data && <Table label="Providers" rows={list.data.providers} columns={COLUMNS} id={(p) => p.id} href={(p) => `${to("providers")}?show=${p.id}`} order={{ column: "Key", down: false }} />}
      {shown && <Detail id={shown} />}
    </>
  );
}

function Detail({ id }: { id: string }) {
  const detail = useCall("providers.inspect", { id });
  const keys = useKeys().data?.filter((k) => k.profile.provider === id) ?? [];
  const d = detail.data;
  return (
    <Dialog title={d?.manifest.name ?? id} onClose={() => setQuery({ show: undefined })} wide>
      {detail.error && <Failed failure={detail.error} />}
      {!d && detail.loading && <Loading />}
      {d && (
        <>
          <Facts
            rows={[
              ["Id", <code>{d.manifest.id}</code>],
              ["Kind", { remote: "remote", self: "the agent's own login", offline: "the model inside clown" }[d.manifest.kind as string]],
              ["Default model", d.manifest.default_model && <code>{d.manifest.default_model}</code>],
              ["Key variable", d.manifest.key_env && <code>{d.manifest.key_env}</code>],
              [
                "Keys",
                d.manifest.key_url && (
                  <a href={d.manifest.key_url} target="_blank" rel="noreferrer">
                    {d.manifest.key_url}
                  </a>
                ),
              ],
              ["Mind", d.manifest.caveats?.join(" ")],
              ["Known from", d.manifest.evidence],
              ["File", d.file && <code class="wrap">{d.file}</code>],
              ["Agents", d.agents.join(", ")],
            ]}
          />
          {d.manifest.endpoints.length > 0 && <Endpoints list={d.manifest.endpoints} />}
          {keys.length > 0 && <Keys list={keys} id={id} />}
          {d.manifest.endpoints.length > 0 && <Check id={id} profiles={keys.map((k) => k.profile.alias)} />}
          {d.manifest.models.length > 0 && (
            <details class="more">
              <summary>{plural(d.manifest.models.length, "model")}</summary>
              <p class="tags">
                {d.manifest.models.map((m: { id: string }) => (
                  <code key={m.id} class="tag">
                    {m.id}
                  </code>
                ))}
              </p>
            </details>
          )}
          <div class="actions">
            <a class="button primary" href={`${to("profiles", "new")}?provider=${id}`}>
              New profile with it
            </a>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Endpoints({ list }: { list: Endpoint[] }) {
  const columns: Column<Endpoint>[] = [
    { name: "Address", cell: (e) => <code class="wrap">{e.base_url}</code> },
    { name: "Format", cell: (e) => e.format },
    { name: "Region", cell: (e) => e.region ?? "" },
  ];
  return (
    <>
      <h3>Endpoints</h3>
      <Table label="Endpoints" rows={list} columns={columns} id={(e) => `${e.base_url} ${e.format}`} />
    </>
  );
}

function Keys({ list, id }: { list: ProfileDetail[]; id: string }) {
  const approve = async () => {
    try {
      const done = await call("providers.approve", { id });
      toast(done.changes.length === 0 ? "Nothing to agree to: all keys may go to these hosts already" : "Agreed");
    } catch (error) {
      failed(error);
    }
  };
  const columns: Column<ProfileDetail>[] = [
    { name: "Profile", cell: (k) => <a href={to("profiles", k.profile.alias)}>{k.profile.alias}</a> },
    { name: "Key", cell: (k) => k.key },
    { name: "May go to", cell: (k) => k.profile.approved_hosts?.join(", ") ?? "" },
  ];
  return (
    <>
      <h3>Keys</h3>
      <Table label="Keys" rows={list} columns={columns} id={(k) => k.profile.alias} />
      <div class="actions">
        <button type="button" class="small" onClick={approve}>
          Agree to the hosts of these endpoints
        </button>
      </div>
    </>
  );
}
