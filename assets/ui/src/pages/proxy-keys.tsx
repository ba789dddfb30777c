// Keys a proxy may use: the profile's own, and those for targets of other providers.
import { useState } from "preact/hooks";
import { useCall } from "../data";
import type { Failure, Routing } from "../types";
import { Choice } from "../ui/field";
import { Icon } from "../ui/icons";
import { KeyFields, keyInput, NO_KEY } from "../ui/key";
import { Failed, Section } from "../ui/parts";
import { Table } from "../ui/table";
import { failed } from "../ui/toast";
import { change } from "./proxy-change";

export function Keys({ routing: r }: { routing: Routing }) {
  const { alias } = r;
  const [adding, setAdding] = useState(false);
  const remove = async (number: number) => {
    const failure = await change("proxy.remove-key", { alias, number }, "The key is removed");
    if (failure) failed(failure.message);
  };
  return (
    <Section
      title="Keys"
      tools={
        <button type="button" onClick={() => setAdding(!adding)} aria-expanded={adding}>
          <Icon name="plus" />
          Add a key
        </button>
      }
    >
      {adding && <NewKey alias={alias} done={() => setAdding(false)} />}
      <Table
        label="Keys"
        rows={r.keys}
        columns={[
          { name: "Provider", cell: (k) => (k.number === 0 ? <>{k.provider} <span class="note">(the profile's)</span></> : k.provider) },
          { name: "Key", cell: (k) => k.key },
          { name: "May go to", cell: (k) => k.approved_hosts.join(", "), from: "mid" },
          {
            name: "",
            cell: (k) =>
              k.number > 0 && (
                <button type="button" class="quiet" aria-label={`Remove key ${k.number}`} onClick={() => remove(k.number)}>
                  <Icon name="close" />
                </button>
              ),
          },
        ]}
        id={(k) => String(k.number)}
      />
    </Section>
  );
}

function NewKey({ alias, done }: { alias: string; done: () => void }) {
  const providers = useCall("providers.list").data?.providers.filter((p) => p.kind === "remote") ?? [];
  const [provider, setProvider] = useState("");
  const [draft, setDraft] = useState(NO_KEY);
  const [failure, setFailure] = useState<Failure>();
  const add = async (event: Event) => {
    event.preventDefault();
    const bad = await change("proxy.add-key", { alias, provider, key: keyInput(draft) }, "The key is added");
    setFailure(bad);
    if (!bad) done();
  };
  return (
    <form onSubmit={add} autocomplete="off">
      <Choice label="Provider" name="key-provider" value={provider} none="Choose a provider" options={providers.map((p): [string, string] => [p.id, p.name])} onChange={setProvider} help="For targets of this provider. It may go to the hosts of its endpoints." />
      <KeyFields draft={draft} set={setDraft} />
      {failure && <Failed failure={failure} />}
      <div class="actions">
        <button type="submit" class="primary" disabled={!provider || !draft.key}>
          Add key
        </button>
        <button type="button" onClick={done}>
          Cancel
        </button>
      </div>
    </form>
  );
}
