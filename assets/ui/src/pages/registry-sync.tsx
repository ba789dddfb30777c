// A sync under way: it goes on when the page changes.
import { signal } from "@preact/signals";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import { bytes, plural } from "../format";
import type { Failure, Synced, SyncProgress as Progress } from "../types";
import { Failed, Meter, Section, State, Warnings } from "../ui/parts";
import { Icon } from "../ui/icons";

type Sync = { at: "idle" } | { at: "running" } | { at: "done"; synced: Synced } | { at: "failed"; failure: Failure };

export const sync = signal<Sync>({ at: "idle" });

export async function startSync(): Promise<void> {
  if (sync.peek().at === "running") return;
  sync.value = { at: "running" };
  try {
    sync.value = { at: "done", synced: await call("registry.sync", { force: false }) };
  } catch (error) {
    sync.value = { at: "failed", failure: failureOf(error) };
  }
}

/** In the order in which they come. */
const STAGES: [Progress["stage"], string][] = [
  ["index", "Asking for the signed index"],
  ["fetch", "Fetching entries"],
  ["check", "Checking entries"],
  ["commit", "Bringing into force"],
  ["prices", "Taking prices"],
];

export function SyncProgress() {
  const now = sync.value;
  // Also one that a terminal or the clock began.
  const progress = useCall("registry.progress").data;
  const running = now.at === "running" || (progress !== undefined && progress.stage !== "idle");
  if (running) return <Running of={progress} />;
  if (now.at === "failed") {
    return (
      <Section title="The sync failed" tools={<Close />}>
        <Failed failure={now.failure} retry={() => void startSync()} />
      </Section>
    );
  }
  return now.at === "done" ? <Done of={now.synced} /> : null;
}

function Running({ of: p }: { of?: Progress }) {
  const stage = STAGES.findIndex(([id]) => id === p?.stage);
  const share = p && p.total > 0 ? p.done / p.total : 0;
  const percent = (100 * (Math.max(0, stage) + share)) / STAGES.length;
  return (
    <Section title="Syncing" note={p && p.total > 0 ? `${p.done} of ${p.total}` : undefined}>
      <div class="sync">
        <Meter percent={Math.max(3, percent)} label="Progress of the sync" />
        <ol class="stages">
          {STAGES.map(([id, text], n) => (
            <li key={id} class={n === stage ? "now" : n < stage ? "past" : ""} aria-current={n === stage ? "step" : undefined}>
              {text}
            </li>
          ))}
        </ol>
      </div>
    </Section>
  );
}

function Done({ of: s }: { of: Synced }) {
  const changes = [s.new > 0 && `${s.new} new or changed`, s.kept > 0 && `${s.kept} kept`, s.removed > 0 && `${s.removed} gone`].filter(Boolean).join(", ");
  return (
    <Section title={s.changed || s.prices?.changed ? "Synced" : "Nothing new"} tools={<Close />}>
      <p class="sync-done" data-sync={s.changed ? "changed" : "same"}>
        {s.commit && <State tone="ok">{`Version ${s.version} of ${s.channel} is in force`}</State>}
        {s.prices?.changed && <State tone="ok">{`Prices of ${s.prices.models.toLocaleString("en")} models are taken`}</State>}
        <span class="note">
          {changes && `${changes}; `}
          {bytes(s.bytes)} in {plural(s.requests, "request")}
        </span>
      </p>
      <Warnings list={s.notes} tone="note" />
      {s.prices?.refused && <Warnings list={[`The old prices stay: ${s.prices.refused}`]} />}
    </Section>
  );
}

function Close() {
  return (
    <button type="button" class="quiet" aria-label="Close" onClick={() => (sync.value = { at: "idle" })}>
      <Icon name="close" />
    </button>
  );
}
