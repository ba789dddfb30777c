//! The first reading of all logs: from no daemon and no index to the answer.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::Plan;
use super::report::Table;
use super::site::{Site, Spent, bytes_read, median, peak, printed, seconds, spent};
use crate::bench::measure;
use crate::outcome::{Failure, Outcome};

/// What ccusage prints, too.
const CLOWN: [&str; 3] = ["usage", "daily", "--json"];

/// From the answer to the look at what the daemon used: the index is on disk then.
const SETTLE: Duration = Duration::from_millis(500);

pub(super) fn measure(site: &Site, plan: &Plan, table: &mut Table) -> Outcome {
    let mut ours = Vec::new();
    let (mut native, mut command) = (Vec::new(), Vec::new());
    // Into the page cache, for whoever comes first.
    spent(&mut site.ccusage(&site.native))?;
    for round in 0..plan.scans {
        let mut other = || -> Outcome {
            native.push(spent(&mut site.ccusage(&site.native))?);
            command.push(spent(&mut site.ccusage(&site.command))?);
            Ok(())
        };
        if round % 2 == 0 {
            other()?;
        }
        ours.push(scan(site)?);
        if round % 2 == 1 {
            other()?;
        }
        site.check()?;
    }
    let index = fs::read_dir(site.scratch.home().join(".config/clown/telemetry/usage")).into_iter().flatten().flatten();
    let index: u64 = index.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
    table.scans(&ours, &native, &command);
    let megabytes = index as f64 / 1e6;
    table.goal("index on disk", &format!("{megabytes:.1} MB"), "<= 8 MB", megabytes <= 8.0);
    table.note(same_sums(site)?);
    Ok(())
}

fn scan(site: &Site) -> Result<Spent, Failure> {
    site.forget()?;
    let mut run = spent(&mut site.scratch.clown(&CLOWN))?;
    let daemon = site.daemon()?;
    thread::sleep(SETTLE);
    run.cpu += seconds(measure::activity(daemon)?.ticks);
    run.peak = peak(daemon)?;
    Ok(run)
}

/// A new daemon, and an index that knows all.
pub(super) fn again(site: &Site, plan: &Plan, table: &mut Table) -> Outcome {
    let (mut walls, mut cpus, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..plan.scans {
        site.scratch.stop();
        let begun = Instant::now();
        measure::time(&mut site.scratch.clown(&CLOWN))?;
        walls.push(begun.elapsed().as_secs_f64() * 1000.0);
        let daemon = site.daemon()?;
        cpus.push(seconds(measure::activity(daemon)?.ticks) * 1000.0);
        bytes = bytes_read(daemon)?;
    }
    let value = format!("{:.0} ms, {:.0} ms of processor, {:.1} MB read", median(walls), median(cpus), bytes as f64 / 1e6);
    table.shown("`clown usage daily --json` that starts a daemon, index there", &value);
    Ok(())
}

/// Whether ccusage has the sums of the truth, in its own words.
fn same_sums(site: &Site) -> Result<String, Failure> {
    let text = printed(&mut site.ccusage(&site.native))?;
    let totals = text.rsplit_once("\"totals\":").map_or("", |(_, totals)| totals);
    let told = |name: &str| measure::number_after(totals, &format!("\"{name}\":")).unwrap_or(0);
    let truth = |names: &[&str]| -> Result<u64, Failure> {
        let mut sum = 0;
        for agent in ["claude", "codex"] {
            for name in names {
                sum += site.truth(agent, name)?;
            }
        }
        Ok(sum)
    };
    let written = ["cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_other_tokens"];
    let pairs = [
        ("input", told("inputTokens"), truth(&["input_tokens"])?),
        ("output", told("outputTokens"), truth(&["output_tokens"])?),
        ("cache reads", told("cacheReadTokens"), truth(&["cache_read_tokens"])?),
        ("cache writes", told("cacheCreationTokens"), truth(&written)?),
    ];
    let wrong: Vec<String> = pairs
        .iter()
        .filter(|(_, told, truth)| told != truth)
        .map(|(what, told, truth)| format!("{:.2} % of the {what}", *told as f64 * 100.0 / *truth as f64))
        .collect();
    let verdict = if wrong.is_empty() { "the same".to_owned() } else { format!("the same but for {}", wrong.join(", ")) };
    Ok(format!("Every sum of clown's equals the truth written with the logs; ccusage's are {verdict}."))
}
