//! What `cargo xtask` says about itself.

use crate::outcome::{Failure, Outcome};

const TASKS: &[(&str, &str)] = &[
    ("setup [--tests]", "check or install build tools and the pinned agents; with --tests also what the tests run"),
    ("ci", "everything that must hold: format, rules, lints, docs, licences, platforms, tests"),
    ("demo [--release]", "set up, build, and run two real agents against the built-in offline model"),
    ("corpus --out DIR [--size 20MB] [--seed N]", "make logs of agents, and truth.json, which says what they tell"),
    ("ui [--check]", "build the web UI into assets/dist; with --check fail when what is committed is another"),
    (
        "dist [--test-key] [--profile P] [--target T] [--build | --pack] ...",
        "build and pack a release into target/dist; also --key FILE, --base-url URL, --version-url URL, --npm-name N, --maintainer M",
    ),
    ("trial", "as root: install, run and uninstall what dist made in a bare Debian, made by debootstrap; BENCHMARKS.md gets the figures"),
    ("tidy", "check the house rules of src/ and that the documents match the code"),
    ("licences", "check that every dependency has a licence from deny.toml's list"),
    ("platforms [--allow-missing]", "type-check for musl, Windows and macOS"),
    ("bench [NAME] [--quick]", "measure against a release build and write BENCHMARKS.md (NAME: foundation, http, proxy, registry, usage)"),
    ("registry build|key|root|sign|serve ...", "make, sign and serve a registry (each has --help)"),
    ("soak scripts", "hostile set-up scripts against an optimised program, with its limits of time and memory"),
    ("bench proxy [--without-litellm]", "the engine beside nginx, LiteLLM and nothing"),
    ("bench usage [--quick]", "a gigabyte of logs: the first reading beside ccusage, then answers, appends and an idle daemon"),
    ("bench proxy --leak", "a million requests and many aborted streams: does the engine's memory grow?"),
];

pub(crate) fn print() -> Outcome {
    let width = TASKS.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    println!("Usage: cargo xtask <task> [options]\n");
    for (name, what) in TASKS {
        println!("  {name:width$}  {what}");
    }
    println!("\nBuild output and every cache go under target/, or CARGO_TARGET_DIR where it is set.");
    Ok(())
}

pub(crate) fn unknown(name: &str) -> Outcome {
    Err(Failure::usage(format!("there is no task \"{name}\"")))
}

/// Refuses options a task does not know.
pub(crate) fn only(args: &[&str], known: &[&str]) -> Outcome {
    match args.iter().find(|arg| !known.contains(*arg)) {
        Some(arg) => Err(Failure::usage(format!("this task has no option \"{arg}\""))),
        None => Ok(()),
    }
}
