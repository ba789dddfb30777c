#!/usr/bin/env node
// Starts the program of this system, which came as a package of its own. Input, output, signals and exit code are the program's.
"use strict";

const { spawn } = require("child_process");
const { constants } = require("os");

const name = `@NPM_NAME@-${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "clown.exe" : "clown";
let program;
try {
  program = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(`error: the package ${name} is not installed: there is none for this system, or npm was told to leave optional packages out`);
  console.error("hint: npm install -g @NPM_NAME@ --include=optional");
  process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends these to the program too; what others send to this process is passed on.
for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`error: ${program} cannot be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  // Ends as the program did.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(128 + (constants.signals[signal] || 0)), 100);
});
