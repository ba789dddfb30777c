//! What a collector remembers between two lines of a file. It is stored with the file's offset, so reading a tail goes on where the
//! last reading ended.

use serde::{Deserialize, Serialize};

use super::tokens::Counters;

/// One type for all agents: most need two of its fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Lines read.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub(crate) lines: u64,
    /// The last time told, for lines that tell none.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub(crate) ts_ms: i64,
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub(crate) session: String,
    #[serde(rename = "a", skip_serializing_if = "is_default")]
    pub(crate) parent: String,
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub(crate) project: String,
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub(crate) model: String,
    #[serde(rename = "v", skip_serializing_if = "is_default")]
    pub(crate) provider: String,
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub(crate) tier: String,
    /// Of a database: the newest change seen, in its own unit.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub(crate) watermark: i64,
    /// The file tells of its requests one by one, so sums in it are no news.
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    pub(crate) one_by_one: bool,
    /// The file has told whose it is.
    #[serde(rename = "b", skip_serializing_if = "is_default")]
    pub(crate) begun: bool,
    /// A Codex thread whose forks refer to it instead of replaying it.
    #[serde(rename = "g", skip_serializing_if = "is_default")]
    pub(crate) paginated: bool,
    /// Sums told last.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub(crate) sums: Option<Counters>,
    /// How often sums went back to nothing.
    #[serde(rename = "e", skip_serializing_if = "is_default")]
    pub(crate) resets: u32,
    /// Of the line at hand: time went by before it.
    #[serde(skip)]
    pub(crate) paused: bool,
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    pub(crate) fork: Option<Box<Fork>>,
}

/// A Codex thread that came from another one, until its own first turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Fork {
    /// When the thread began.
    pub(crate) born_ms: i64,
    /// Each with the time it began at.
    pub(crate) ancestors: Vec<(String, i64)>,
    /// Whose items are being replayed; empty while that is nobody.
    pub(crate) replaying: String,
    /// No turn had an id yet, so the rhythm of the lines has to tell where the replay ends.
    pub(crate) by_rhythm: bool,
}

impl State {
    /// The time told, or the last one before it.
    pub(crate) fn time(&mut self, told: Option<i64>) -> i64 {
        if let Some(ts_ms) = told.filter(|ts_ms| *ts_ms > 0) {
            self.ts_ms = ts_ms;
        }
        self.ts_ms
    }

    /// As bytes for the index.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
