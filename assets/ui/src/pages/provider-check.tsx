// Asks a provider: does it answer, does it take the key, which models does it serve, what is left.
import { useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { plural } from "../format";
import type { Failure, Probed, QuotaRow } from "../types";
import { Failed, Hint, State } from "../ui/parts";

type Answer = { probed?: Probed; quota?: QuotaRow; failure?: Failure };

/** `profiles`: those whose key can be tried. Nothing is asked before a button is pressed: it is the provider who answers. */
export function Check({ id, profiles }: { id: string; profiles: string[] }) {
  const [busy, setBusy] = useState<string>();
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const ask = async (whose: string, what: () => Promise<Answer>) => {
    setBusy(whose);
    let answer: Answer;
    try {
      answer = await what();
    } catch (error) {
      answer = { failure: failureOf(error) };
    }
    setAnswers((all) => ({ ...all, [whose]: answer }));
    setBusy(undefined);
  };
  const probe = (profile?: string) => ask(profile ?? "", async () => ({ probed: await call("providers.probe", { id, profile }) }));
  const quota = (alias: string) => ask(alias, async () => ({ quota: (await call("providers.quota", { alias })).profiles[0] }));
  return (
    <>
      <h3>Check</h3>
      <ul class="checks">
        {["", ...profiles].map((whose) => (
          <li key={whose} data-check={whose || "address"}>
            <span>{whose ? <>key of <b>{whose}</b></> : "address"}</span>
            <button type="button" class="small" disabled={busy !== undefined} onClick={() => probe(whose || undefined)}>
              {busy === whose ? "Asking…" : whose ? "Does it take the key?" : "Does it answer?"}
            </button>
            {whose && (
              <button type="button" class="small" disabled={busy !== undefined} onClick={() => quota(whose)}>
                What is left?
              </button>
            )}
            <Said of={answers[whose]} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Said({ of }: { of?: Answer }) {
  if (of?.failure) return <Failed failure={of.failure} />;
  if (of?.probed) {
    const { outcome, message, fix, milliseconds, models } = of.probed;
    const good = outcome === "ok" || outcome === "reached";
    return (
      <div class="said" role="status">
        <State tone={good ? "ok" : "bad"}>{message}</State>
        <span class="note">{[typeof milliseconds === "number" && `${milliseconds} ms`, models?.length && plural(models.length, "model")].filter(Boolean).join(" · ")}</span>
        {fix && <Hint text={fix} />}
      </div>
    );
  }
  if (of?.quota) {
    const { figures = [], message } = of.quota;
    return (
      <div class="said" role="status">
        {figures.map((f) => (
          <p key={f.name}>
            {f.name}: <b class="num">{amount(f.left ?? f.used, f.unit)}</b>
            {typeof f.left === "number" ? " left" : " used"}
            {typeof f.limit === "number" && ` of ${amount(f.limit, f.unit)}`}
          </p>
        ))}
        {message && <p class="note">{message}</p>}
      </div>
    );
  }
  return null;
}

function amount(value: number | null | undefined, unit: string | null | undefined): string {
  const shown = typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : "unknown";
  return unit ? (unit === "%" ? `${shown} %` : `${shown} ${unit}`) : shown;
}
