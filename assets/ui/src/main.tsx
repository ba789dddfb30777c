// Starts the program in the browser.
import { render } from "preact";
import { access, login } from "./client";
import { App } from "./app";
import { listen } from "./live";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/tables.css";
import "./style/pages.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  await login().catch(() => undefined);
  render(<App />, root);
  // A stranger gets no socket, so none is asked for before the first answer.
  const stop = access.subscribe((now) => {
    if (now !== "granted") return;
    queueMicrotask(() => stop());
    listen();
  });
}
