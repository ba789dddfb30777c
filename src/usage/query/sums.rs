//! Sums by key, in the order in which their keys were met.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use hashbrown::{HashTable, hash_table::Entry};

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

    pub(super) fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    buckets: Vec<Bucket>,
    /// Positions by key.
    at: HashTable<u32>,
    /// Buckets that were cleared, whether or not they have got something since.
    cleared: usize,
}

impl Sums {
    /// Those without a request too.
    pub(super) fn all(&self) -> &[Bucket] {
        &self.buckets
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().filter(|bucket| !bucket.is_empty())
    }

    /// Counts a request, whose cost is `None` where its model has no known price. Says which sum it is in.
    pub(super) fn add(&mut self, key: Key, record: &Record<'_>, cost: Option<Money>) -> u32 {
        let at = self.place(key);
        if let Some(bucket) = self.buckets.get_mut(at as usize) {
            let ts = record.bill.ts_ms;
            (bucket.first, bucket.last) = (bucket.first.min(ts), bucket.last.max(ts));
            bucket.totals.add(&record.bill, cost, record.sub_request);
        }
        at
    }

    /// Adds another sum.
    pub(super) fn merge(&mut self, key: Key, more: &Bucket) {
        let at = self.place(key);
        if let Some(bucket) = self.buckets.get_mut(at as usize) {
            (bucket.first, bucket.last) = (bucket.first.min(more.first), bucket.last.max(more.last));
            bucket.totals.merge(&more.totals);
        }
    }

    fn place(&mut self, key: Key) -> u32 {
        // Logs are read in order, so most requests are of the sum before them.
        let latest = self.buckets.len().wrapping_sub(1);
        match self.buckets.get(latest) {
            Some(bucket) if bucket.key == key => u32::try_from(latest).unwrap_or(u32::MAX),
            _ => {
                let buckets = &mut self.buckets;
                let is = |at: &u32| buckets.get(*at as usize).is_some_and(|bucket| bucket.key == key);
                match self.at.entry(hash(&key), is, |at| buckets.get(*at as usize).map_or(0, |bucket| hash(&bucket.key))) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(place) => {
                        let at = u32::try_from(buckets.len()).unwrap_or(u32::MAX);
                        place.insert(at);
                        buckets.push(Bucket::new(key));
                        at
                    }
                }
            }
        }
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
        self.at.clear();
        let buckets = &self.buckets;
        for (at, bucket) in (0..).zip(buckets) {
            let again = |at: &u32| buckets.get(*at as usize).map_or(0, |bucket| hash(&bucket.key));
            self.at.insert_unique(hash(&bucket.key), at, again);
        }
        Some(moved)
    }
}

fn hash(key: &Key) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(key)
}
