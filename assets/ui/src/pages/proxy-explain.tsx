// Which rule a request would take, asked again with each change of request or rules.
import { useEffect, useRef, useState } from "preact/hooks";
import { call, failureOf } from "../client";
import type { Explanation, Failure, Routing } from "../types";
import { Text } from "../ui/field";
import { Facts, Failed, Section, State } from "../ui/parts";

const EXAMPLE = JSON.stringify({ model: "sonnet", max_tokens: 1024, messages: [{ role: "user", content: "Why does this test fail?" }] }, null, 2);

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** Why: what is not said by the condition itself. */
function Reasons({ step }: { step: Explanation["steps"][number] }) {
  const said = step.reasons.filter((reason) => reason !== step.condition);
  if (said.length === 0) return null;
  const rest = said.length - SHOWN;
  return (
    <span class="note">
      {said.slice(0, SHOWN).join(", ")}
      {rest > 0 && `, and ${rest} more like these`}
    </span>
  );
}

const SHOWN = 3;

export function Explain({ alias, routing }: { alias: string; routing: Routing }) {
  const [request, setRequest] = useState(EXAMPLE);
  const [state, setState] = useState<{ says?: Explanation; failure?: Failure }>({});
  const turn = useRef(0);
  useEffect(() => {
    const mine = (turn.current += 1);
    const timer = window.setTimeout(async () => {
      let next: typeof state;
      try {
        next = { says: await call("proxy.explain", { alias, request: base64(request) }) };
      } catch (error) {
        next = { failure: failureOf(error) };
      }
      if (mine === turn.current) setState(next);
    }, 200);
    return () => window.clearTimeout(timer);
  }, [alias, request, routing]);
  const e = state.says;
  return (
    <Section title="Where would a request go?" note="nothing is sent">
      <div class="explain">
        <Text label="Request, as the agent would send it" name="explain-request" value={request} onInput={setRequest} lines={9} mono />
        <div class="explain-answer" aria-live="polite">
          {state.failure && <Failed failure={state.failure} />}
          {e && (
            <>
              <p class="explain-target" data-explain={e.rule ?? ""}>
                {e.rule ? (
                  <>
                    By <b>{e.rule}</b> to{" "}
                    {e.targets.map((t, n) => (
                      <span key={t.target}>
                        {n > 0 && <span class="note"> then </span>}
                        <code>{t.target}</code>
                      </span>
                    ))}
                  </>
                ) : (
                  "No rule holds: it would be refused."
                )}
              </p>
              <ol class="steps">
                {e.steps.map((s) => (
                  <li key={s.rule} class={s.rule === e.rule ? "taken" : ""}>
                    <State tone={s.holds ? "ok" : "idle"}>{s.rule}</State>
                    <code class="wrap">{s.condition}</code>
                    <Reasons step={s} />
                  </li>
                ))}
              </ol>
              <details class="more">
                <summary>What rules can ask about it</summary>
                <Facts rows={Object.entries(e.facts).map(([name, value]) => [name, <code>{value}</code>])} />
              </details>
            </>
          )}
        </div>
      </div>
    </Section>
  );
}
