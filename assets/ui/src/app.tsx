// The frame around every page: navigation, state of the connection, theme.
import { useEffect, useState } from "preact/hooks";
import { access } from "./client";
import { connection } from "./live";
import { Agents } from "./pages/agents";
import { Dashboard } from "./pages/dashboard";
import { Events } from "./pages/events";
import { ProfileForm } from "./pages/profile-form";
import { ProfilePage } from "./pages/profile";
import { Profiles } from "./pages/profiles";
import { Providers } from "./pages/providers";
import { Proxies } from "./pages/proxy";
import { ProxyPage } from "./pages/proxy-rules";
import { Registry } from "./pages/registry";
import { SessionPage } from "./pages/session";
import { Sessions } from "./pages/sessions";
import { Settings } from "./pages/settings";
import { Usage } from "./pages/usage";
import { go, place, to } from "./route";
import { setTheme, type Theme, theme } from "./theme";
import { Icon, type IconName } from "./ui/icons";
import { Copy, Empty } from "./ui/parts";
import { Toasts } from "./ui/toast";

const NAV: [string, string, IconName, string][][] = [
  [
    ["dashboard", "Dashboard", "dashboard", "d"],
    ["usage", "Usage", "usage", "u"],
    ["sessions", "Sessions", "sessions", "s"],
  ],
  [
    ["profiles", "Profiles", "profiles", "p"],
    ["agents", "Agents", "agents", "a"],
    ["providers", "Providers", "providers", "v"],
    ["proxy", "Proxy", "proxy", "x"],
  ],
  [
    ["registry", "Registry", "registry", "r"],
    ["settings", "Settings", "settings", "t"],
    ["events", "Events", "events", "e"],
  ],
];

function page() {
  const { page, rest } = place.value;
  const [first, second] = rest;
  switch (page) {
    case "dashboard":
      return <Dashboard />;
    case "usage":
      return <Usage />;
    case "sessions":
      return first ? <SessionPage key={first} id={first} /> : <Sessions />;
    case "profiles":
      if (first === "new" && second === undefined) return <ProfileForm />;
      return first ? <ProfilePage key={first} alias={first === "new" ? (second ?? "") : first} /> : <Profiles />;
    case "agents":
      return <Agents />;
    case "providers":
      return <Providers />;
    case "proxy":
      return first ? <ProxyPage key={first} alias={first} /> : <Proxies />;
    case "registry":
      return <Registry />;
    case "settings":
      return <Settings />;
    case "events":
      return <Events />;
    default:
      return (
        <Empty icon="search" title="There is no such page">
          <a href={to("dashboard")}>To the dashboard</a>
        </Empty>
      );
  }
}

export function App() {
  const [open, setOpen] = useState(false);
  const at = place.value.page;
  useEffect(() => setOpen(false), [place.value]);
  useEffect(shortcuts, []);
  if (access.value === "denied") return <SignedOut />;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        To the content
      </a>
      <div class={`shell ${open ? "open" : ""}`}>
        <header class="bar">
          <button type="button" class="quiet" aria-label="Menu" aria-expanded={open} aria-controls="nav" onClick={() => setOpen(!open)}>
            <Icon name={open ? "close" : "menu"} />
          </button>
          <Brand />
          <Connection />
        </header>
        <nav class="side" id="nav" aria-label="Pages">
          <Brand />
          <div class="pages">
            {NAV.map((group, n) => (
              <ul key={n}>
                {group.map(([id, text, icon, key]) => (
                  <li key={id}>
                    <a href={to(id)} aria-current={at === id ? "page" : undefined} title={`${text} (g ${key})`}>
                      <Icon name={icon} />
                      {text}
                    </a>
                  </li>
                ))}
              </ul>
            ))}
          </div>
          <div class="side-foot">
            <Connection />
            <ThemeSwitch />
          </div>
        </nav>
        <main id="main" tabIndex={-1}>
          {page()}
        </main>
      </div>
      <Toasts />
    </>
  );
}

function Brand() {
  return (
    <a class="brand" href={to("dashboard")}>
      <img src="./icon.svg" alt="" width="22" height="22" />
      clown
    </a>
  );
}

function Connection() {
  const words = { connecting: "Connecting", live: "Live", lost: "Reconnecting" }[connection.value];
  const tone = { connecting: "idle", live: "ok", lost: "warn" }[connection.value];
  return (
    <span class={`state connection ${tone}`} role="status">
      <i aria-hidden="true" />
      {words}
    </span>
  );
}

function ThemeSwitch() {
  const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
  const words = { system: "as the system", light: "light", dark: "dark" };
  return (
    <button type="button" class="quiet theme" onClick={() => setTheme(next[theme.value])} title={`Theme: ${words[theme.value]}`} aria-label={`Theme: ${words[theme.value]}. Change it`}>
      <Icon name={theme.value} />
    </button>
  );
}

function SignedOut() {
  return (
    <main class="signed-out" id="main">
      <img src="./icon.svg" alt="" width="40" height="40" />
      <h1>This browser is not logged in</h1>
      <p>The daemon on this machine answers only to you. A link that works once logs this browser in:</p>
      <Copy text="clown ui" />
      <p class="note">On another terminal than this desktop, clown ui --print shows the link.</p>
    </main>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("main")?.focus();
}

/** `g` and the letter of a page; `/` to the filter. */
function shortcuts(): () => void {
  let before = 0;
  const press = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
    if (event.key === "/") {
      const filter = document.querySelector<HTMLElement>("[data-filter] input");
      if (filter) event.preventDefault();
      filter?.focus();
    }
    const page = NAV.flat().find(([, , , key]) => key === event.key)?.[0];
    if (page && event.timeStamp - before < 1200) go(page);
    before = event.key === "g" ? event.timeStamp : 0;
  };
  window.addEventListener("keydown", press);
  return () => window.removeEventListener("keydown", press);
}
