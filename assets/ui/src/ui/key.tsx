// Where a key comes from: typed in, or read at each run from somewhere else.
import { Choice, Text } from "./field";

export type From = "text" | "env" | "command" | "reuse";

export interface KeyDraft {
  from: From;
  key: string;
}

export const NO_KEY: KeyDraft = { from: "text", key: "" };

export function keyInput({ from, key }: KeyDraft): object {
  if (key === "") return { from: "absent" };
  if (from === "text") return { from, key };
  if (from === "env") return { from, var: key };
  if (from === "reuse") return { from, alias: key };
  return { from, argv: key.trim().split(/\s+/) };
}

const LABELS = { text: "API key", env: "Variable", command: "Command" };
const EXAMPLES = { text: "", env: "MY_API_KEY", command: "op read op://vault/item/key" };

/** `reusable`: profiles whose key may be shared. `keyUrl`: where the provider hands keys out. */
export function KeyFields(props: { draft: KeyDraft; set: (change: KeyDraft) => void; reusable?: string[]; keyUrl?: string | null }) {
  const { from, key } = props.draft;
  const ways: [From, string][] = [
    ["text", "Store a key"],
    ["env", "Read from an environment variable"],
    ["command", "Printed by a command"],
  ];
  if (props.reusable?.length) ways.push(["reuse", "Share another profile's key"]);
  const set = (next: string) => props.set({ from, key: next });
  return (
    <>
      <Choice label="Key" name="key-from" value={from} options={ways} onChange={(next) => props.set({ from: next as From, key: "" })} />
      {from === "reuse" ? (
        <Choice label="Profile whose key is shared" name="key" value={key} none="Choose a profile" options={props.reusable ?? []} onChange={set} />
      ) : (
        <Text
          label={LABELS[from]}
          name="key"
          type={from === "text" ? "password" : "text"}
          value={key}
          mono
          onInput={set}
          placeholder={EXAMPLES[from]}
          help={
            from === "text" ? (
              <>
                It goes into your secret store and to the provider's hosts, nowhere else.
                {props.keyUrl && (
                  <>
                    {" "}
                    <a href={props.keyUrl} target="_blank" rel="noreferrer">
                      Where to get one
                    </a>
                  </>
                )}
              </>
            ) : (
              "Read at each run; clown stores no key."
            )
          }
        />
      )}
    </>
  );
}
