// config.toml, key by key, and the daemon.
import { useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import type { Failure, Setting } from "../types";
import { setTheme, theme, type Theme } from "../theme";
import { Choice, Text } from "../ui/field";
import { Ago, Copy, Facts, Failed, Head, Loading, Section, sentence, Switcher, Warnings } from "../ui/parts";
import { failed, toast } from "../ui/toast";
import { Doctor } from "./doctor";

export function Settings() {
  const settings = useCall("config.list");
  const [filter, setFilter] = useState("");
  const rows = (settings.data?.settings ?? []).filter((s) => `${s.key} ${s.help}`.toLowerCase().includes(filter.toLowerCase()));
  const groups = new Map<string, Setting[]>();
  for (const s of rows) {
    const group = s.key.split(".")[0] ?? "";
    groups.set(group, [...(groups.get(group) ?? []), s]);
  }
  return (
    <>
      <Head title="Settings" note={settings.data && <code class="wrap">{settings.data.file}</code>}>
        <div class="find" data-filter>
          <Text label="Find a setting" value={filter} onInput={setFilter} placeholder="Find: registry, port, timeout…" />
        </div>
      </Head>
      {settings.error && <Failed failure={settings.error} retry={settings.reload} />}
      <Warnings list={settings.data?.warnings} />
      {filter === "" && (
        <div class="split">
          <Daemon />
          <Section title="This browser">
            <p class="prose">Colours are kept in this browser, everything else below in the file.</p>
            <Switcher<Theme>
              label="Theme"
              value={theme.value}
              options={[
                ["system", "As the system"],
                ["light", "Light"],
                ["dark", "Dark"],
              ]}
              onChange={setTheme}
            />
          </Section>
        </div>
      )}
      {filter === "" && <Doctor />}
      {!settings.data && settings.loading && <Loading rows={8} />}
      {settings.data && rows.length === 0 && <p class="prose">No setting has “{filter}” in its name or text.</p>}
      {[...groups].map(([name, list]) => (
        <Section key={name} title={name === "http" ? "HTTP" : name === "otel" ? "OpenTelemetry" : sentence(name)}>
          <ul class="settings">
            {list.map((s) => (
              <Row key={`${s.key} ${JSON.stringify(s.value)}`} of={s} />
            ))}
          </ul>
        </Section>
      ))}
    </>
  );
}

const shown = (value: unknown) => (value === null || value === undefined ? "" : Array.isArray(value) ? value.join(" ") : typeof value === "string" ? value : JSON.stringify(value));

function Row({ of: s }: { of: Setting }) {
  const [value, setValue] = useState(shown(s.value));
  const [failure, setFailure] = useState<Failure>();
  const own = shown(s.value) !== shown(s.default);
  const save = async (next: string | undefined) => {
    setFailure(undefined);
    try {
      const now = await call("config.set", { key: s.key, value: next });
      setValue(shown(now.value));
      const words = next === undefined ? `${s.key} has its default again` : `${s.key} is ${shown(now.value) || "empty"}`;
      toast(now.note ? `${words}; ${now.note}` : words);
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void save(value);
  };
  const flag = shown(s.default) === "on" || shown(s.default) === "off";
  return (
    <li class={own ? "own" : ""}>
      <div class="setting-text">
        <code>{s.key}</code>
        <p class="note">{sentence(s.help)}</p>
      </div>
      <form onSubmit={submit} class="setting-value bare" autocomplete="off">
        {flag ? (
          <Choice
            label={s.key}
            value={value}
            options={["on", "off"]}
            onChange={(next) => {
              setValue(next);
              void save(next);
            }}
          />
        ) : (
          <Text label={s.key} value={value} onInput={setValue} mono fault={failure?.message} placeholder={shown(s.default) || "not set"} />
        )}
        {value !== shown(s.value) && !flag && (
          <button type="submit" class="small primary">
            Save
          </button>
        )}
        {own && value === shown(s.value) && (
          <button type="button" class="small" onClick={() => save(undefined)} title={`The default is ${shown(s.default) || "empty"}`}>
            Default
          </button>
        )}
      </form>
    </li>
  );
}

function Daemon() {
  const status = useCall("daemon.status");
  const [level, setLevel] = useState("");
  const d = status.data;
  const set = async (next: string) => {
    setLevel(next);
    if (!next) return;
    try {
      await call("daemon.log-level", { level: next });
      toast(`The log has level ${next} until the daemon ends`);
    } catch (error) {
      failed(error);
    }
  };
  const rescan = async () => {
    try {
      const done = await call("usage.rescan");
      toast(`${done.requests} new requests in ${done.files} files, ${done.milliseconds} ms`);
    } catch (error) {
      failed(error);
    }
  };
  return (
    <Section title="This daemon">
      {status.error && <Failed failure={status.error} retry={status.reload} />}
      {d && (
        <Facts
          rows={[
            ["Version", `${d.version}, protocol ${d.protocol}`],
            ["Process", String(d.pid)],
            ["Up since", <Ago time={d.started} />],
            ["Kept up by", d.guards.join(", ") || "nothing"],
            ["Calls answered", d.calls.toLocaleString("en")],
            ["Contained defects", d.defects > 0 && String(d.defects)],
            ["Tree", <code class="wrap">{d.home}</code>],
            ["Log", <code class="wrap">{d.log}</code>],
            [
              "Log level",
              <div class="inline-choice">
                <Choice label="Log level" value={level} none="as configured" options={["error", "warn", "info", "debug", "trace"]} onChange={set} />
              </div>,
            ],
            ["Follow the log", <Copy text="clown daemon logs -f" />],
          ]}
        />
      )}
      <div class="actions">
        <button type="button" class="small" onClick={rescan}>
          Look for new usage now
        </button>
      </div>
    </Section>
  );
}
