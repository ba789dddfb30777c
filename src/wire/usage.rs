//! Calls about usage: what was used, what it cost, and how that was counted.

mod reports;
mod rows;
mod upkeep;

pub use reports::{Block, Burn, Group, Line, Page, Report, Slice, Summary, SummaryReply, Window};
pub use rows::{Export, Exported, Request};
pub use upkeep::{
    Bill, Collector, Doctor, DoctorReply, Elsewhere, Import, Imported, Reconcile, Reconciled, Rescan, Scanned, Skipped, Statusline,
    StatuslineReply, Trouble,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sums over requests, in the names used everywhere. The parts are disjoint, but for `reasoning_tokens`, which are among
/// `output_tokens`; `total_tokens` is what was billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Figures {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_5m_tokens: u64,
    pub cache_write_1h_tokens: u64,
    #[serde(skip_serializing_if = "none")]
    pub cache_write_12h_tokens: u64,
    /// For a time that nobody told.
    #[serde(skip_serializing_if = "none")]
    pub cache_write_other_tokens: u64,
    pub total_tokens: u64,
    pub requests: u64,
    /// Null: nothing in it has a known price.
    pub cost_usd: Option<f64>,
    /// Some of it has no known price, and is not in `cost_usd`.
    pub partial: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn none(count: &u64) -> bool {
    *count == 0
}

impl Figures {
    pub fn cache_write_tokens(&self) -> u64 {
        self.cache_write_5m_tokens + self.cache_write_1h_tokens + self.cache_write_12h_tokens + self.cache_write_other_tokens
    }
}

/// A stretch of days, counted from today in the zone of the question. A week begins on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Period {
    #[serde(rename = "today")]
    Today,
    #[serde(rename = "yesterday")]
    Yesterday,
    #[serde(rename = "week")]
    Week,
    #[serde(rename = "month")]
    Month,
    /// Today and the six days before.
    #[serde(rename = "7d")]
    Last7,
    #[serde(rename = "30d")]
    Last30,
    #[serde(rename = "all")]
    All,
}

impl Period {
    pub const WORDS: [(&'static str, Self); 7] = [
        ("today", Self::Today),
        ("yesterday", Self::Yesterday),
        ("week", Self::Week),
        ("month", Self::Month),
        ("7d", Self::Last7),
        ("30d", Self::Last30),
        ("all", Self::All),
    ];
}

/// Which requests. Lists are choices: one of each list must fit, an empty list lets all through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Select {
    /// Absent: all, or what `since` and `until` say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// First day, `2026-11-22`; in place of the period's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Last day, counted in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where days begin: a name of the time zone database, a POSIX rule, or an offset like `+02:00`. Empty: UTC.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub timezone: String,
    /// `-` stands for what was used outside of profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
    /// `*` stands for any text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// A directory, or the last part of one; `*` stands for any text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
}
