//! `ci`: everything that must hold. The tests come last, so that the runner's summary ends the output.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::outcome::{Failure, Outcome, step};
use crate::shell::{self, cargo, run};
use crate::{agents, dirs, licences, platforms, sdk, setup, tidy, ui, usage};

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &[])?;
    let start = Instant::now();
    setup::task(&["--tests"])?;
    step("format", format)?;
    step("tidy", || tidy::task(&[]))?;
    ui::task(&["--check"])?;
    step("clippy", || run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])))?;
    step("docs", docs)?;
    step("licences and advisories", licences::check)?;
    step("build", || run(&mut cargo(&["build", "--package", "clown", "--locked"])))?;
    step("doc tests", || run(in_plain_place(&mut cargo(&["test", "--package", "clown", "--doc", "--locked", "--quiet"]))))?;
    step("platforms", || platforms::task(&["--allow-missing"]))?;
    eprintln!("    everything before the tests: {:.0} s", start.elapsed().as_secs_f64());
    eprintln!("==> tests");
    if !shell::is_root() {
        eprintln!("    not root, so tests leave out: {}", only_root()?.join("; "));
    }
    tests()
}

/// What the tests do as root only, as they say it themselves.
fn only_root() -> Result<Vec<String>, Failure> {
    let cannot = |err: std::io::Error| Failure::new(format!("cannot read the tests: {err}"));
    let mut files = Vec::new();
    tidy::rust_files(&dirs::root().join("tests"), &mut files).map_err(cannot)?;
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(cannot)?;
        let said = text.split("root_for(\"").skip(1).filter_map(|rest| rest.split_once('"'));
        found.extend(said.map(|(what, _)| what.to_owned()));
    }
    Ok(found.into_iter().collect())
}

fn format() -> Outcome {
    run(&mut cargo(&["fmt", "--all", "--check"])).map_err(|failure| failure.hint("format it: cargo fmt --all"))
}

fn docs() -> Outcome {
    run(cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Outcome {
    let nextest = shell::works(&mut cargo(&["nextest", "--version"]));
    let args: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--locked"]
    } else {
        &["test", "--workspace", "--lib", "--bins", "--tests", "--locked", "--no-fail-fast"]
    };
    let mut cmd = cargo(args);
    in_plain_place(&mut cmd).env("CLOWN_TEST_AGENTS", agents::bin_dir()).env("CLOWN_TEST_SDK", sdk::dir());
    eprintln!("    $ {}", shell::show(&cmd));
    let status = cmd.stdin(Stdio::null()).status().map_err(|err| Failure::new(format!("cannot start cargo: {err}")))?;
    if status.success() { Ok(()) } else { Err(Failure::silent()) }
}

/// One locale and no colour or snapshot switches, whoever calls.
fn in_plain_place(cmd: &mut Command) -> &mut Command {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "LANGUAGE", "LANG", "NEXTEST_PROFILE"] {
        cmd.env_remove(name);
    }
    cmd.env("LC_ALL", "C.UTF-8").env("INSTA_UPDATE", "no")
}
