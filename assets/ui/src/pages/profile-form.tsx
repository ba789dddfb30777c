// A new profile: what is asked depends on what was answered, and a dry run shows what would come of it.
import { useEffect, useRef, useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import { go, place, to } from "../route";
import type { Choices, Created, Failure } from "../types";
import { Check, Choice, Text } from "../ui/field";
import { type KeyDraft, KeyFields, keyInput, NO_KEY } from "../ui/key";
import { Empty, Facts, Failed, Head, Hint, Loading, Warnings } from "../ui/parts";
import { toast } from "../ui/toast";

interface Draft extends KeyDraft {
  agent: string;
  provider: string;
  alias: string;
  model: string;
  endpoint: string;
  isolation: string;
  template: string;
  proxy: boolean;
}

function body(d: Draft, dry_run: boolean): object {
  const settings = Object.fromEntries(Object.entries({ model: d.model, endpoint: d.endpoint, isolation: d.isolation }).filter(([, value]) => value !== ""));
  return { agent: d.agent, provider: d.provider, alias: d.alias, settings, key: keyInput(d), proxy: d.proxy, ...(d.template && { template: d.template }), dry_run };
}

export function ProfileForm() {
  const [draft, setDraft] = useState<Draft>(() => ({
    agent: place.peek().query.get("agent") ?? "",
    provider: place.peek().query.get("provider") ?? "",
    alias: "",
    model: "",
    endpoint: "",
    isolation: "",
    ...NO_KEY,
    template: "",
    proxy: false,
  }));
  const set = (change: Partial<Draft>) => setDraft((d) => ({ ...d, ...change }));
  const options = useCall("profiles.options", { ...(draft.agent && { agent: draft.agent }), ...(draft.provider && { provider: draft.provider }) });
  // What was known stays while the next answer is on its way.
  const kept = useRef<Choices | undefined>(undefined);
  if (options.data) kept.current = options.data;
  const choices = kept.current;
  const templates = useCall("templates.list", draft.agent ? { agent: draft.agent } : null);
  const preview = usePreview(draft, choices);
  const [busy, setBusy] = useState(false);

  const create = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const made = await call("profiles.create", body(draft, false));
      toast(`Profile ${made.profile.alias} is ready: clown run ${made.profile.alias}`);
      go("profiles", made.profile.alias);
    } catch (error) {
      preview.fail(failureOf(error));
    } finally {
      setBusy(false);
    }
  };

  if (!choices) {
    return (
      <>
        <Head title="New profile" back={{ href: to("profiles"), text: "Profiles" }} />
        {options.error ? <Failed failure={options.error} retry={options.reload} /> : <Loading rows={6} />}
      </>
    );
  }
  const taken = preview.failure?.code === "already_exists";
  return (
    <>
      <Head title="New profile" back={{ href: to("profiles"), text: "Profiles" }} />
      <div class="form-page">
        <form onSubmit={create} autocomplete="off">
          <Choice label="Agent" name="agent" value={draft.agent} none="Choose an agent" options={choices.agents} onChange={(agent) => set({ agent, template: "", model: "" })} />
          <Choice
            label="Provider"
            name="provider"
            value={draft.provider}
            none="Choose a provider"
            options={choices.providers}
            onChange={(provider) => set({ provider, model: "", endpoint: "" })}
            help={draft.provider === "self" ? "The agent's own login; clown hands over no key." : "Who serves the model."}
          />
          <Text
            label="Name"
            name="alias"
            value={draft.alias}
            onInput={(alias) => set({ alias })}
            mono
            required
            placeholder={draft.provider && draft.agent ? `${draft.agent}-${draft.provider}` : "work"}
            fault={taken ? preview.failure?.message : undefined}
            help="What you type to run it. Lower-case letters, digits, dot, dash and underscore."
          />
          {draft.provider !== "" && choices.needs_key && <KeyFields draft={draft} set={set} reusable={choices.reusable} keyUrl={choices.key_url} />}
          <Text label="Model" name="model" value={draft.model} onInput={(model) => set({ model })} list={choices.models} mono placeholder="the provider's default" />
          <details class="more">
            <summary>More settings</summary>
            <Text
              label="Endpoint"
              name="endpoint"
              value={draft.endpoint}
              onInput={(endpoint) => set({ endpoint })}
              list={choices.regions}
              mono
              placeholder="the provider's default"
              help="A region of the provider, or an address of your own."
            />
            <Choice
              label="Isolation"
              name="isolation"
              value={draft.isolation}
              none="as the agent has it"
              options={[
                ["home-wrapper", "own home, linked to yours"],
                ["config-dir", "only the agent's own directory"],
              ]}
              onChange={(isolation) => set({ isolation })}
            />
            {(templates.data?.templates.length ?? 0) > 0 && (
              <Choice
                label="Template"
                name="template"
                value={draft.template}
                none="none"
                options={(templates.data?.templates ?? []).map((t) => [t.name, `${t.name}: ${t.description}`])}
                onChange={(template) => set({ template })}
              />
            )}
            <Check
              label="Send requests through a proxy"
              name="proxy"
              checked={draft.proxy}
              onChange={(proxy) => set({ proxy })}
              help="For rules that route by content, cost or time. It is used by itself where agent and provider speak different formats."
            />
          </details>
          <div class="actions">
            <button type="submit" class="primary" disabled={busy || !draft.agent || !draft.provider || !draft.alias}>
              {busy ? "Making it…" : "Create profile"}
            </button>
            <a class="button" href={to("profiles")}>
              Cancel
            </a>
          </div>
        </form>
        <aside class="preview" aria-label="Preview" aria-live="polite">
          <Preview draft={draft} created={preview.created} failure={taken ? undefined : preview.failure} />
        </aside>
      </div>
    </>
  );
}

/** A dry run of the draft, a moment after it changed; only the last one counts. */
function usePreview(draft: Draft, choices: Choices | undefined) {
  const [state, setState] = useState<{ created?: Created; failure?: Failure }>({});
  const turn = useRef(0);
  useEffect(() => {
    const mine = (turn.current += 1);
    const ready = draft.agent && draft.provider && draft.alias && (!choices?.needs_key || draft.key);
    if (!ready) {
      setState({});
      return;
    }
    const timer = window.setTimeout(async () => {
      let next: { created?: Created; failure?: Failure };
      try {
        next = { created: await call("profiles.create", body(draft, true)) };
      } catch (error) {
        next = { failure: failureOf(error) };
      }
      if (mine === turn.current) setState(next);
    }, 220);
    return () => window.clearTimeout(timer);
  }, [draft, choices?.needs_key]);
  return { ...state, fail: (failure: Failure) => setState({ failure }) };
}

function Preview({ draft, created, failure }: { draft: Draft; created?: Created; failure?: Failure }) {
  if (failure) {
    return (
      <>
        <h2>Not yet</h2>
        <Failed failure={failure} />
        {failure.review && <Hint text={`read and agree to it on the registry page`} />}
      </>
    );
  }
  if (!created) {
    return (
      <Empty icon="profiles" title="What would be made shows here">
        <p>{draft.agent && draft.provider ? "Give it a name, and a key if the provider needs one." : "Choose an agent and a provider first."}</p>
      </Empty>
    );
  }
  const p = created.profile;
  return (
    <>
      <h2>This would be made</h2>
      <Facts
        rows={[
          ["Run it", <code>clown run {p.alias}</code>],
          ["Agent", p.agent],
          ["Provider", p.provider],
          ["Model", p.model ?? "the provider's default"],
          ["Home", <code class="wrap">{p.home}</code>],
          ["Key goes to", p.approved_hosts?.join(", ")],
        ]}
      />
      {created.files.length > 0 && (
        <>
          <h3>Files in the home</h3>
          <ul class="files">
            {created.files.map((file) => (
              <li key={file}>
                <code>{file}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      <Warnings list={created.warnings} />
      <Warnings list={created.notes} tone="note" />
    </>
  );
}
