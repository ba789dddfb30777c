// All profiles.
import { useCall } from "../data";
import { to } from "../route";
import type { ProfileRow } from "../types";
import { Icon } from "../ui/icons";
import { Ago, Copy, Empty, Failed, Head, Loading, Problems, State, Tag } from "../ui/parts";
import { type Column, Table } from "../ui/table";

const COLUMNS: Column<ProfileRow>[] = [
  { name: "Profile", cell: (p) => <b>{p.alias}</b>, by: (p) => p.alias },
  { name: "Agent", cell: (p) => p.agent, by: (p) => p.agent },
  { name: "Provider", cell: (p) => p.provider, by: (p) => p.provider, from: "mid" },
  { name: "Model", cell: (p) => p.model ?? <span class="note">default</span>, by: (p) => p.model ?? "", from: "mid" },
  { name: "Isolation", cell: (p) => (p.isolation === "config-dir" ? <Tag>config only</Tag> : <span class="note">own home</span>), from: "wide" },
  {
    name: "Now",
    cell: (p) => (p.running > 0 ? <State tone="ok">{p.running === 1 ? "running" : `${p.running} running`}</State> : <span class="note">{p.last_used ? <Ago time={p.last_used} /> : "never used"}</span>),
    by: (p) => (p.running > 0 ? "~" : (p.last_used ?? "")),
  },
  { name: "Run", cell: (p) => <Copy text={`clown run ${p.alias}`} label="the run command" />, from: "mid" },
];

export function Profiles() {
  const list = useCall("profiles.list");
  const rows = list.data?.profiles ?? [];
  return (
    <>
      <Head title="Profiles" note="An agent with its provider, model, key and settings, each apart from the others.">
        <a class="button primary" href={to("profiles", "new")}>
          <Icon name="plus" />
          New profile
        </a>
      </Head>
      {list.error && <Failed failure={list.error} retry={list.reload} />}
      <Problems list={list.data?.problems} />
      {!list.data && list.loading && <Loading />}
      {list.data && rows.length === 0 && (
        <Empty icon="profiles" title="There is no profile yet">
          <p>A profile lets you run an agent with another model or account without touching your own settings.</p>
          <a class="button primary" href={to("profiles", "new")}>
            Make the first one
          </a>
        </Empty>
      )}
      {rows.length > 0 && <Table label="Profiles" rows={rows} columns={COLUMNS} id={(p) => p.alias} href={(p) => to("profiles", p.alias)} order={{ column: "Profile", down: false }} />}
    </>
  );
}
