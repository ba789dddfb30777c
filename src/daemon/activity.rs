//! Guards: whatever holds one keeps the daemon alive.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

#[derive(Clone)]
pub(crate) struct Activity {
    /// Guards held, by what they are for. Guards the map only; never held across a wait.
    held: Arc<Mutex<BTreeMap<String, usize>>>,
    count: watch::Sender<usize>,
}

/// Keeps the daemon alive until dropped.
pub(crate) struct Guard {
    activity: Activity,
    what: String,
}

impl Activity {
    pub fn new() -> Self {
        Self { held: Arc::default(), count: watch::Sender::new(0) }
    }

    pub fn guard(&self, what: impl Into<String>) -> Guard {
        let what = what.into();
        *self.held.lock().unwrap_or_else(PoisonError::into_inner).entry(what.clone()).or_default() += 1;
        self.count.send_modify(|n| *n += 1);
        Guard { activity: self.clone(), what }
    }

    /// What keeps the daemon alive, with counts.
    pub fn held(&self) -> Vec<String> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().map(|(what, n)| if *n == 1 { what.clone() } else { format!("{what} ({n})") }).collect()
    }

    /// Returns when no guard was held for so long. The timer runs only while none is held.
    pub async fn idle_for(&self, limit: Duration) {
        let mut count = self.count.subscribe();
        loop {
            if count.wait_for(|n| *n == 0).await.is_err() {
                return;
            }
            count.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep(limit) => return,
                _ = count.changed() => {}
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut held = self.activity.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = held.get_mut(&self.what) {
            *n -= 1;
            if *n == 0 {
                held.remove(&self.what);
            }
        }
        drop(held);
        self.activity.count.send_modify(|n| *n -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_timer_runs_only_at_zero_guards() {
        let activity = Activity::new();
        let guard = activity.guard("session a");
        let idle = tokio::spawn({
            let activity = activity.clone();
            async move { activity.idle_for(Duration::from_secs(10)).await }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!idle.is_finished());
        assert_eq!(activity.held(), ["session a"]);
        drop(guard);
        tokio::time::sleep(Duration::from_secs(9)).await;
        let again = activity.guard("request");
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!idle.is_finished());
        drop(again);
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert!(idle.is_finished());
    }
}
