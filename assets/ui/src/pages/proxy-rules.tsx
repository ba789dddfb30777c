// One profile's proxy: its rules, and where a request would go.
import { useState } from "preact/hooks";
import { useCall } from "../data";
import { to } from "../route";
import type { Failure, RouteRow, Routing } from "../types";
import { Choice, Text } from "../ui/field";
import { Icon } from "../ui/icons";
import { Ago, Facts, Failed, Head, Loading, Section, Tag, Warnings } from "../ui/parts";
import { type Column, Table } from "../ui/table";
import { failed } from "../ui/toast";
import { type Change, change } from "./proxy-change";
import { Explain } from "./proxy-explain";
import { Keys } from "./proxy-keys";
import { Requests } from "./proxy-requests";
import { Control, InstanceState } from "./proxy";

const STRATEGIES: [string, string][] = [
  ["conditional", "conditional: the first rule that holds"],
  ["simple", "simple: rules in their order, each replaces the one before"],
  ["weighted", "weighted: spread by weight, a session stays"],
  ["lowest-cost", "lowest cost"],
  ["adaptive", "adaptive: the quickest that does not fail"],
];

export function ProxyPage({ alias }: { alias: string }) {
  const routing = useCall("proxy.routing", { alias });
  const status = useCall("proxy.status", { alias });
  const r = routing.data;
  const i = status.data?.instances[0];
  const back = { href: to("proxy"), text: "Proxy" };
  if (!r) {
    return (
      <>
        <Head title={alias} back={back} />
        {routing.error ? <Failed failure={routing.error} retry={routing.reload} /> : <Loading rows={6} />}
      </>
    );
  }
  const show = async (name: Change, body: object, done: string) => {
    const failure = await change(name, body, done);
    if (failure) failed(failure.message);
  };
  return (
    <>
      <Head title={`Proxy of ${alias}`} back={back} note={r.use === "off" ? "Requests go to the provider directly." : undefined}>
        {r.use === "off" ? (
          <button type="button" class="primary" onClick={() => show("proxy.set", { alias, enabled: true }, "Enabled from the next run on")}>
            Enable
          </button>
        ) : (
          <>
            {i && <InstanceState of={i} />}
            {i && <Control of={i} />}
            {r.use === "enabled" && (
              <button type="button" onClick={() => show("proxy.set", { alias, enabled: false }, "Disabled from the next run on")}>
                Disable
              </button>
            )}
          </>
        )}
      </Head>
      <Warnings list={[...(i?.problem ? [i.problem] : []), ...(r.warnings ?? [])]} />
      <Rules routing={r} />
      <Explain alias={alias} routing={r} />
      <Requests alias={alias} />
      <div class="split">
        <Aliases routing={r} />
        <Keys routing={r} />
      </div>
      {i && (
        <Section title="Instance">
          <Facts
            rows={[
              ["Address", i.port && <code>127.0.0.1:{i.port}</code>],
              ["Process", i.pid && String(i.pid)],
              ["Engine", i.engine],
              ["Since", i.since && <Ago time={i.since} />],
              ["Restarts", i.restarts > 0 && String(i.restarts)],
              ["Configuration", <code class="wrap">{i.config}</code>],
              ["Log", <code class="wrap">{i.log}</code>],
            ]}
          />
        </Section>
      )}
    </>
  );
}

function Rules({ routing }: { routing: Routing }) {
  const { alias } = routing;
  const [adding, setAdding] = useState(false);
  const remove = async (name: string) => {
    const failure = await change("proxy.remove-route", { alias, name }, `Rule ${name} is removed`);
    if (failure) failed(failure.message);
  };
  const columns: Column<RouteRow>[] = [
    { name: "Rule", tight: true, cell: (r) => (r.generated ? <span class="note">{r.name}</span> : <b>{r.name}</b>) },
    { name: "When", cell: (r) => <code class="wrap">{r.condition}</code> },
    { name: "Goes to", cell: (r) => <Targets list={r.targets} /> },
    { name: "Priority", cell: (r) => r.priority, numeric: true, from: "mid" },
    { name: "Weight", cell: (r) => r.weight, numeric: true, from: "wide" },
    {
      name: "",
      cell: (r) =>
        r.generated ? (
          <span class="mid"><Tag>added by clown</Tag></span>
        ) : (
          <button type="button" class="quiet" aria-label={`Remove rule ${r.name}`} onClick={() => remove(r.name)}>
            <Icon name="close" />
          </button>
        ),
    },
  ];
  return (
    <Section
      title="Rules"
      tools={
        <>
          <div class="inline-choice">
            <Choice
              label="Strategy"
              value={routing.strategy}
              options={STRATEGIES}
              onChange={async (strategy) => {
                const failure = await change("proxy.set", { alias, strategy }, "Strategy set");
                if (failure) failed(failure.message);
              }}
            />
          </div>
          <button type="button" onClick={() => setAdding(!adding)} aria-expanded={adding}>
            <Icon name="plus" />
            Add a rule
          </button>
        </>
      }
    >
      {adding && <NewRule alias={alias} done={() => setAdding(false)} />}
      <Table label="Rules" rows={routing.routes} columns={columns} id={(r) => r.name} />
    </Section>
  );
}

function Targets({ list }: { list: string[] }) {
  return (
    <span class="targets">
      {list.map((target, n) => (
        <span key={target}>
          {n > 0 && <span class="note">then </span>}
          <code>{target}</code>
        </span>
      ))}
    </span>
  );
}

function NewRule({ alias, done }: { alias: string; done: () => void }) {
  const [rule, setRule] = useState({ name: "", condition: "", targets: "", priority: "0", weight: "1" });
  const [failure, setFailure] = useState<Failure>();
  const set = (part: Partial<typeof rule>) => setRule((r) => ({ ...r, ...part }));
  const add = async (event: Event) => {
    event.preventDefault();
    const targets = rule.targets.split(/[\s,]+/).filter(Boolean);
    const route = { name: rule.name, condition: rule.condition, targets, priority: Number(rule.priority) || 0, weight: Number(rule.weight) || 0 };
    const bad = await change("proxy.add-route", { alias, route }, `Rule ${rule.name} is added`);
    setFailure(bad);
    if (!bad) done();
  };
  return (
    <form class="rule-form" onSubmit={add} autocomplete="off">
      <Text label="Name" name="rule-name" value={rule.name} onInput={(name) => set({ name })} required mono placeholder="long-context" />
      <Text label="When" name="rule-condition" value={rule.condition} onInput={(condition) => set({ condition })} required mono placeholder="tokens > 60000" help="Such as tokens > 60000, model == 'opus', has_tools, or always." />
      <Text label="Goes to" name="rule-targets" value={rule.targets} onInput={(targets) => set({ targets })} required mono placeholder="provider/model" help="Several with commas: each replaces the one before when that fails." />
      <Text label="Priority" name="rule-priority" type="number" value={rule.priority} onInput={(priority) => set({ priority })} />
      <Text label="Weight" name="rule-weight" type="number" value={rule.weight} onInput={(weight) => set({ weight })} />
      {failure && <Failed failure={failure} />}
      <div class="actions">
        <button type="submit" class="primary">
          Add rule
        </button>
        <button type="button" onClick={done}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Aliases({ routing }: { routing: Routing }) {
  const [name, setName] = useState("");
  const [target, setTarget] = useState("");
  const [failure, setFailure] = useState<Failure>();
  const rows = Object.entries(routing.aliases);
  const add = async (event: Event) => {
    event.preventDefault();
    const bad = await change("proxy.set-alias", { alias: routing.alias, name, target }, `${name} leads to ${target}`);
    setFailure(bad);
    if (!bad) {
      setName("");
      setTarget("");
    }
  };
  const remove = async (gone: string) => {
    const bad = await change("proxy.remove-alias", { alias: routing.alias, name: gone }, `${gone} is removed`);
    if (bad) failed(bad.message);
  };
  return (
    <Section title="Model names" note="asked before any rule">
      {rows.length > 0 && (
        <Table
          label="Model names"
          rows={rows}
          columns={[
            { name: "Name", cell: ([n]) => <code>{n}</code> },
            { name: "Goes to", cell: ([, t]) => <code>{t}</code> },
            {
              name: "",
              cell: ([n]) => (
                <button type="button" class="quiet" aria-label={`Remove ${n}`} onClick={() => remove(n)}>
                  <Icon name="close" />
                </button>
              ),
            },
          ]}
          id={([n]) => n}
        />
      )}
      <form class="inline" onSubmit={add} autocomplete="off">
        <Text label="Name" value={name} onInput={setName} mono required placeholder="fast*" />
        <Text label="Goes to" value={target} onInput={setTarget} mono required placeholder="provider/model" />
        <button type="submit">Add</button>
      </form>
      {failure && <Failed failure={failure} />}
    </Section>
  );
}
