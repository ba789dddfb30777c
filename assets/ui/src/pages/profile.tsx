// One profile: what it is, its settings, and how to part with it.
import { useEffect, useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import { ZONE } from "../format";
import { go, to } from "../route";
import type { Failure, ProfileDetail } from "../types";
import { Dialog } from "../ui/dialog";
import { Check, Choice, Text } from "../ui/field";
import { keyInput } from "../ui/key";
import { Ago, Copy, Cost, Facts, Failed, Head, Loading, Section, Tag, Tokens, Warnings } from "../ui/parts";
import { toast } from "../ui/toast";
import { SessionTable } from "./sessions";

export function ProfilePage({ alias }: { alias: string }) {
  const detail = useCall("profiles.inspect", { alias });
  const [asking, setAsking] = useState<"delete" | "rename" | "clone" | undefined>();
  const back = { href: to("profiles"), text: "Profiles" };
  const d = detail.data;
  if (!d) {
    return (
      <>
        <Head title={alias} back={back} />
        {detail.error ? <Failed failure={detail.error} retry={detail.reload} /> : <Loading rows={6} />}
      </>
    );
  }
  const p = d.profile;
  return (
    <>
      <Head title={alias} back={back} note={`${p.agent} on ${p.provider}`}>
        <Copy text={`clown run ${alias}`} label="the run command" />
        <button type="button" onClick={() => setAsking("rename")}>
          Rename
        </button>
        <button type="button" onClick={() => setAsking("clone")}>
          Clone
        </button>
        <button type="button" class="danger" onClick={() => setAsking("delete")}>
          Delete
        </button>
      </Head>
      {detail.error && <Failed failure={detail.error} retry={detail.reload} />}
      <Warnings list={d.warnings} />
      <div class="split">
        <Section title="In effect">
          <Facts
            rows={[
              ["Model", d.effective_model ?? "the agent decides"],
              ["Address", d.base_url && <code class="wrap">{d.base_url}</code>],
              ["Key", d.key],
              ["Key may go to", p.approved_hosts?.join(", ")],
              ["Proxy", <a href={to("proxy", alias)}>{d.proxy === "off" ? "off" : d.proxy === "needed" ? "used, since the formats differ" : "enabled"}</a>],
              ["Isolation", p.isolation === "home-wrapper" ? "own home, linked to yours" : "only the agent's own directory"],
              ["Home", <code class="wrap">{p.home}</code>],
              ["Made", <Ago time={p.created} />],
              ["Last used", p.last_used && <Ago time={p.last_used} />],
            ]}
          />
        </Section>
        <Edit key={JSON.stringify(p)} detail={d} />
      </div>
      <Used alias={alias} />
      {asking === "delete" && <Delete alias={alias} home={p.home} close={() => setAsking(undefined)} />}
      {asking && asking !== "delete" && <Named alias={alias} task={asking} close={() => setAsking(undefined)} />}
    </>
  );
}

/** Lines `NAME=value`, as an edit that also removes what is gone. */
function envChange(text: string, before: Record<string, string>): Record<string, string | null> {
  const next: Record<string, string | null> = Object.fromEntries(Object.keys(before).map((name) => [name, null]));
  for (const line of text.split("\n").filter((l) => l.trim() !== "")) {
    const at = line.indexOf("=");
    next[(at < 0 ? line : line.slice(0, at)).trim()] = at < 0 ? "" : line.slice(at + 1);
  }
  return next;
}

const lines = (map: Record<string, string> | undefined) =>
  Object.entries(map ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");

function Edit({ detail }: { detail: ProfileDetail }) {
  const p = detail.profile;
  const options = useCall("profiles.options", { agent: p.agent, provider: p.provider });
  const [form, setForm] = useState({
    model: p.model ?? "",
    endpoint: p.endpoint ?? "",
    isolation: p.isolation as string,
    args: (p.args ?? []).join("\n"),
    env: lines(p.env),
    preferences: lines(p.preferences),
    key: "",
  });
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<typeof form>) => setForm((f) => ({ ...f, ...change }));
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    const args = form.args.split("\n").filter((a) => a !== "");
    const unset = (["model", "endpoint"] as const).filter((name) => form[name] === "" && p[name] !== undefined);
    const settings = {
      ...(form.model !== "" && { model: form.model }),
      ...(form.endpoint !== "" && { endpoint: form.endpoint }),
      ...(form.isolation !== p.isolation && { isolation: form.isolation }),
      args,
      env: envChange(form.env, p.env ?? {}),
      preferences: envChange(form.preferences, p.preferences ?? {}),
    };
    try {
      const done = await call("profiles.edit", { alias: p.alias, settings, key: keyInput({ from: "text", key: form.key }), unset });
      toast(done.warnings?.length ? `Saved. ${done.warnings.join(" ")}` : "Saved");
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title="Settings">
      <form onSubmit={save} autocomplete="off">
        <Text label="Model" name="model" value={form.model} onInput={(model) => set({ model })} list={options.data?.models} mono placeholder="the default" />
        <Text label="Endpoint" name="endpoint" value={form.endpoint} onInput={(endpoint) => set({ endpoint })} list={options.data?.regions} mono placeholder="the default" />
        {options.data?.needs_key && (
          <Text label="Replace the key" name="key" type="password" value={form.key} onInput={(key) => set({ key })} mono placeholder="leave empty to keep it" />
        )}
        <details class="more">
          <summary>Arguments, environment, isolation</summary>
          <Text label="Arguments" name="args" value={form.args} onInput={(args) => set({ args })} lines={2} mono help="One on each line; put before those of a run." />
          <Text label="Environment" name="env" value={form.env} onInput={(env) => set({ env })} lines={3} mono help="NAME=value, one on each line." />
          <Text label="Preferences" name="preferences" value={form.preferences} onInput={(preferences) => set({ preferences })} lines={2} mono help="NAME=value, for the agent's set-up script." />
          <Choice
            label="Isolation"
            name="isolation"
            value={form.isolation}
            options={[
              ["home-wrapper", "own home, linked to yours"],
              ["config-dir", "only the agent's own directory"],
            ]}
            onChange={(isolation) => set({ isolation })}
          />
        </details>
        {failure && <Failed failure={failure} />}
        <div class="actions">
          <button type="submit" class="primary" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Section>
  );
}

function Used({ alias }: { alias: string }) {
  const sessions = useCall("sessions.list", { profile: alias, live: false, limit: 8 });
  const usage = useCall("usage.summary", { select: { period: "30d", timezone: ZONE, profiles: [alias] } });
  const totals = usage.data?.totals;
  return (
    <Section
      title="Sessions"
      note={
        totals && (
          <>
            <Cost of={totals} /> for <Tokens n={totals.total_tokens} /> tokens in 30 days
          </>
        )
      }
      tools={<a href={`${to("sessions")}?profile=${encodeURIComponent(alias)}`}>All</a>}
    >
      {sessions.error && <Failed failure={sessions.error} retry={sessions.reload} />}
      {sessions.data &&
        (sessions.data.sessions.length > 0 ? (
          <SessionTable rows={sessions.data.sessions} profile={false} />
        ) : (
          <p class="prose">
            It has not been run yet. <Tag>clown run {alias}</Tag>
          </p>
        ))}
    </Section>
  );
}

function Delete({ alias, home, close }: { alias: string; home: string; close: () => void }) {
  const [purge, setPurge] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const remove = async (event: Event) => {
    event.preventDefault();
    try {
      const done = await call("profiles.delete", { alias, purge });
      toast(done.kept_home ? `Profile ${alias} is gone; its home stays in ${done.kept_home}` : `Profile ${alias} is gone`);
      go("profiles");
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  return (
    <Dialog title={`Delete ${alias}?`} onClose={close}>
      <form onSubmit={remove}>
        <p>The profile and its settings go. A stored key goes too, unless another profile shares it.</p>
        <Check label="Remove its home as well" name="purge" checked={purge} onChange={setPurge} help={home} />
        {failure && <Failed failure={failure} />}
        <div class="actions">
          <button type="submit" class="danger">
            Delete
          </button>
          <button type="button" onClick={close}>
            Keep it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Named({ alias, task, close }: { alias: string; task: "rename" | "clone"; close: () => void }) {
  const [to, setTo] = useState(task === "clone" ? `${alias}-2` : alias);
  const [failure, setFailure] = useState<Failure>();
  useEffect(() => setFailure(undefined), [to]);
  const run = async (event: Event) => {
    event.preventDefault();
    try {
      await call(`profiles.${task}`, { alias, to });
      toast(task === "rename" ? `${alias} is ${to} now` : `${to} has the settings and key of ${alias}`);
      go("profiles", to);
      close();
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  return (
    <Dialog title={task === "rename" ? `Rename ${alias}` : `Clone ${alias}`} onClose={close}>
      <form onSubmit={run}>
        <Text label="New name" name="to" value={to} onInput={setTo} mono required fault={failure?.message} help={task === "clone" ? "The home is a fresh one." : "The home moves along."} />
        <div class="actions">
          <button type="submit" class="primary">
            {task === "rename" ? "Rename" : "Clone"}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
