//! Token counts as agents write them.

use serde::{Deserialize, Serialize};

use super::json::Walk;
use crate::usage::record::Tokens;

/// Five counts whose meaning is the agent's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    #[serde(rename = "i", default)]
    pub(crate) input: u64,
    #[serde(rename = "o", default)]
    pub(crate) output: u64,
    #[serde(rename = "g", default)]
    pub(crate) reasoning: u64,
    #[serde(rename = "r", default)]
    pub(crate) read: u64,
    #[serde(rename = "w", default)]
    pub(crate) write: u64,
}

/// Which field is which: input, output, reasoning, cache read, cache write.
pub(crate) type Names = [&'static [u8]; 5];

impl Counters {
    /// Of an object with these fields. `None` where it has none of them.
    pub(crate) fn read(walk: &mut Walk<'_>, names: &Names) -> Option<Self> {
        let mut counters = Self::default();
        let mut any = false;
        walk.object(|key, value| {
            let places = [&mut counters.input, &mut counters.output, &mut counters.reasoning, &mut counters.read, &mut counters.write];
            for (place, name) in places.into_iter().zip(names) {
                if key == *name {
                    if let Some(count) = value.count() {
                        *place = count;
                        any = true;
                    }
                    break;
                }
            }
            true
        });
        any.then_some(counters)
    }

    /// Where input includes what was read from and written to the cache, and output includes reasoning.
    pub(crate) fn inclusive(self) -> Tokens {
        let input = self.input.saturating_sub(self.read).saturating_sub(self.write);
        Self { input, ..self }.disjoint()
    }

    /// Where input is what no cache had a part in, and output includes reasoning.
    pub(crate) fn disjoint(self) -> Tokens {
        Tokens {
            input: self.input,
            output: self.output,
            reasoning: self.reasoning.min(self.output),
            cache_read: self.read,
            cache_write_other: self.write,
            ..Tokens::default()
        }
    }

    /// Counts reasoning in where output leaves it out.
    pub(crate) fn with_reasoning(self) -> Self {
        Self { output: self.output.saturating_add(self.reasoning), ..self }
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_sub(other.input),
            output: self.output.saturating_sub(other.output),
            reasoning: self.reasoning.saturating_sub(other.reasoning),
            read: self.read.saturating_sub(other.read),
            write: self.write.saturating_sub(other.write),
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
