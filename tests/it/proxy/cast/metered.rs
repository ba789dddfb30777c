//! The bill of an upstream: each answer with an id and counts that no other one has.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use super::Cast;
use crate::{
    proxy::script::{Format, Script, Usage},
    support::Recorded,
};

static ANSWERS: AtomicU64 = AtomicU64::new(1000);

/// One answer, as the upstream bills it, whatever model was asked for.
#[derive(Clone, Debug)]
pub struct Served {
    pub id: String,
    pub format: Format,
    pub model: String,
    pub usage: Usage,
    pub asked: Recorded,
}

/// `None`: nobody counts, and all answers are alike.
#[derive(Clone, Default)]
pub(super) struct Bill(Option<Arc<Mutex<Vec<Served>>>>);

impl Cast {
    /// One that keeps a bill.
    pub fn metered() -> Self {
        Self::with(Bill(Some(Arc::default())))
    }

    /// All that was served since the start, in order.
    pub fn bill(&self) -> Vec<Served> {
        self.bill.0.as_ref().unwrap().lock().unwrap().clone()
    }
}

impl Bill {
    pub(super) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Counts of its own for the next answer.
    pub(super) fn put_in(&self, script: &mut Script) {
        let Some(served) = &self.0 else { return };
        let n = served.lock().unwrap().len() as u64 + 1;
        script.usage =
            Usage { input: 1000 + n, cache_read: 20_000 + 100 * n, cache_write: 300 + 10 * n, output: 70 + 3 * n, reasoning: 5 + n };
    }

    /// Puts the answer on the bill, with the id it gets.
    pub(super) fn keep(&self, mut answer: Served, text: String) -> String {
        let Some(served) = &self.0 else { return text };
        let own = match answer.format {
            Format::Anthropic => "msg_01Cast",
            Format::Chat => "chatcmpl-cast",
            Format::Responses => "resp_cast",
            Format::Gemini => "cAsT-1",
        };
        // No two upstreams have an id in common either.
        let id = format!("{own}{}", ANSWERS.fetch_add(1, Ordering::Relaxed));
        answer.id.clone_from(&id);
        served.lock().unwrap().push(answer);
        text.replace(&format!("\"{own}\""), &format!("\"{id}\""))
    }
}
