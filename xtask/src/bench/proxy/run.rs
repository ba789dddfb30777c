//! The order of measuring: whatever else the machine does falls on every way alike.

use std::thread;
use std::time::Duration;

use super::cells::CELLS;
use super::figures::{Figures, median};
use super::load::ask_once;
use super::process::Process;
use super::ways::{Site, Way};
use super::wire::SAID;
use crate::outcome::{Failure, Outcome, step};

/// How much to measure.
pub(super) struct Plan {
    pub(super) repeats: usize,
    pub(super) time: Duration,
    pub(super) starts: usize,
}

pub(super) const FULL: Plan = Plan { repeats: 3, time: Duration::from_secs(2), starts: 20 };
pub(super) const QUICK: Plan = Plan { repeats: 1, time: Duration::from_millis(800), starts: 5 };

const WAYS: [Way; 4] = [Way::Direct, Way::Nginx, Way::Clown, Way::LiteLlm];

/// From readiness to the look at the memory of an idle proxy.
const SETTLE: Duration = Duration::from_millis(500);

/// What came out for one way.
#[derive(Default)]
pub(super) struct Results {
    /// For each cell; empty where it could not be measured.
    pub(super) cells: Vec<Vec<Figures>>,
    /// Milliseconds from start to the first good answer.
    pub(super) ready: Option<f64>,
    /// Resident when idle, in MiB.
    pub(super) idle: Option<f64>,
}

impl Results {
    pub(super) fn cell(&self, at: usize) -> Figures {
        Figures::merged(self.cells.get(at).map_or(&[], Vec::as_slice))
    }
}

pub(super) struct All {
    ways: [Results; 4],
}

impl All {
    pub(super) fn of(&self, way: Way) -> &Results {
        let [direct, nginx, clown, litellm] = &self.ways;
        match way {
            Way::Direct => direct,
            Way::Nginx => nginx,
            Way::Clown => clown,
            Way::LiteLlm => litellm,
        }
    }
}

/// Runs the plan. Ways that could not be started or measured are named in the site's notes.
pub(super) fn measure(site: &mut Site, upstream: u16, plan: &Plan) -> Result<All, Failure> {
    let mut ways: [Results; 4] = WAYS.map(|_| Results { cells: CELLS.iter().map(|_| Vec::new()).collect(), ..Results::default() });
    step("starts", || starts(site, plan, &mut ways))?;
    let mut proxies = WAYS.map(|_| None);
    for (at, way) in WAYS.into_iter().enumerate() {
        if way == Way::Direct || !site.has(way) {
            continue;
        }
        match step(way.name(), || site.start(way)) {
            Ok(process) => {
                thread::sleep(SETTLE);
                ways[at].idle = Some(process.usage().megabytes());
                ways[at].ready.get_or_insert(process.ready_after.as_secs_f64() * 1000.0);
                process.pause();
                proxies[at] = Some(process);
            }
            Err(failure) => site.give_up(way, &failure.to_string()),
        }
    }
    for round in 0..plan.repeats {
        step(&format!("round {} of {}", round + 1, plan.repeats), || one_round(site, upstream, plan, round, &proxies, &mut ways))?;
    }
    Ok(All { ways })
}

/// nginx and clown in turn. LiteLLM takes many seconds; its one start in `measure` will do.
fn starts(site: &mut Site, plan: &Plan, ways: &mut [Results; 4]) -> Outcome {
    for (at, way) in WAYS.into_iter().enumerate().filter(|(_, way)| matches!(way, Way::Nginx | Way::Clown)) {
        if !site.has(way) {
            continue;
        }
        let mut times = Vec::new();
        for _ in 0..plan.starts {
            match site.start(way) {
                Ok(process) => times.push(process.ready_after.as_secs_f64() * 1000.0),
                Err(failure) => {
                    site.give_up(way, &failure.to_string());
                    break;
                }
            }
        }
        ways[at].ready = median(times);
    }
    Ok(())
}

fn one_round(
    site: &mut Site,
    upstream: u16,
    plan: &Plan,
    round: usize,
    proxies: &[Option<Process>; 4],
    ways: &mut [Results; 4],
) -> Outcome {
    for (place, cell) in CELLS.iter().enumerate() {
        let mut line = format!("    {} x{}:", cell.what, cell.connections);
        for at in (0..WAYS.len()).map(|at| (at + round) % WAYS.len()) {
            let (way, proxy) = (WAYS[at], proxies[at].as_ref());
            // LiteLLM is there for comparison, and slow: once is enough.
            if (way != Way::Direct && proxy.is_none())
                || (way == Way::LiteLlm && round > 0)
                || (round > 0 && ways[at].cells[place].is_empty())
            {
                continue;
            }
            let port = proxy.map_or(upstream, |proxy| proxy.port);
            proxy.inspect(|proxy| proxy.resume());
            let measured = check(place, port).and_then(|()| Figures::measure(cell, port, proxy, plan.time));
            proxy.inspect(|proxy| proxy.pause());
            match measured {
                Ok(figures) => {
                    line += &format!(" {} {:.0}/s", way.name(), figures.deltas.or(figures.rate).unwrap_or_default());
                    if let Some(cpu) = figures.cpu_per_delta.or(figures.cpu) {
                        line += &format!(" {cpu:.1} us");
                    }
                    line += ";";
                    ways[at].cells[place].push(figures);
                }
                Err(failure) => site.leave_out(&format!("{}: {} x{}", way.name(), cell.what, cell.connections), &failure.to_string()),
            }
        }
        eprintln!("{line}");
    }
    Ok(())
}

/// One request by itself, read with care, before many are counted.
fn check(place: usize, port: u16) -> Outcome {
    let Some(cell) = CELLS.get(place) else { return Ok(()) };
    let (status, body) =
        ask_once(port, &cell.request(port), Duration::from_secs(30)).map_err(|err| Failure::new(format!("no answer: {err}")))?;
    let body = String::from_utf8_lossy(&body);
    let good = if cell.answer.streams() { body.contains("some words here") } else { body.contains(SAID) };
    if status == 200 && good {
        return Ok(());
    }
    Err(Failure::new(format!("HTTP {status}: {}", body.chars().take(300).collect::<String>().replace(['\n', '\r'], " "))))
}
