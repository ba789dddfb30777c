//! The sums that every question is answered from.

use std::collections::{BTreeSet, HashMap};

use super::names::{Name, Names};
use crate::usage::{
    pricing::{Money, Prices},
    record::Totals,
    row::{Row, Rows},
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

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) key: Key,
    /// First and last request, milliseconds since 1970.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) totals: Totals,
}

/// Sums of all requests. Adding is exact, so any order gives the same; what is gone needs a new ledger.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) names: Names,
    pub(super) buckets: Vec<Bucket>,
    at: HashMap<Key, u32>,
    /// Models without a known price that used something.
    unpriced: BTreeSet<Name>,
}

impl Ledger {
    /// `provider` says who serves a profile, for records whose agent does not tell.
    pub fn of<'p>(rows: &dyn Rows, prices: &Prices, provider: impl Fn(&str) -> Option<&'p str>) -> Self {
        let mut ledger = Self::default();
        rows.each(&mut |row| {
            let provider = row.profile.and_then(&provider);
            let cost = prices.total(&row.record);
            ledger.add(&row, provider, cost);
        });
        ledger
    }

    /// Counts a request, whose cost is `None` where its model has no known price.
    pub fn add(&mut self, row: &Row<'_>, provider: Option<&str>, cost: Option<Money>) {
        let record = &row.record;
        let ts = record.bill.ts_ms;
        let key = Key {
            slot: Slot::of(ts),
            agent: self.names.name(row.agent),
            profile: self.names.name(row.profile.unwrap_or_default()),
            provider: self.names.name(record.provider.as_deref().or(provider).unwrap_or_default()),
            model: self.names.name(&record.model),
            project: self.names.name(record.project.as_deref().unwrap_or_default()),
            session: self.names.name(&record.session),
        };
        let at = *self.at.entry(key).or_insert_with(|| {
            self.buckets.push(Bucket { key, first: ts, last: ts, totals: Totals::default() });
            u32::try_from(self.buckets.len() - 1).unwrap_or(u32::MAX)
        });
        let Some(bucket) = self.buckets.get_mut(at as usize) else { return };
        (bucket.first, bucket.last) = (bucket.first.min(ts), bucket.last.max(ts));
        let before = bucket.totals.unpriced;
        bucket.totals.add(&record.bill, cost, record.sub_request);
        if bucket.totals.unpriced > before {
            self.unpriced.insert(key.model);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Models without a known price, by name.
    pub fn unpriced(&self) -> Vec<String> {
        let mut models: Vec<String> = self.unpriced.iter().map(|name| self.names.text(*name).to_owned()).collect();
        models.sort_unstable();
        models
    }
}
