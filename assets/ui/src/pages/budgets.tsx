// Limits on what profiles may use: how far they are used, and setting them.
import { useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import { tokens, usd, ZONE } from "../format";
import type { BudgetState, Failure } from "../types";
import { Dialog } from "../ui/dialog";
import { Choice, Text } from "../ui/field";
import { Icon } from "../ui/icons";
import { Ago, Empty, Failed, Meter, Section } from "../ui/parts";
import { toast } from "../ui/toast";

const EVERY: [string, string][] = [
  ["day", "each day"],
  ["month", "each month"],
];
const ACTIONS: [string, string][] = [
  ["warn", "say so, and nothing else"],
  ["refuse", "refuse new runs"],
  ["route", "lead new runs to another model"],
];

export function Budgets({ list }: { list: BudgetState[] }) {
  const [open, setOpen] = useState<BudgetState | "new">();
  return (
    <Section
      title="Budgets"
      tools={
        <button type="button" onClick={() => setOpen("new")}>
          <Icon name="plus" />
          Set a limit
        </button>
      }
    >
      {list.length === 0 && (
        <Empty icon="usage" title="No limits are set">
          <p>A limit warns, refuses new runs, or leads them to another model.</p>
        </Empty>
      )}
      <ul class="budgets">
        {list.map((b) => (
          <li key={`${b.profile} ${b.every}`}>
            <p>
              <b>{b.profile}</b> <span class="note">{b.every === "day" ? "daily" : "monthly"}</span>
              <button type="button" class="small" aria-label={`Change the ${b.every === "day" ? "daily" : "monthly"} limit of ${b.profile}`} onClick={() => setOpen(b)}>
                Change
              </button>
              <span class="end num">{Math.round(b.percent)} %</span>
            </p>
            <Meter percent={b.percent} label={`Budget of ${b.profile}`} tone={b.level >= 100 ? "bad" : b.level >= 80 ? "warn" : "ok"} />
            <p class="note">
              {[typeof b.usd === "number" && `${usd(b.used_usd ?? 0)}${b.partial ? "+" : ""} of ${usd(b.usd)}`, typeof b.tokens === "number" && `${tokens(b.used_tokens)} of ${tokens(b.tokens)} tokens`]
                .filter(Boolean)
                .join(", ")}
              {" · "}
              {b.action === "warn" ? "warns" : b.action === "refuse" ? "refuses runs" : `leads to ${b.target}`} · begins anew <Ago time={b.resets_at} />
            </p>
          </li>
        ))}
      </ul>
      {open && <Editor of={open === "new" ? undefined : open} done={() => setOpen(undefined)} />}
    </Section>
  );
}

/** A profile has at most one limit for a day and one for a month, so a limit is changed by setting it again. */
function Editor({ of, done }: { of?: BudgetState; done: () => void }) {
  const profiles = useCall("profiles.list", of ? null : {});
  const [form, setForm] = useState({
    profile: of?.profile ?? "",
    every: of?.every ?? "day",
    usd: of?.usd?.toString() ?? "",
    tokens: of?.tokens?.toString() ?? "",
    action: of?.action ?? "warn",
    target: of?.action === "route" ? of.target : "",
  });
  const [failure, setFailure] = useState<Failure>();
  const set = (part: Partial<typeof form>) => setForm((f) => ({ ...f, ...part }));
  const tell = async (what: Promise<unknown>, words: string) => {
    try {
      await what;
      toast(words);
      done();
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    const { profile, every, action } = form;
    const budget = {
      profile,
      every,
      timezone: ZONE,
      action,
      ...(form.usd !== "" && { usd: Number(form.usd) }),
      ...(form.tokens !== "" && { tokens: Number(form.tokens) }),
      ...(action === "route" && { target: form.target }),
    };
    void tell(call("budgets.set", { budgets: [budget] }), `The limit of ${profile} is set`);
  };
  return (
    <Dialog title={of ? `Limit of ${of.profile}, ${of.every === "day" ? "daily" : "monthly"}` : "Set a limit"} onClose={done}>
      <form onSubmit={save} autocomplete="off">
        {!of && (
          <>
            <Choice label="Profile" name="budget-profile" value={form.profile} none="Choose a profile" options={profiles.data?.profiles.map((p) => p.alias) ?? []} onChange={(profile) => set({ profile })} />
            <Choice label="Begins anew" name="budget-every" value={form.every} options={EVERY} onChange={(every) => set({ every: every as "day" | "month" })} />
          </>
        )}
        <Text label="US dollars" name="budget-usd" type="number" value={form.usd} onInput={(usd) => set({ usd })} placeholder="no limit" />
        <Text label="Tokens" name="budget-tokens" type="number" value={form.tokens} onInput={(tokens) => set({ tokens })} placeholder="no limit" help="One of both, or both: the first one used up counts." />
        <Choice label="When it is used up" name="budget-action" value={form.action} options={ACTIONS} onChange={(action) => set({ action: action as typeof form.action })} />
        {form.action === "route" && <Text label="Goes to" name="budget-target" value={form.target} onInput={(target) => set({ target })} mono required placeholder="provider/model" help="The profile's requests must go through its proxy." />}
        {failure && <Failed failure={failure} />}
        <div class="actions">
          <button type="submit" class="primary" disabled={!form.profile || (!form.usd && !form.tokens)}>
            {of ? "Save" : "Set the limit"}
          </button>
          {of && (
            <button type="button" onClick={() => tell(call("budgets.remove", { profile: of.profile, every: of.every }), `The limit of ${of.profile} is gone`)}>
              Remove the limit
            </button>
          )}
          <button type="button" onClick={done}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
