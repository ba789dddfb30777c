//! `cargo xtask <task>`: the project's own tools. This file only matches names; each task has its file.

// What it writes below target/ is made again at the next run, and it talks on stdout.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

mod agents;
mod bench;
mod ci;
mod corpus;
mod demo;
mod dirs;
mod dist;
mod licences;
mod more;
mod outcome;
mod platforms;
mod registry;
mod scratch;
mod sdk;
mod setup;
mod shell;
mod soak;
mod tidy;
#[cfg(unix)]
mod trial;
mod ui;
mod usage;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        [] | ["--help" | "-h" | "help", ..] => usage::print(),
        ["registry", rest @ ..] => registry::task(rest),
        [_, rest @ ..] if rest.iter().any(|a| matches!(*a, "--help" | "-h")) => usage::print(),
        ["setup", rest @ ..] => setup::task(rest),
        ["corpus", rest @ ..] => corpus::task(rest),
        ["ci", rest @ ..] => ci::task(rest),
        ["demo", rest @ ..] => demo::task(rest),
        ["ui", rest @ ..] => ui::task(rest),
        ["tidy", rest @ ..] => tidy::task(rest),
        ["dist", rest @ ..] => dist::task(rest),
        ["licences", rest @ ..] => licences::task(rest),
        ["platforms", rest @ ..] => platforms::task(rest),
        #[cfg(unix)]
        ["trial", rest @ ..] => trial::task(rest),
        ["soak", rest @ ..] => soak::task(rest),
        ["bench", rest @ ..] => bench::task(rest),
        [name, ..] => usage::unknown(name),
    };
    outcome::exit_code(outcome)
}
