//! The costs everybody pays: a read command, starting an agent, the daemon doing nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::measure::{self, Times};
use super::{machine, record};
use crate::agents::{self, Pinned};
use crate::outcome::{Failure, Outcome, step};
use crate::scratch::Scratch;
use crate::shell::{self, cargo, run};
use crate::{dirs, setup};

/// How much to measure.
struct Plan {
    calls: usize,
    starts: usize,
    idle: Duration,
}

const FULL: Plan = Plan { calls: 300, starts: 60, idle: Duration::from_secs(20) };
const QUICK: Plan = Plan { calls: 40, starts: 8, idle: Duration::from_secs(5) };

/// From the last call to the first look at the idle daemon.
const SETTLE: Duration = Duration::from_secs(5);

const PROFILES: &[(&str, &str)] = &[("claude", "bench-claude"), ("codex", "bench-codex"), ("claude", "bench-third")];

pub(crate) fn bench(quick: bool) -> Outcome {
    let plan = if quick { QUICK } else { FULL };
    step("build tools", || setup::tools(false, true))?;
    let bin = step("agents", || agents::ensure(&[agents::CLAUDE, agents::CODEX]))?;
    step("release build", || run(&mut cargo(&["build", "--release", "--package", "clown", "--locked"])))?;
    let scratch = Scratch::fresh("bench", &dirs::clown("release"), std::slice::from_ref(&bin))?;
    step("profiles", || create_profiles(&scratch))?;

    let mut table = Table::default();
    step("a read command", || read_command(&scratch, &plan, &mut table))?;
    for (agent, alias) in [(agents::CLAUDE, "bench-claude"), (agents::CODEX, "bench-codex")] {
        step(&format!("starting {}", agent.command), || start(&scratch, &bin, &agent, alias, &plan, &mut table))?;
    }
    if cfg!(target_os = "linux") {
        step("the idle daemon", || idle(&scratch, &plan, &mut table))?;
    } else {
        eprintln!("    the idle daemon was NOT measured: that part needs Linux");
    }
    let text = table.text(quick);
    record::keep("foundation", &text)?;
    println!("\n{text}");
    eprintln!("Written to BENCHMARKS.md.");
    Ok(())
}

fn create_profiles(scratch: &Scratch) -> Outcome {
    for (agent, alias) in PROFILES {
        run(&mut scratch.clown(&["profiles", "create", agent, alias, "--provider", "offline"]))?;
    }
    Ok(())
}

fn read_command(scratch: &Scratch, plan: &Plan, table: &mut Table) -> Outcome {
    let nothing = shell::which("true").ok_or_else(|| Failure::new("there is no `true` on PATH to compare with"))?;
    let mut ours = scratch.clown(&["profiles", "list", "--json"]);
    let (base, ours) = measure::side_by_side(plan.calls, &mut scratch.command(&nothing, &[]), &mut ours)?;
    table.pair("`clown profiles list --json`, daemon warm, over `true`", &base, &ours, 5.0);
    Ok(())
}

fn start(scratch: &Scratch, bin: &Path, agent: &Pinned, alias: &str, plan: &Plan, table: &mut Table) -> Outcome {
    let program: PathBuf = agent.path(bin);
    let mut bare: Command = scratch.command(&program, &["--version"]);
    let mut ours = scratch.clown(&["run", alias, "--", "--version"]);
    let (base, ours) = measure::side_by_side(plan.starts, &mut bare, &mut ours)?;
    table.pair(&format!("`clown run {alias} -- --version` over `{} --version`", agent.command), &base, &ours, 15.0);
    Ok(())
}

fn idle(scratch: &Scratch, plan: &Plan, table: &mut Table) -> Outcome {
    let pid = daemon_pid(scratch)?;
    thread::sleep(SETTLE);
    let memory = measure::memory(pid)?;
    let before = measure::activity(pid)?;
    thread::sleep(plan.idle);
    let spent = measure::activity(pid)?.since(before);
    let seconds = plan.idle.as_secs();

    let megabytes = |kib: u64| kib as f64 / 1024.0;
    let (rss, pss) = (megabytes(memory.rss), megabytes(memory.pss));
    table.single("daemon memory when idle, resident (RSS)", &format!("{rss:.1} MiB"), "< 20 MiB", rss < 20.0);
    table.single("daemon memory when idle, its share (PSS)", &format!("{pss:.1} MiB"), "< 20 MiB", pss < 20.0);
    let wakes = format!("{} in {seconds} s, {} threads", spent.switches, measure::threads(pid));
    table.single("times a thread of the idle daemon was woken", &wakes, "0", spent.switches == 0);
    table.single("processor time of the idle daemon", &format!("{} ms in {seconds} s", spent.ticks * 10), "0 ms", spent.ticks == 0);
    Ok(())
}

fn daemon_pid(scratch: &Scratch) -> Result<u32, Failure> {
    let (_, status) = shell::capture(&mut scratch.clown(&["daemon", "status", "--json"]), Duration::from_secs(30))?;
    let pid = measure::pid_in(&status);
    pid.ok_or_else(|| Failure::new(format!("`clown daemon status --json` names no pid: {}", status.trim())))
}

#[derive(Default)]
struct Table {
    pairs: Vec<String>,
    singles: Vec<String>,
}

impl Table {
    /// `goal` is the most milliseconds the second may take over the first, at the median.
    fn pair(&mut self, what: &str, base: &Times, ours: &Times, goal: f64) {
        let show = |times: &Times| format!("{:.2} / {:.2} / {:.2}", times.min(), times.median(), times.p95());
        let added = ours.median() - base.median();
        self.pairs.push(format!(
            "| {what} | {} | {} | {} | **{added:+.2} ms** ({:.2}x) | < {goal} ms: {} |",
            base.count(),
            show(base),
            show(ours),
            ours.median() / base.median().max(f64::EPSILON),
            verdict(added < goal),
        ));
    }

    fn single(&mut self, what: &str, value: &str, goal: &str, met: bool) {
        self.singles.push(format!("| {what} | {value} | {goal}: {} |", verdict(met)));
    }

    fn text(&self, quick: bool) -> String {
        let mut lines = vec!["## Foundation".to_owned(), String::new(), machine::describe() + if quick { "; quick run" } else { "" }];
        lines.extend(
            [
                "",
                "| what | runs each | base: min / median / p95 ms | clown: min / median / p95 ms | added at the median | goal |",
                "|---|---|---|---|---|---|",
            ]
            .map(str::to_owned),
        );
        lines.extend(self.pairs.iter().cloned());
        if !self.singles.is_empty() {
            lines.extend(["", "| what | value | goal |", "|---|---|---|"].map(str::to_owned));
            lines.extend(self.singles.iter().cloned());
        }
        lines.join("\n") + "\n"
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
