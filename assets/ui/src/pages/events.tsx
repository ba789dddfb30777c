// What happened in this life of the daemon.
import { useState } from "preact/hooks";
import { clock, count } from "../format";
import { connection, events } from "../live";
import { to } from "../route";
import type { Event } from "../types";
import { Text } from "../ui/field";
import { Empty, Head, State } from "../ui/parts";
import { type Column, Table } from "../ui/table";

function link(e: Event): string | undefined {
  const [noun, verb] = e.topic.split("/");
  if (noun === "session") return to("sessions", e.subject);
  if (noun === "proxy") return to("proxy", e.subject);
  if (noun === "profile" && verb !== "deleted") return to("profiles", e.subject);
  if (noun === "registry" || noun === "script") return to("registry");
  if (noun === "usage") return to("usage");
  if (noun === "config") return to("settings");
  return undefined;
}

const TONES: Record<string, "ok" | "idle" | "warn" | "bad"> = { failed: "bad", reached: "warn", restarted: "warn", started: "ok", created: "ok" };

const COLUMNS: Column<Event>[] = [
  { name: "Time", cell: (e) => <time dateTime={e.time}>{clock(e.time)}</time> },
  { name: "What", cell: (e) => <State tone={TONES[e.topic.split("/")[1] ?? ""] ?? "idle"}>{e.topic}</State> },
  {
    name: "Of",
    cell: (e) => {
      const href = link(e);
      const text = <code class="wrap">{e.subject}</code>;
      return href ? <a href={href}>{text}</a> : text;
    },
  },
  { name: "Number", cell: (e) => e.seq, numeric: true, from: "mid" },
];

export function Events() {
  const [filter, setFilter] = useState("");
  const rows = events.value.filter((e) => `${e.topic} ${e.subject}`.includes(filter));
  return (
    <>
      <Head title="Events" note="What changed since the daemon started; the last 500. It comes in as it happens." />
      <div class="filters" data-filter>
        <Text label="Find" value={filter} onInput={setFilter} placeholder="session/, an alias…" />
        <span class="note">{count(rows.length)} shown</span>
      </div>
      {rows.length === 0 ? (
        <Empty icon="events" title={filter ? "No event fits" : connection.value === "live" ? "Nothing has happened yet" : "Not connected"}>
          <p>Make or run a profile, and it shows here.</p>
        </Empty>
      ) : (
        <Table label="Events" rows={rows} columns={COLUMNS} id={(e) => `${e.epoch} ${e.seq}`} />
      )}
    </>
  );
}
