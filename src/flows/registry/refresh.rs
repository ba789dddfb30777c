//! The daemon asks the registry by itself when what it has is old.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{settings, take};
use crate::{
    app::App,
    base::error::Result,
    wire::{envelope::Caller, registry::Synced},
};

/// After a try that failed; doubled with each, up to the usual time.
const AFTER_FAILURE: Duration = Duration::from_secs(15 * 60);
/// Clocks are set and machines sleep: no sleep is longer than this.
const LOOK_AGAIN: Duration = Duration::from_secs(6 * 3600);

pub struct Refresh {
    /// Held for a look only.
    failed: Mutex<Failed>,
    /// Something changed that the time of the next try depends on.
    changed: Notify,
    /// Between 0.9 and 1.1: not every machine asks at the same moment.
    jitter: f64,
}

#[derive(Default)]
struct Failed {
    /// Of the last try, when it failed.
    why: Option<String>,
    /// How many did in turn.
    times: u32,
    at: Option<Instant>,
}

impl Default for Refresh {
    fn default() -> Self {
        let mut byte = [127];
        // Without random bytes all is as well, only less spread.
        let _ = getrandom::fill(&mut byte);
        Self { failed: Mutex::default(), changed: Notify::new(), jitter: 0.9 + f64::from(byte[0]) / 255.0 * 0.2 }
    }
}

impl Refresh {
    pub fn told(&self, outcome: &Result<Synced>) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = match outcome {
            Ok(_) => Failed::default(),
            Err(error) => Failed { why: Some(error.to_string()), times: failed.times.saturating_add(1), at: Some(Instant::now()) },
        };
    }

    /// What the time of the next try depends on is different now.
    pub fn again(&self) {
        self.changed.notify_one();
    }

    pub fn last_error(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).why.clone()
    }

    /// How long a try that failed still keeps the next one away.
    fn held_back(&self, usual: Duration) -> Duration {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = failed.at else { return Duration::ZERO };
        let pause = AFTER_FAILURE.saturating_mul(1 << failed.times.saturating_sub(1).min(10)).min(usual);
        pause.mul_f64(self.jitter).saturating_sub(at.elapsed())
    }
}

/// How long until the registry is to be asked; `None`: never, as things are.
fn due(app: &App) -> Option<Duration> {
    let settings = settings(app, &Caller::default(), None).ok()?;
    let hours = app.config.number("registry.refresh_hours").ok()?;
    settings.url.as_ref()?;
    if hours == 0 || super::offline(app).ok()? {
        return None;
    }
    let usual = Duration::from_secs(hours.saturating_mul(3600)).mul_f64(app.refresh.jitter);
    let checked = app.registry.state(&settings).ok()?.lock.and_then(|lock| lock.checked.parse::<jiff::Timestamp>().ok());
    let old = checked.map_or(usual, |at| {
        // A clock that was put back makes it due, not due in a year.
        Duration::try_from(app.seams.clock.now().duration_since(at)).unwrap_or(usual)
    });
    Some(usual.saturating_sub(old).max(app.refresh.held_back(usual)))
}

/// Mends what a killed sync left, and asks from then on when it is time.
pub fn settle(app: &Arc<App>) {
    if let Err(error) = settings(app, &Caller::default(), None).and_then(|settings| app.registry.settle(&settings)) {
        tracing::warn!(%error, "the registry on disk is not as it should be");
    }
    let Ok(runtime) = app.host.runtime() else { return };
    let (weak, refresh) = (Arc::downgrade(app), Arc::clone(&app.refresh));
    runtime.spawn(async move {
        loop {
            // What is asked may read files, so not here.
            let weak = weak.clone();
            let looked = tokio::task::spawn_blocking(move || weak.upgrade().map(|app| look(&app))).await;
            let Ok(Some(wait)) = looked else { return };
            match wait {
                Some(wait) => drop(tokio::time::timeout(wait.min(LOOK_AGAIN), refresh.changed.notified()).await),
                None => refresh.changed.notified().await,
            }
        }
    });
}

/// Asks when it is time; how long until it is again.
fn look(app: &App) -> Option<Duration> {
    let wait = due(app)?;
    if !wait.is_zero() {
        return Some(wait);
    }
    let _guard = app.host.guard("registry refresh".into());
    let outcome = settings(app, &Caller::default(), None).and_then(|settings| take(app, &settings, false, false));
    if let Err(error) = &outcome {
        tracing::warn!(%error, "the registry was not refreshed");
    }
    app.refresh.told(&outcome);
    due(app)
}
