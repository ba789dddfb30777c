//! `demo`: from a fresh clone to two real agents answering, with nothing but Rust and npm.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::agents::{self, Pinned};
use crate::outcome::{Failure, Outcome, step};
use crate::scratch::Scratch;
use crate::shell::{self, cargo, run};
use crate::{dirs, setup, usage};

struct Line {
    args: &'static [&'static str],
    /// Must all be in the answer.
    expect: &'static [&'static str],
}

const LINES: &[Line] = &[
    Line { args: &["agents", "list"], expect: &["claude", "codex"] },
    Line { args: &["profiles", "create", "claude", "demo-claude", "--provider", "offline"], expect: &[] },
    Line { args: &["profiles", "create", "codex", "demo-codex", "--provider", "offline"], expect: &[] },
    Line {
        args: &["run", "demo-claude", "--", "-p", "[run: echo hello from a tool]", "--allowedTools", "Bash"],
        expect: &["the tool said: hello from a tool"],
    },
    Line { args: &["run", "demo-codex", "--", "exec", "--skip-git-repo-check", "say hi"], expect: &["you said: say hi"] },
    Line { args: &["profiles", "list"], expect: &["demo-claude", "demo-codex"] },
    Line { args: &["sessions", "list"], expect: &["demo-claude", "demo-codex"] },
    Line { args: &["daemon", "stop"], expect: &[] },
];

/// Far above what any line takes; a hang must not be one.
const LIMIT: Duration = Duration::from_secs(180);

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &["--release", "--debug"])?;
    let release = args.contains(&"--release");
    let start = Instant::now();
    let missing: Vec<Pinned> = [agents::CLAUDE, agents::CODEX].into_iter().filter(|agent| shell::which(agent.command).is_none()).collect();
    step("build tools", || setup::tools(false, !missing.is_empty()))?;
    let path: Vec<PathBuf> = if missing.is_empty() { Vec::new() } else { vec![step("agents", || agents::ensure(&missing))?] };
    step("build clown", || build(release))?;
    let clown = dirs::clown(if release { "release" } else { "debug" });

    eprintln!("==> clown, in a home of its own");
    let scratch = Scratch::fresh("demo", &clown, &path)?;
    for line in LINES {
        play(&scratch, line).inspect_err(|_| show_log(&scratch))?;
    }
    eprintln!();
    eprintln!(
        "Done in {:.0} s: two real agents ran, each in a profile of its own, and answered from the offline model.",
        start.elapsed().as_secs_f64()
    );
    eprintln!("No account, key or setting of yours was used.");
    eprintln!("Try it yourself: {} --help", clown.display());
    Ok(())
}

fn build(release: bool) -> Outcome {
    let mut cmd = cargo(&["build", "--package", "clown", "--locked"]);
    if release {
        cmd.arg("--release");
    }
    run(&mut cmd)
}

fn play(scratch: &Scratch, line: &Line) -> Outcome {
    let mut cmd = scratch.clown(line.args);
    let shown = shell::show(&cmd);
    println!("\n$ {shown}");
    let (ok, said) = shell::tee(&mut cmd, LIMIT)?;
    if !ok {
        return Err(Failure::new(format!("`{shown}` failed")).hint("its message and the daemon's log are above"));
    }
    match line.expect.iter().find(|text| !said.contains(**text)) {
        Some(text) => Err(Failure::new(format!("`{shown}` ended well, but \"{text}\" is not in its answer"))),
        None => Ok(()),
    }
}

fn show_log(scratch: &Scratch) {
    let tail = scratch.log_tail(25);
    if !tail.is_empty() {
        eprintln!("\nThe daemon's last words:\n{tail}\n");
    }
}
