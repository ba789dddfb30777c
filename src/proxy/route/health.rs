//! What a proxy knows of a target or a key: whether it is left alone for now, how quick it is, how
//! often it fails.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How much one more request counts against all before it.
const SHARE: f64 = 0.3;
/// A probe that said nothing for so long is forgotten.
const LOST: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Health(/** Guards a few numbers; never held over anything slow. */ Mutex<State>);

#[derive(Default)]
struct State {
    /// Left alone until then; behind it, one request may try.
    until: Option<Instant>,
    /// When a probe went out that has not come back.
    probing: Option<Instant>,
    /// Milliseconds to the first byte; 0: never asked.
    latency: f64,
    /// 0 to 1.
    errors: f64,
}

impl Health {
    fn with<T>(&self, see: impl FnOnce(&mut State) -> T) -> T {
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a request may go there now. Behind a rest the first who asks is the probe, and others
    /// are told no until it is known how that went.
    pub fn admit(&self, now: Instant) -> bool {
        self.with(|s| match s.until {
            None => true,
            Some(until) if now < until => false,
            // A probe may be lost with its client.
            Some(_) if s.probing.is_some_and(|out| now.saturating_duration_since(out) < LOST) => false,
            Some(_) => {
                s.probing = Some(now);
                true
            }
        })
    }

    /// As [`admit`](Self::admit), without becoming the probe.
    pub fn resting(&self, now: Instant) -> bool {
        self.with(|s| s.until.is_some_and(|until| now < until))
    }

    /// How long it is still left alone.
    pub fn rest(&self, now: Instant) -> Duration {
        self.with(|s| s.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)))
    }

    pub fn succeeded(&self, latency: Duration) {
        self.with(|s| {
            (s.until, s.probing) = (None, None);
            let ms = latency.as_secs_f64() * 1000.0;
            // A peak counts at once, a recovery slowly.
            s.latency = if ms > s.latency { ms } else { s.latency + SHARE * (ms - s.latency) };
            s.errors -= SHARE * s.errors;
        });
    }

    pub fn failed(&self, now: Instant, rest: Duration) {
        self.with(|s| {
            s.until = Some(now + rest);
            s.probing = None;
            s.errors += SHARE * (1.0 - s.errors);
        });
    }

    /// It ended without saying anything of the target: the client went away, or asked nonsense.
    pub fn released(&self) {
        self.with(|s| s.probing = None);
    }

    /// Less is better; 0 for one that was never asked.
    pub fn score(&self) -> f64 {
        self.with(|s| s.latency * (1.0 + 10.0 * s.errors) + 1000.0 * s.errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_rest_one_request_probes_and_the_others_wait_for_it() {
        let (health, start, rest) = (Health::default(), Instant::now(), Duration::from_secs(30));
        assert!(health.admit(start) && health.admit(start));
        health.failed(start, rest);
        assert!(!health.admit(start) && health.resting(start));
        let later = start + rest;
        assert!(!health.resting(later));
        assert!(health.admit(later), "the probe");
        assert!(!health.admit(later), "while it is out");
        assert!(health.admit(later + LOST), "a probe that was lost is not waited for");
        health.released();
        assert!(health.admit(later), "a probe that said nothing leaves its place to another");
        health.failed(later, rest);
        assert!(!health.admit(later));
        assert!(health.admit(later + rest));
        health.succeeded(Duration::from_millis(5));
        assert!(health.admit(later + rest) && health.admit(later + rest));
    }

    #[test]
    fn failures_weigh_more_than_slowness_and_fade() {
        let (quick, slow) = (Health::default(), Health::default());
        assert!(quick.score() == 0.0);
        quick.succeeded(Duration::from_millis(10));
        slow.succeeded(Duration::from_millis(100));
        assert!(quick.score() < slow.score());
        quick.failed(Instant::now(), Duration::ZERO);
        assert!(quick.score() > slow.score());
        (0..20).for_each(|_| quick.succeeded(Duration::from_millis(10)));
        assert!(quick.score() < slow.score());
    }
}
