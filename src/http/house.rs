//! How many may be connected. Whoever has shown no token or cookie yet gives way to others like it, so that idle sockets
//! of strangers keep nobody out.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

const STRANGERS: usize = 256;
const ALL: usize = 4096;

#[derive(Default)]
pub(super) struct House {
    /// Connections that have proven nothing, the oldest first. Held for a look only.
    strangers: Mutex<VecDeque<Arc<Notify>>>,
    all: AtomicUsize,
}

/// A connection's place, given back when dropped.
pub(super) struct Seat {
    house: Arc<House>,
    cut: Arc<Notify>,
}

impl House {
    /// `None`: full.
    pub fn enter(self: &Arc<Self>) -> Option<Seat> {
        if self.all.fetch_add(1, Ordering::SeqCst) >= ALL {
            self.all.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        let cut = Arc::new(Notify::new());
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        if strangers.len() >= STRANGERS
            && let Some(oldest) = strangers.pop_front()
        {
            oldest.notify_one();
        }
        strangers.push_back(Arc::clone(&cut));
        Some(Seat { house: Arc::clone(self), cut })
    }
}

impl Seat {
    /// It belongs to somebody now.
    pub fn prove(&self) {
        self.house.strangers.lock().unwrap_or_else(PoisonError::into_inner).retain(|s| !Arc::ptr_eq(s, &self.cut));
    }

    /// Returns when it must give way.
    pub async fn cut(&self) {
        self.cut.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.prove();
        self.house.all.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_stranger_gives_way_and_whoever_is_known_stays() {
        let house = Arc::new(House::default());
        let known = house.enter().unwrap();
        known.prove();
        let first = house.enter().unwrap();
        let rest: Vec<_> = (0..STRANGERS).map(|_| house.enter().unwrap()).collect();
        first.cut().await;
        assert!(futures_util::FutureExt::now_or_never(known.cut()).is_none());
        assert!(futures_util::FutureExt::now_or_never(rest[0].cut()).is_none());
        drop((first, rest));
        assert_eq!((house.all.load(Ordering::SeqCst), house.strangers.lock().unwrap().len()), (1, 0));
    }
}
