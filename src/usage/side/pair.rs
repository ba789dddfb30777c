//! Which requests of a proxy's log are in the agent's log too.

use std::collections::{HashMap, HashSet};

use super::{Log, Side};
use crate::usage::row::{Numbered, Row};

/// Agents whose logs name replies, and how such a name begins.
const NAMING: &[(&str, &str)] = &[("claude", "msg_"), ("codex", "resp_")];

/// An agent notes a request's time somewhere between its own preparations and its own clean-up.
const SLACK_MS: i64 = 60_000;

#[derive(Default)]
pub(super) struct Pairs<'a> {
    /// By a row's number.
    of_rows: HashMap<u32, &'a Side>,
    alone: Vec<(&'a Log, &'a Side)>,
}

/// A row that names no reply.
struct Loose {
    at: u32,
    ts_ms: i64,
    counts: Counts,
    taken: bool,
}

/// All that went in and all that came out. How an agent parts what went in is its own business.
type Counts = (u64, u64);

/// Rows of one profile.
#[derive(Default)]
struct Told {
    named: HashMap<String, u32>,
    loose: Vec<Loose>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(rows: &dyn Numbered, logs: &[(&'a Log, Vec<&'a Side>)]) -> Self {
        let mut told: HashMap<&str, Told> = logs.iter().map(|(log, _)| (log.profile.as_str(), Told::default())).collect();
        rows.each_numbered(&mut |at, row| {
            if let Some(told) = row.profile.and_then(|profile| told.get_mut(profile)) {
                told.take(at, &row);
            }
        });
        let mut pairs = Self { of_rows: HashMap::new(), alone: Vec::new() };
        for (log, sides) in logs {
            if let Some(told) = told.get_mut(log.profile.as_str()) {
                pairs.pair(log, sides, told);
            }
        }
        pairs
    }

    pub(super) fn of_row(&self, at: u32) -> Option<&'a Side> {
        self.of_rows.get(&at).copied()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (u32, &'a Side)> + '_ {
        self.of_rows.iter().map(|(at, side)| (*at, *side))
    }

    /// What no row tells of.
    pub(super) fn alone(&self) -> impl Iterator<Item = (&'a Log, &'a Side)> + '_ {
        self.alone.iter().copied()
    }

    fn pair(&mut self, log: &'a Log, sides: &[&'a Side], told: &mut Told) {
        let mut left = Vec::new();
        for side in sides {
            match told.by_name(side).or_else(|| told.by_counts(side)) {
                Some(at) => {
                    self.of_rows.insert(at, side);
                }
                None => left.push(*side),
            }
        }
        let blurred: HashSet<&str> = left.iter().map(|side| &*side.record.session).filter(|run| told.blurs(run, sides)).collect();
        self.alone.extend(left.into_iter().filter(|side| !blurred.contains(&*side.record.session)).map(|side| (log, side)));
    }
}

impl Told {
    fn take(&mut self, at: u32, row: &Row<'_>) {
        let record = &row.record;
        let begins = NAMING.iter().find(|(agent, _)| *agent == row.agent).map(|(_, begins)| *begins);
        if begins.is_some_and(|begins| record.key.starts_with(begins)) {
            self.named.insert(record.key.to_string(), at);
        } else if !record.sub_request {
            let tokens = &record.bill.tokens;
            self.loose.push(Loose { at, ts_ms: record.bill.ts_ms, counts: (tokens.prompt(), tokens.output), taken: false });
        }
    }

    /// A translated reply has the upstream's id behind a beginning of the client's own format.
    fn by_name(&self, side: &Side) -> Option<u32> {
        let reply = side.reply.as_deref()?;
        let bare = ["resp_", "msg_"].iter().find_map(|begins| reply.strip_prefix(begins)).unwrap_or(reply);
        let translated = ["msg_", "resp_"].iter().flat_map(|begins| [format!("{begins}{reply}"), format!("{begins}{bare}")]);
        self.named.get(reply).copied().or_else(|| translated.into_iter().find_map(|name| self.named.get(&name).copied()))
    }

    /// The nearest in time that nobody has taken.
    fn by_counts(&mut self, side: &Side) -> Option<u32> {
        let (begun, ended) = (side.record.bill.ts_ms, side.end_ms);
        let tokens = &side.record.bill.tokens;
        let counts = (tokens.prompt(), tokens.output);
        let fits = |row: &&mut Loose| !row.taken && row.counts == counts && near(row.ts_ms, begun, ended);
        let row = self.loose.iter_mut().filter(fits).min_by_key(|row| row.ts_ms.abs_diff(begun))?;
        row.taken = true;
        Some(row.at)
    }

    /// Whether the agent told of something during a run that its proxy does not know in that form.
    fn blurs(&self, run: &str, sides: &[&Side]) -> bool {
        let of_run = || sides.iter().filter(|side| side.record.session == run);
        let Some(begun) = of_run().map(|side| side.record.bill.ts_ms).min() else { return false };
        let ended = of_run().map(|side| side.end_ms).max().unwrap_or(begun);
        self.loose.iter().any(|row| !row.taken && near(row.ts_ms, begun, ended))
    }
}

fn near(ts_ms: i64, begun: i64, ended: i64) -> bool {
    (begun.saturating_sub(SLACK_MS)..=ended.saturating_add(SLACK_MS)).contains(&ts_ms)
}
