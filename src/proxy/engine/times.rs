//! How long requests took, in classes, since the engine began.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::meter::Outcome;
use crate::wire::metrics::Spread;

/// Seconds; a model may think for minutes.
const BOUNDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/** Guards the classes; held for additions only. */
#[derive(Default)]
pub(super) struct Times(Mutex<BTreeMap<&'static str, Spread>>);

impl Times {
    pub(super) fn add(&self, outcome: Outcome, total_ms: f64) {
        let seconds = total_ms / 1e3;
        let class = BOUNDS.partition_point(|bound| *bound < seconds);
        let mut spreads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spread = spreads.entry(outcome.word()).or_insert_with(|| Spread {
            bounds: BOUNDS.to_vec(),
            counts: vec![0; BOUNDS.len() + 1],
            sum: 0.0,
        });
        if let Some(count) = spread.counts.get_mut(class) {
            *count += 1;
        }
        spread.sum += seconds;
    }

    pub(super) fn seen(&self) -> BTreeMap<&'static str, Spread> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_belongs_to_its_class_and_the_last_class_has_none() {
        let times = Times::default();
        for ms in [50.0, 50.1, 1_000_000.0] {
            times.add(Outcome::Ok, ms);
        }
        let seen = times.seen();
        let spread = &seen["ok"];
        assert_eq!((spread.counts[0], spread.counts[1], spread.counts[BOUNDS.len()]), (1, 1, 1));
        assert_eq!(spread.count(), 3);
        assert!((spread.sum - 1000.1001).abs() < 1e-9);
    }
}
