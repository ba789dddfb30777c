//! What became of calls, by name.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::wire::error::Code;

/** Guards the counts; held for additions only. Names are those of the table, so there are not many. */
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<(&'static str, Option<Word>), u64>>);

/// A failure's code as the wire writes it.
type Word = String;

impl Tally {
    pub(super) fn count(&self, call: &'static str, failed: Option<Code>) {
        let word = failed.map(|code| serde_json::to_value(code).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((call, word)).or_default() += 1;
    }

    /// Call, `ok` or the failure's code, how often.
    pub fn seen(&self) -> Vec<(&'static str, String, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((call, word), n)| (*call, word.clone().unwrap_or_else(|| "ok".into()), *n)).collect()
    }
}
