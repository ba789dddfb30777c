//! Sums by key, in the order in which their keys were met.

use std::collections::HashMap;

use super::ledger::Key;
use crate::usage::{
    pricing::Money,
    record::{Record, Totals},
};

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) key: Key,
    /// First and last request, milliseconds since 1970. Without a request the first is after the last.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) totals: Totals,
}

impl Bucket {
    fn new(key: Key) -> Self {
        Self { key, first: i64::MAX, last: i64::MIN, totals: Totals::default() }
    }

    fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    buckets: Vec<Bucket>,
    at: HashMap<Key, u32>,
    /// Buckets that were cleared, whether or not they have got something since.
    cleared: usize,
}

impl Sums {
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().filter(|bucket| !bucket.is_empty())
    }

    /// Counts a request, whose cost is `None` where its model has no known price. Says which sum it is in.
    pub(super) fn add(&mut self, key: Key, record: &Record<'_>, cost: Option<Money>) -> u32 {
        // Logs are read in order, so most requests are of the sum before them.
        let latest = self.buckets.len().wrapping_sub(1);
        let at = match self.buckets.get(latest) {
            Some(bucket) if bucket.key == key => u32::try_from(latest).unwrap_or(u32::MAX),
            _ => *self.at.entry(key).or_insert_with(|| {
                self.buckets.push(Bucket::new(key));
                u32::try_from(self.buckets.len() - 1).unwrap_or(u32::MAX)
            }),
        };
        if let Some(bucket) = self.buckets.get_mut(at as usize) {
            let ts = record.bill.ts_ms;
            (bucket.first, bucket.last) = (bucket.first.min(ts), bucket.last.max(ts));
            bucket.totals.add(&record.bill, cost, record.sub_request);
        }
        at
    }

    /// Forgets what these are sums of.
    pub(super) fn clear(&mut self, which: &[bool]) {
        for bucket in self.buckets.iter_mut().zip(which).filter(|(_, clear)| **clear).map(|(bucket, _)| bucket) {
            *bucket = Bucket::new(bucket.key);
            self.cleared += 1;
        }
    }

    /// Leaves out what is empty where that is much. Says where each bucket is now.
    pub(super) fn without_empty(&mut self) -> Option<Vec<u32>> {
        if self.cleared <= self.buckets.len() / 2 + 64 {
            return None;
        }
        self.cleared = 0;
        let mut moved = Vec::with_capacity(self.buckets.len());
        let mut next = 0;
        for bucket in &self.buckets {
            moved.push(if bucket.is_empty() { u32::MAX } else { next });
            next += u32::from(!bucket.is_empty());
        }
        self.buckets.retain(|bucket| !bucket.is_empty());
        self.at = (0..).zip(&self.buckets).map(|(at, bucket)| (bucket.key, at)).collect();
        Some(moved)
    }
}
