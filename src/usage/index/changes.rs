//! Which rows may be other ones than when somebody asked last.

use super::book::Book;
use super::slot::NONE;
use crate::usage::row::Changes;

/// With more than these a walk over all rows is no dearer.
const MOST: usize = 16 * 1024;

/// Slots that were touched since.
pub(super) struct Touched {
    all: bool,
    slots: Vec<u32>,
}

impl Default for Touched {
    fn default() -> Self {
        Self { all: true, slots: Vec::new() }
    }
}

impl Touched {
    pub(super) fn slot(&mut self, at: u32) {
        if self.all || self.slots.last() == Some(&at) {
            return;
        }
        self.slots.push(at);
        if self.slots.len() > MOST {
            self.all();
        }
    }

    pub(super) fn all(&mut self) {
        *self = Self::default();
    }
}

impl Book {
    /// From here on only what is touched from now on is told the next time.
    pub(super) fn changes(&mut self) -> Changes {
        let touched = std::mem::replace(&mut self.touched, Touched { all: false, slots: Vec::new() });
        if touched.all {
            return Changes::All;
        }
        let mut rows = Vec::with_capacity(touched.slots.len());
        for slot in touched.slots.iter().filter_map(|at| self.slots.get(*at)) {
            // A telling may change which of its key's slots count.
            let mut at = self.heads.get(slot.key as usize).copied().unwrap_or(NONE);
            while let Some(slot) = self.slots.get(at) {
                rows.push(at);
                at = slot.next;
            }
        }
        rows.sort_unstable();
        rows.dedup();
        Changes::Rows(rows)
    }
}
