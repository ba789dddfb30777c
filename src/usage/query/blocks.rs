//! Windows of five hours, guessed from when requests were made.
//!
//! As ccusage counts them: a block begins with the full hour (UTC) of its first request and lasts five; the next begins with the
//! first request after that, or after five hours without one. Each agent and profile has its own: vendors count by account.

use jiff::Timestamp;

use super::{
    ledger::Ledger,
    line::{Sum, figures},
    names::Name,
    report::wanted,
    select::{Chosen, OUTSIDE},
    span::{Span, rfc3339},
};
use crate::{
    usage::record::Totals,
    wire::usage::{Block, Burn, Line, Report},
};

const HOUR: i64 = 3_600_000;
const LENGTH: i64 = 5 * HOUR;

struct Found {
    agent: Name,
    profile: Name,
    start: i64,
    end: i64,
    /// None: a gap.
    sum: Option<Sum>,
}

/// Lines, how many there are in all, and the sum of all.
pub(super) fn page(ledger: &Ledger, ask: &Report, span: &Span, now: Timestamp) -> (Vec<Line>, usize, Totals) {
    let now = now.as_millisecond();
    let (from, to) = span.bounds();
    let mut found = blocks(ledger, &Chosen::new(&ask.select, span));
    found.retain(|block| (from..to).contains(&block.start));
    let mut totals = Totals::default();
    for sum in found.iter().filter_map(|block| block.sum.as_ref()) {
        totals.merge(&sum.totals);
    }
    let (count, wanted) = wanted(ask, found.len());
    (found.drain(wanted).map(|block| line(ledger, &block, ask.breakdown, now)).collect(), count, totals)
}

/// Blocks that are open now.
pub(super) fn active(ledger: &Ledger, chosen: &Chosen<'_>, now: i64) -> Vec<Line> {
    let found = blocks(ledger, chosen);
    found.iter().filter(|block| is_active(block, now)).map(|block| line(ledger, block, false, now)).collect()
}

/// In order of time, whatever days are asked for: a block may begin on the day before.
fn blocks(ledger: &Ledger, chosen: &Chosen<'_>) -> Vec<Found> {
    let masks = chosen.masks(ledger);
    let mut found: Vec<Found> = Vec::new();
    for bucket in ledger.by_time().filter(|bucket| masks.has_whenever(bucket)) {
        let (agent, profile) = (bucket.key.agent, bucket.key.profile);
        let open = found.last_mut().filter(|block| (block.agent, block.profile) == (agent, profile));
        if let Some(block) = open {
            let (start, last) = (block.start, block.sum.as_ref().map_or(i64::MIN, |sum| sum.last));
            let fits = bucket.first - start <= LENGTH && bucket.first.saturating_sub(last) <= LENGTH;
            match block.sum.as_mut().filter(|_| fits) {
                Some(sum) => {
                    sum.add(bucket);
                    continue;
                }
                None if bucket.first.saturating_sub(last) > LENGTH => {
                    found.push(Found { agent, profile, start: last + LENGTH, end: bucket.first, sum: None });
                }
                None => {}
            }
        }
        let start = bucket.first.div_euclid(HOUR) * HOUR;
        let mut sum = Sum::default();
        sum.add(bucket);
        found.push(Found { agent, profile, start, end: start + LENGTH, sum: Some(sum) });
    }
    let whose = |block: &Found| [block.agent, block.profile].map(|name| ledger.names.text(name));
    found.sort_by(|a, b| a.start.cmp(&b.start).then_with(|| whose(a).cmp(&whose(b))));
    found
}

fn is_active(block: &Found, now: i64) -> bool {
    block.sum.as_ref().is_some_and(|sum| now - sum.last < LENGTH && now < block.end)
}

fn line(ledger: &Ledger, block: &Found, breakdown: bool, now: i64) -> Line {
    let names = &ledger.names;
    let active = is_active(block, now);
    let mut line = block.sum.as_ref().map(|sum| sum.line(names, breakdown)).unwrap_or_default();
    let profile = names.text(block.profile);
    line.agent = Some(names.text(block.agent).to_owned());
    line.profile = Some(if profile.is_empty() { OUTSIDE } else { profile }.to_owned());
    line.block = Some(Block {
        start: rfc3339(block.start),
        end: rfc3339(block.end),
        gap: block.sum.is_none(),
        active,
        estimated: true,
        burn: block.sum.as_ref().filter(|_| active).and_then(|sum| burn(sum, block.end, now)),
    });
    line
}

/// Nothing can be said after one moment only.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn burn(sum: &Sum, end: i64, now: i64) -> Option<Burn> {
    let minutes = (sum.last - sum.first) as f64 / 60_000.0;
    if minutes <= 0.0 {
        return None;
    }
    let figures = figures(&sum.totals);
    let total = figures.total_tokens as f64;
    let minutes_left = ((end - now) as f64 / 60_000.0).max(0.0);
    let tokens_per_minute = total / minutes;
    let cost_per_minute = figures.cost_usd.map(|cost| cost / minutes);
    Some(Burn {
        tokens_per_minute,
        uncached_tokens_per_minute: (figures.input_tokens + figures.output_tokens) as f64 / minutes,
        cost_usd_per_hour: cost_per_minute.map(|cost| cost * 60.0),
        minutes_left,
        projected_tokens: (total + tokens_per_minute * minutes_left).round() as u64,
        projected_cost_usd: figures.cost_usd.zip(cost_per_minute).map(|(cost, rate)| cost + rate * minutes_left),
    })
}
