//! The figures as text: goals first, then every cell.

use super::cells::{self, CELLS};
use super::figures::Figures;
use super::run::{All, Plan};
use super::ways::Way;

enum Goal {
    /// Against nginx in the same run.
    AtMostTimes(f64),
    AtLeastTimes(f64),
    /// In the row's own unit.
    AtMost(f64),
    /// Shown, not judged.
    None,
}

type Show = fn(f64) -> String;

struct Table<'a> {
    all: &'a All,
    rows: Vec<String>,
}

pub(super) fn text(all: &All, plan: &Plan, machine: &str, notes: &[String]) -> String {
    let mut table = Table { all, rows: Vec::new() };
    goals(&mut table);
    let mut lines = vec!["## Proxy".to_owned(), String::new(), machine.to_owned(), String::new()];
    lines.push(format!(
        "Each proxy alone on core 1, mock upstream and load (closed loop, kept connections) on core 0; each cell {} x {:.1} s, all ways in turn, \
         of each figure the best (of the slowest delta the median, of memory the most); LiteLLM once. clown with every guard on: key, rules, record of each request; nginx passes the same request on and logs nothing. \"Added\" is \
         against the direct way. Processor time is user and system of all the proxy's processes.",
        plan.repeats,
        plan.time.as_secs_f64()
    ));
    lines.extend([String::new(), notes.join("; ") + "."]);
    lines.extend(["", "| what | nginx | clown | clown / nginx | goal | LiteLLM |", "|---|---|---|---|---|---|"].map(str::to_owned));
    lines.append(&mut table.rows);
    lines.extend(
        [
            "",
            "| cell | connections | way | requests/s | p50 / p90 / p99 | first byte p50 | CPU a request | deltas/s | CPU a delta | delay p50 / p99 / max | RSS after |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        .map(str::to_owned),
    );
    lines.extend(every_cell(all));
    lines.join("\n") + "\n"
}

fn goals(table: &mut Table) {
    use Goal::{AtLeastTimes, AtMost, AtMostTimes, None as NoGoal};
    let t = table;
    t.cell("CPU a request, small, passed on, 64 connections", cells::SMALL_64, |f| f.cpu, time, AtMostTimes(1.6));
    t.cell("requests/s on one core, small, passed on, 64 connections", cells::SMALL_64, |f| f.rate, count, NoGoal);
    t.cell("CPU a request, small, Messages to chat, 64 connections", cells::SMALL_TRANSLATED, |f| f.cpu, time, AtMostTimes(2.0));
    t.cell("CPU a request, Claude Code's 78 KB passed on", cells::CLAUDE_PASSED, |f| f.cpu, time, AtMostTimes(2.0));
    t.cell("CPU a request, Claude Code's 78 KB, Messages to chat", cells::CLAUDE_TRANSLATED, |f| f.cpu, time, AtMostTimes(6.0));
    t.cell("CPU a request, Codex's 40 KB, Responses to chat", cells::CODEX_TRANSLATED, |f| f.cpu, time, NoGoal);
    t.cell("deltas/s on one core, passed on, 8 streams", cells::BURST_PASSED, |f| f.deltas, count, NoGoal);
    t.cell("deltas/s on one core, Messages to chat, 8 streams", cells::BURST_TRANSLATED, |f| f.deltas, count, AtLeastTimes(0.95));
    t.cell("CPU a delta, passed on", cells::BURST_PASSED, |f| f.cpu_per_delta, time, NoGoal);
    t.cell("CPU a delta, Messages to chat", cells::BURST_TRANSLATED, |f| f.cpu_per_delta, time, NoGoal);
    t.cell("CPU a delta, Responses to chat", cells::BURST_CODEX, |f| f.cpu_per_delta, time, NoGoal);
    for (how, cell) in [("passed on", cells::PACED_PASSED), ("Messages to chat", cells::PACED_TRANSLATED)] {
        t.added(&format!("added to the first byte, paced, 8 streams, {how}, p50"), cell, |f| f.first, AtMostTimes(2.0));
        t.added(&format!("added to a delta, paced, 8 streams, {how}, p50"), cell, |f| f.delay50, NoGoal);
        t.added(&format!("added to a delta, paced, 8 streams, {how}, p99"), cell, |f| f.delay99, NoGoal);
        t.cell(&format!("slowest delta, paced, 8 streams, {how}"), cell, |f| f.delay_max, time, AtMost(20_000.0));
    }
    t.added("added to a small request, 1 connection, p50", cells::SMALL_1, |f| f.p50, AtMostTimes(1.15));
    t.cell("small request, 64 connections, p99", cells::SMALL_64, |f| f.p99, time, AtMostTimes(2.0));
    t.way("start to the first answer, median", |all, way| all.of(way).ready, |ms| time(ms * 1000.0), AtMost(25.0));
    t.way("memory when idle (RSS)", |all, way| all.of(way).idle, megabytes, AtMost(6.0));
    t.cell("memory after 64 connections (RSS)", cells::SMALL_TRANSLATED, |f| f.memory, megabytes, AtMost(14.0));
}

impl Table<'_> {
    fn cell(&mut self, what: &str, cell: usize, figure: fn(&Figures) -> Option<f64>, show: Show, goal: Goal) {
        self.way(what, |all, way| figure(&all.of(way).cell(cell)), show, goal);
    }

    /// What a way takes more than the direct one.
    fn added(&mut self, what: &str, cell: usize, figure: fn(&Figures) -> Option<f64>, goal: Goal) {
        let added = |all: &All, way| Some(figure(&all.of(way).cell(cell))? - figure(&all.of(Way::Direct).cell(cell))?);
        self.way(what, added, time, goal);
    }

    fn way(&mut self, what: &str, value: impl Fn(&All, Way) -> Option<f64>, show: Show, goal: Goal) {
        let [nginx, clown, litellm] = Way::PROXIES.map(|way| value(self.all, way));
        let ratio = clown.zip(nginx).filter(|(_, nginx)| *nginx > 0.0).map(|(clown, nginx)| clown / nginx);
        let (wanted, met) = match goal {
            Goal::AtMostTimes(most) => (format!("<= {most}x: "), ratio.map(|ratio| ratio <= most)),
            Goal::AtLeastTimes(least) => (format!(">= {least}x: "), ratio.map(|ratio| ratio >= least)),
            Goal::AtMost(most) => (format!("<= {}: ", show(most)), clown.map(|clown| clown <= most)),
            Goal::None => (String::new(), None),
        };
        let verdict = match (wanted.is_empty(), met) {
            (true, _) => "-",
            (_, Some(true)) => "met",
            (_, Some(false)) => "missed",
            (_, None) => "not judged",
        };
        let shown = |value: Option<f64>| value.map_or_else(|| "-".into(), show);
        let ratio = ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}x"));
        self.rows.push(format!("| {what} | {} | **{}** | {ratio} | {wanted}{verdict} | {} |", shown(nginx), shown(clown), shown(litellm)));
    }
}

fn every_cell(all: &All) -> Vec<String> {
    let mut rows = Vec::new();
    for (at, cell) in CELLS.iter().enumerate() {
        for way in [Way::Direct, Way::Nginx, Way::Clown, Way::LiteLlm] {
            let f = all.of(way).cell(at);
            if f.rate.is_none() {
                continue;
            }
            let one = |value: Option<f64>, show: Show| value.map_or_else(|| "-".into(), show);
            let three = |values: [Option<f64>; 3]| {
                if values.iter().all(Option::is_none) { "-".into() } else { values.map(|value| one(value, time)).join(" / ") }
            };
            rows.push(format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                cell.what,
                cell.connections,
                way.name(),
                one(f.rate, count),
                three([f.p50, f.p90, f.p99]),
                one(f.first, time),
                one(f.cpu, time),
                one(f.deltas, count),
                one(f.cpu_per_delta, time),
                three([f.delay50, f.delay99, f.delay_max]),
                one(f.memory, megabytes),
            ));
        }
    }
    rows
}

/// Microseconds in the unit that suits them.
fn time(micros: f64) -> String {
    match micros.abs() {
        ..10.0 => format!("{micros:.1} us"),
        10.0..1_000.0 => format!("{micros:.0} us"),
        1_000.0..100_000.0 => format!("{:.2} ms", micros / 1e3),
        100_000.0..1_000_000.0 => format!("{:.0} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

fn count(value: f64) -> String {
    if value >= 1000.0 { format!("{:.1} k", value / 1000.0) } else { format!("{value:.0}") }
}

fn megabytes(value: f64) -> String {
    format!("{value:.1} MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let shown = [5.54, 112.4, 1_200.0, 44_000.0, 250_000.0, 1_200_000.0, -3.0].map(time);
        assert_eq!(shown, ["5.5 us", "112 us", "1.20 ms", "44.00 ms", "250 ms", "1.20 s", "-3.0 us"]);
        assert_eq!((count(999.0), count(68_200.0)), ("999".into(), "68.2 k".into()));
    }
}
