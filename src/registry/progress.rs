//! How far a sync is. Whoever looks is told that it moved, and asks where it is.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::wire::registry::{Stage, SyncProgress};

/// A stage of many small entries tells no more often than a person sees.
const PAUSE: Duration = Duration::from_millis(60);

pub struct Progress {
    /// Held for a look only: where it is, and when that was told last.
    now: Mutex<(SyncProgress, Instant)>,
    tell: Box<dyn Fn() + Send + Sync>,
}

/// A sync under way; none is when this is dropped.
pub struct UnderWay<'a>(&'a Progress);

impl Progress {
    /// `tell` is called after each step, on the thread that syncs.
    pub fn new(tell: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { now: Mutex::new((SyncProgress::default(), Instant::now())), tell }
    }

    pub fn now(&self) -> SyncProgress {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.from(Stage::Index)
    }

    /// While prices are taken, which the flow does.
    pub fn prices(&self) -> UnderWay<'_> {
        self.from(Stage::Prices)
    }

    fn from(&self, stage: Stage) -> UnderWay<'_> {
        self.put(SyncProgress { stage, ..SyncProgress::default() });
        UnderWay(self)
    }

    /// Of a sync under way; what else takes entries is no sync.
    pub(super) fn at(&self, stage: Stage, done: usize, total: usize) {
        if self.now().stage != Stage::Idle {
            self.put(SyncProgress { stage, done: done as u64, total: total as u64 });
        }
    }

    fn put(&self, next: SyncProgress) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, told) = *now;
        let worth = before.stage != next.stage || next.done == next.total || told.elapsed() >= PAUSE;
        *now = (next, if worth { Instant::now() } else { told });
        drop(now);
        if worth && before != next {
            (self.tell)();
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.put(SyncProgress::default());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn each_stage_is_told_and_only_of_a_sync() {
        let told = Arc::new(AtomicUsize::new(0));
        let progress = Progress::new({
            let told = Arc::clone(&told);
            Box::new(move || {
                told.fetch_add(1, Ordering::SeqCst);
            })
        });
        progress.at(Stage::Fetch, 1, 2);
        assert_eq!((progress.now(), told.load(Ordering::SeqCst)), (SyncProgress::default(), 0), "nothing is under way");
        {
            let _way = progress.begin();
            assert_eq!(progress.now().stage, Stage::Index);
            progress.at(Stage::Fetch, 0, 2);
            progress.at(Stage::Fetch, 2, 2);
            assert_eq!(progress.now(), SyncProgress { stage: Stage::Fetch, done: 2, total: 2 });
            assert_eq!(told.load(Ordering::SeqCst), 3);
        }
        assert_eq!((progress.now(), told.load(Ordering::SeqCst)), (SyncProgress::default(), 4));
    }
}
