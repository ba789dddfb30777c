//! The figures as text.

use super::Plan;
use super::site::{Site, Spent, median};

#[derive(Default)]
pub(super) struct Table {
    scans: Vec<String>,
    goals: Vec<String>,
    notes: Vec<String>,
}

impl Table {
    pub(super) fn goal(&mut self, what: &str, value: &str, goal: &str, met: bool) {
        self.goals.push(format!("| {what} | {value} | {goal}: {} |", verdict(met)));
    }

    pub(super) fn shown(&mut self, what: &str, value: &str) {
        self.goals.push(format!("| {what} | {value} | - |"));
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Of as many rounds, in each of which every one ran once.
    pub(super) fn scans(&mut self, ours: &[Spent], native: &[Spent], command: &[Spent]) {
        let row = |who: &str, runs: &[Spent], memory: bool| {
            let of = |figure: fn(&Spent) -> f64| runs.iter().map(figure).collect::<Vec<f64>>();
            let least = |figures: Vec<f64>| figures.into_iter().fold(f64::MAX, f64::min);
            let most = of(|run| run.peak).into_iter().fold(0.0, f64::max);
            let memory = if memory { format!("{most:.1} MiB") } else { "-".to_owned() };
            format!(
                "| {who} | {:.2} / {:.2} | {:.2} / {:.2} | {memory} |",
                least(of(|run| run.cpu)),
                median(of(|run| run.cpu)),
                least(of(|run| run.wall)),
                median(of(|run| run.wall)),
            )
        };
        self.scans = vec![
            row("`clown usage daily --json`: client, daemon and index, from nothing", ours, true),
            row("ccusage's own program, `daily --offline --json`", native, true),
            row("`ccusage daily --offline --json`, as npm installs it", command, false),
        ];
        let paired = |other: &[Spent], figure: fn(&Spent) -> f64| {
            median(ours.iter().zip(other).map(|(ours, other)| figure(ours) / figure(other).max(f64::EPSILON)).collect())
        };
        let cpu = median(ours.iter().map(|run| run.cpu).collect());
        let peak = ours.iter().map(|run| run.peak).fold(0.0, f64::max);
        self.goal("first reading: processor, median", &format!("{cpu:.2} s"), "<= 0.55 s", cpu <= 0.55);
        let ratio = paired(native, |run| run.cpu);
        self.shown("the same over ccusage's own program, median of the rounds", &format!("{ratio:.2}x"));
        let ratio = paired(native, |run| run.wall);
        self.goal(
            "first reading: time over ccusage's own program, median of the rounds",
            &format!("{ratio:.2}x"),
            "<= 0.25x",
            ratio <= 0.25,
        );
        let ratio = paired(command, |run| run.wall);
        self.shown("the same over the command npm installs", &format!("{ratio:.2}x"));
        self.goal("first reading: the daemon's most memory (VmHWM)", &format!("{peak:.1} MiB"), "<= 64 MiB", peak <= 64.0);
    }

    pub(super) fn text(mut self, site: &Site, plan: &Plan, machine: &str) -> String {
        let (bytes, files, requests) = site.size().unwrap_or_default();
        let mut lines = vec!["## Usage".to_owned(), String::new(), machine.to_owned(), String::new()];
        lines.push(format!(
            "{:.1} MB of logs of Claude Code and Codex in {files} files with {requests} requests, made by `cargo xtask corpus` (seed 1), in the page cache. The first reading is from no daemon and \
             no index to the answer and the index written, {} times in turn with ccusage 20.0.24; processor time is user and system of all processes, and the kernel tells it in steps of 10 ms.",
            bytes as f64 / 1e6,
            plan.scans
        ));
        lines.extend(
            ["", "| first reading | processor s, least / median | time s, least / median | most memory |", "|---|---|---|---|"]
                .map(str::to_owned),
        );
        lines.append(&mut self.scans);
        lines.extend(["", "| what | value | goal |", "|---|---|---|"].map(str::to_owned));
        lines.append(&mut self.goals);
        lines.push(String::new());
        lines.append(&mut self.notes);
        lines.join("\n") + "\n"
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
