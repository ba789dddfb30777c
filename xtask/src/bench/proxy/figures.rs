//! One cell measured, and several such measurements as one.

use super::cells::Cell;
use super::load::{self, Load, Until};
use super::process::Process;
use crate::outcome::Failure;
use std::time::Duration;

const WARM_UP: Duration = Duration::from_millis(300);

/// Times in microseconds. A figure is absent where it has no meaning: processor time of the direct way, delays without a stream.
#[derive(Clone, Copy, Default)]
pub(super) struct Figures {
    /// Requests in a second.
    pub(super) rate: Option<f64>,
    pub(super) p50: Option<f64>,
    pub(super) p90: Option<f64>,
    pub(super) p99: Option<f64>,
    /// To the first byte of the body.
    pub(super) first: Option<f64>,
    /// Processor time of one request, or of one stream.
    pub(super) cpu: Option<f64>,
    /// Deltas in a second.
    pub(super) deltas: Option<f64>,
    pub(super) cpu_per_delta: Option<f64>,
    /// From the moment the upstream sent a delta.
    pub(super) delay50: Option<f64>,
    pub(super) delay99: Option<f64>,
    pub(super) delay_max: Option<f64>,
    /// Resident after it, in MiB.
    pub(super) memory: Option<f64>,
}

/// How several measurements of a figure become one.
#[derive(Clone, Copy)]
enum Merge {
    /// Whatever else the machine does only adds to a time and takes from a rate, so the best is the least disturbed.
    Least,
    Most,
    Median,
}

type Field = fn(&mut Figures) -> &mut Option<f64>;

/// Every figure's place, to treat them alike.
const FIELDS: &[(Field, Merge)] = &[
    (|f| &mut f.rate, Merge::Most),
    (|f| &mut f.p50, Merge::Least),
    (|f| &mut f.p90, Merge::Least),
    (|f| &mut f.p99, Merge::Least),
    (|f| &mut f.first, Merge::Least),
    (|f| &mut f.cpu, Merge::Least),
    (|f| &mut f.deltas, Merge::Most),
    (|f| &mut f.cpu_per_delta, Merge::Least),
    (|f| &mut f.delay50, Merge::Least),
    (|f| &mut f.delay99, Merge::Least),
    (|f| &mut f.delay_max, Merge::Median),
    (|f| &mut f.memory, Merge::Most),
];

impl Figures {
    /// `port` is the proxy's, or the mock upstream's where there is none. A failed request fails the measurement.
    pub(super) fn measure(cell: &Cell, port: u16, proxy: Option<&Process>, time: Duration) -> Result<Self, Failure> {
        let request = cell.request(port);
        let run = |time| {
            let load = Load { port, request: &request, connections: cell.connections, until: Until::Time(time), kind: cell.kind() };
            let seen = load::run(&load)?;
            match seen.why {
                Some(why) => Err(Failure::new(format!("{} of {} requests failed: {why}", seen.failed, seen.failed + seen.requests))),
                None => Ok(seen),
            }
        };
        run(WARM_UP)?;
        let before = proxy.map(Process::usage);
        let seen = run(time)?;
        let after = proxy.map(Process::usage);

        let cpu = before.zip(after).map(|(before, after)| after.cpu_since(before).as_secs_f64() * 1e6);
        let each = |count: usize| cpu.filter(|_| count > 0).map(|cpu| cpu / count as f64);
        let streams = cell.answer.streams();
        let delay = |rank| seen.delay.micros(rank).filter(|_| streams);
        Ok(Self {
            rate: Some(seen.requests as f64 / seen.seconds),
            p50: seen.latency.micros(50),
            p90: seen.latency.micros(90),
            p99: seen.latency.micros(99),
            first: seen.first_byte.micros(50),
            cpu: each(seen.requests),
            deltas: streams.then_some(seen.deltas as f64 / seen.seconds),
            cpu_per_delta: each(seen.deltas),
            delay50: delay(50),
            delay99: delay(99),
            delay_max: delay(100),
            memory: after.map(|usage| usage.megabytes()),
        })
    }

    pub(super) fn merged(all: &[Self]) -> Self {
        let mut merged = Self::default();
        for (field, how) in FIELDS {
            let values = all.iter().copied().filter_map(|mut figures| *field(&mut figures));
            *field(&mut merged) = match how {
                Merge::Least => values.min_by(f64::total_cmp),
                Merge::Most => values.max_by(f64::total_cmp),
                Merge::Median => median(values.collect()),
            };
        }
        merged
    }
}

pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1)? / 2;
    let upper = values.len() / 2;
    Some((values.get(middle)? + values.get(upper)?) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_as_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![1.0, 4.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
        let one = |value, cpu| Figures { p50: Some(value), deltas: Some(value), delay_max: Some(value), cpu, ..Figures::default() };
        let merged = Figures::merged(&[one(1.0, None), one(5.0, Some(7.0)), one(2.0, None)]);
        assert_eq!((merged.p50, merged.deltas, merged.delay_max), (Some(1.0), Some(5.0), Some(2.0)));
        assert_eq!((merged.cpu, merged.rate), (Some(7.0), None));
    }
}
