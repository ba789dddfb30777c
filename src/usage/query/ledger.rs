//! The sums that every question is answered from.

use std::sync::OnceLock;

use super::{
    names::{Name, Names},
    sums::{Bucket, Sums},
};
use crate::usage::{
    pricing::Prices,
    row::{Numbered, Row, Rows},
};

const QUARTER: i64 = 15 * 60 * 1000;
const HOUR: i64 = 4 * QUARTER;

/// A quarter of an hour. What happened exactly on a full hour is apart, because a block of five hours still holds its last
/// millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Slot(i64);

impl Slot {
    fn of(ts_ms: i64) -> Self {
        Self(ts_ms.div_euclid(QUARTER) * 2 + i64::from(ts_ms.rem_euclid(HOUR) != 0))
    }

    pub(super) fn start_ms(self) -> i64 {
        self.0.div_euclid(2) * QUARTER
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) slot: Slot,
    pub(super) agent: Name,
    pub(super) profile: Name,
    pub(super) provider: Name,
    pub(super) model: Name,
    pub(super) project: Name,
    pub(super) session: Name,
}

/// No sum.
const NONE: u32 = u32::MAX;

/// Sums of all requests. Adding is exact, so any order gives the same. Where a request changed or went away, the few sums it was in are
/// made anew from their requests: nothing is ever subtracted.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(super) names: Names,
    logs: Sums,
    /// By the number of a log's row: the sum it is in.
    at: Vec<u32>,
    /// What only proxies saw.
    sides: Sums,
    views: Views,
}

/// The same sums otherwise. Each is made when it is first asked for, and is gone with the next change.
#[derive(Clone, Debug, Default)]
struct Views {
    /// Positions of sums: by agent, profile and time.
    by_time: OnceLock<Vec<u32>>,
    /// Over all times and sessions.
    whole: OnceLock<Sums>,
}

/// What a row costs, and whose it is.
pub struct Terms<'a> {
    pub prices: &'a Prices,
    /// Who serves a profile, for records whose agent does not tell.
    pub provider: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl Ledger {
    pub fn of(rows: &dyn Numbered, terms: &Terms<'_>) -> Self {
        let mut ledger = Self::default();
        rows.each_numbered(&mut |number, row| ledger.add(number, &row, terms));
        ledger
    }

    /// Brings the sums up to date where only rows of these numbers may be other ones than before.
    pub fn update(&mut self, rows: &dyn Numbered, changed: &[u32], terms: &Terms<'_>) {
        self.views = Views::default();
        let mut again = changed.to_vec();
        let mut stale = vec![false; self.logs.len()];
        let mut some = false;
        for at in changed.iter().filter_map(|number| self.at.get(*number as usize)) {
            if let Some(stale) = stale.get_mut(*at as usize) {
                (*stale, some) = (true, true);
            }
        }
        if some {
            for (number, at) in (0..).zip(&mut self.at) {
                if stale.get(*at as usize).is_some_and(|stale| *stale) {
                    *at = NONE;
                    again.push(number);
                }
            }
            self.logs.clear(&stale);
        }
        again.sort_unstable();
        again.dedup();
        rows.some(&again, &mut |number, row| self.add(number, &row, terms));
        if let Some(moved) = self.logs.without_empty() {
            self.at.iter_mut().for_each(|at| *at = moved.get(*at as usize).copied().unwrap_or(NONE));
        }
    }

    /// Puts these rows in place of those that only proxies saw before.
    pub fn set_sides(&mut self, rows: &dyn Rows, terms: &Terms<'_>) {
        self.views = Views::default();
        self.sides = Sums::default();
        rows.each(&mut |row| {
            let key = self.key(&row, terms);
            self.sides.add(key, &row.record, terms.prices.total(&row.record));
        });
    }

    fn add(&mut self, number: u32, row: &Row<'_>, terms: &Terms<'_>) {
        let key = self.key(row, terms);
        let at = self.logs.add(key, &row.record, terms.prices.total(&row.record));
        let number = number as usize;
        if self.at.len() <= number {
            self.at.resize(number + 1, NONE);
        }
        if let Some(place) = self.at.get_mut(number) {
            *place = at;
        }
    }

    fn key(&mut self, row: &Row<'_>, terms: &Terms<'_>) -> Key {
        let record = &row.record;
        let provider = record.provider.as_deref().or_else(|| row.profile.and_then(terms.provider));
        Key {
            slot: Slot::of(record.bill.ts_ms),
            agent: self.names.name(row.agent),
            profile: self.names.name(row.profile.unwrap_or_default()),
            provider: self.names.name(provider.unwrap_or_default()),
            model: self.names.name(&record.model),
            project: self.names.name(record.project.as_deref().unwrap_or_default()),
            session: self.names.name(&record.session),
        }
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.logs.iter().chain(self.sides.iter())
    }

    /// In order of time for each agent and profile, those of one together.
    pub(super) fn by_time(&self) -> impl Iterator<Item = &Bucket> {
        let order = self.views.by_time.get_or_init(|| {
            let mut order: Vec<(Name, Name, Slot, i64, u32)> = (0..)
                .zip(self.logs.all().iter().chain(self.sides.all()))
                .filter(|(_, bucket)| !bucket.is_empty())
                .map(|(at, bucket)| (bucket.key.agent, bucket.key.profile, bucket.key.slot, bucket.first, at))
                .collect();
            order.sort_unstable();
            order.into_iter().map(|(.., at)| at).collect()
        });
        order.iter().filter_map(|at| self.bucket(*at as usize))
    }

    /// Sums over all times and sessions. Their slot and session say nothing.
    pub(super) fn whole(&self) -> impl Iterator<Item = &Bucket> {
        let whole = self.views.whole.get_or_init(|| {
            let mut whole = Sums::default();
            for bucket in self.buckets() {
                whole.merge(Key { slot: Slot(0), session: Name::NONE, ..bucket.key }, bucket);
            }
            whole
        });
        whole.iter()
    }

    fn bucket(&self, at: usize) -> Option<&Bucket> {
        let logs = self.logs.all();
        logs.get(at).or_else(|| self.sides.all().get(at - logs.len()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets().next().is_none()
    }

    /// Models without a known price that used something, by name.
    pub fn unpriced(&self) -> Vec<String> {
        let mut is_unpriced = self.names.mask(|_| false);
        for bucket in self.buckets().filter(|bucket| bucket.totals.unpriced > 0) {
            if let Some(model) = is_unpriced.get_mut(bucket.key.model.index()) {
                *model = true;
            }
        }
        let mut models: Vec<String> = self.names.those(&is_unpriced).map(str::to_owned).collect();
        models.sort_unstable();
        models
    }
}
