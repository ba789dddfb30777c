// Starts the program in the browser.
import { render } from "preact";
import { login } from "./client";
import { App } from "./app";
import { connect } from "./live";
import { lookAgain } from "./route";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/tables.css";
import "./style/pages.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  await login().catch(() => undefined);
  lookAgain();
  render(<App />, root);
  void connect();
}
