//! A million small requests and a hundred thousand streams whose client goes away: does memory grow with them?

use super::cells::{CELLS, PACED_TRANSLATED, SMALL_TRANSLATED};
use super::load::{self, Kind, Load, Until};
use super::process::Process;
use super::ways::{Site, Way};
use crate::outcome::{Failure, step};

const SAMPLES: usize = 20;
const CONNECTIONS: usize = 16;

/// Growth over the second half of a series that no longer counts as none: 1 MiB.
const ALLOWED_KIB: f64 = 1024.0;

pub(super) fn measure(site: &Site, machine: &str, quick: bool) -> Result<String, Failure> {
    let (requests, aborts) = if quick { (50_000, 5_000) } else { (1_000_000, 100_000) };
    let proxy = site.start(Way::Clown)?;
    let mut lines = vec!["## Proxy, memory over time".to_owned(), String::new(), machine.to_owned(), String::new()];
    lines.extend(
        [
            "| load | RSS at the begin, half, end (MiB) | slope over the second half | goal | open files at the begin, end |",
            "|---|---|---|---|---|",
        ]
        .map(str::to_owned),
    );
    for (what, cell, kind, count) in [
        ("small requests, Messages to chat", SMALL_TRANSLATED, Kind::Plain, requests),
        ("streams left by their client after the first byte, Messages to chat", PACED_TRANSLATED, Kind::Abort, aborts),
    ] {
        let files = proxy.files();
        let series = step(what, || sample(&proxy, cell, kind, count))?;
        let half = series.get(series.len() / 2..).unwrap_or_default();
        let slope = slope(half);
        let grown = slope * half.len().saturating_sub(1) as f64 * 1024.0;
        let at = |place: usize| series.get(place).map_or(0.0, |memory| *memory);
        lines.push(format!(
            "| {count} {what} | {:.1}, {:.1}, {:.1} | {:+.2} KiB per 1000 | < {:.0} KiB over the half: {} | {files}, {} |",
            at(0),
            at(series.len() / 2),
            at(series.len() - 1),
            slope * 1024.0 / (count as f64 / SAMPLES as f64 / 1000.0),
            ALLOWED_KIB,
            if grown < ALLOWED_KIB { "met" } else { "missed" },
            proxy.files()
        ));
    }
    Ok(lines.join("\n") + "\n")
}

/// Memory in MiB before, and after each of the parts of the load.
fn sample(proxy: &Process, cell: usize, kind: Kind, count: usize) -> Result<Vec<f64>, Failure> {
    let cell = CELLS.get(cell).ok_or_else(|| Failure::new("no such cell"))?;
    let request = cell.request(proxy.port);
    let mut series = vec![proxy.usage().megabytes()];
    for _ in 0..SAMPLES {
        let until = Until::Requests(count / SAMPLES);
        let seen = load::run(&Load { port: proxy.port, request: &request, connections: CONNECTIONS, until, kind })?;
        if let Some(why) = seen.why {
            return Err(Failure::new(format!("{} of {} failed: {why}", seen.failed, count / SAMPLES)));
        }
        let memory = proxy.usage().megabytes();
        eprintln!("    {:.1} MiB after {:.0}/s", memory, seen.requests as f64 / seen.seconds);
        series.push(memory);
    }
    Ok(series)
}

/// Of the line that fits best, per step.
fn slope(series: &[f64]) -> f64 {
    let count = series.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, series.iter().sum::<f64>() / count);
    let (mut over, mut under) = (0.0, 0.0);
    for (at, value) in series.iter().enumerate() {
        over += (at as f64 - middle) * (value - mean);
        under += (at as f64 - middle).powi(2);
    }
    if under > 0.0 { over / under } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes() {
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]) - 2.0).abs() < 1e-9);
        assert!(slope(&[4.0, 4.0, 4.0]).abs() < 1e-9);
        assert!(slope(&[4.0]).abs() < 1e-9);
    }
}
