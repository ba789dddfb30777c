//! How the figures came about: reading again, importing, comparing, and what could not be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Figures, Select, Slice, reports::Line};
use crate::wire::{Call, Effect};

/// Reads all logs from their start. What is known of files that are gone stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageRescan")]
pub struct Rescan {}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Scanned {
    pub files: u64,
    pub bytes_read: u64,
    pub requests: u64,
    pub milliseconds: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Trouble>,
}

impl Call for Rescan {
    const NAME: &'static str = "usage.rescan";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Scanned;
}

/// Reads logs of an agent at another place, once. Requests that are known already are not counted again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageImport")]
pub struct Import {
    pub agent: String,
    /// Absolute.
    pub dir: String,
    /// Whose requests these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    pub files: u64,
    /// That were not known before.
    pub requests: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Trouble>,
}

impl Call for Import {
    const NAME: &'static str = "usage.import";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Imported;
}

/// Our sums against what agents wrote down as their own bill.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageReconcile")]
pub struct Reconcile {
    #[serde(default)]
    pub select: Select,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Reconciled {
    pub slice: Slice,
    /// Sessions with a bill, those that differ first. At most 500.
    pub bills: Vec<Bill>,
    /// Sessions compared, and those that are equal.
    pub compared: usize,
    pub equal: usize,
    pub known: bool,
}

/// A session's bill and what we make of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bill {
    pub agent: String,
    pub profile: Option<String>,
    pub session: String,
    pub model: String,
    pub ours: Figures,
    /// What the agent says.
    pub theirs: Figures,
    pub difference_tokens: i64,
    pub difference_usd: Option<f64>,
}

impl Call for Reconcile {
    const NAME: &'static str = "usage.reconcile";
    const EFFECT: Effect = Effect::Read;
    type Reply = Reconciled;
}

/// What the line below an agent's prompt needs. Names come from the agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageStatusline")]
#[serde(default)]
pub struct Statusline {
    pub agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    pub timezone: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StatuslineReply {
    pub session: Figures,
    /// Of the profile.
    pub today: Figures,
    /// The open block of the profile, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Line>,
    /// The tightest budget, if there is one: its share in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_percent: Option<f64>,
}

impl Call for Statusline {
    const NAME: &'static str = "usage.statusline";
    const EFFECT: Effect = Effect::Read;
    type Reply = StatuslineReply;
}

/// Where clown looks, and what it could not read.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageDoctor")]
pub struct Doctor {}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DoctorReply {
    pub index: String,
    /// Of the index, in bytes.
    pub size: u64,
    pub requests: u64,
    pub collectors: Vec<Collector>,
    /// Lines and files that could not be read. At most 200.
    pub problems: Vec<Trouble>,
    /// Models without a known price.
    pub unpriced: Vec<String>,
    /// Models priced by another name.
    pub rewritten: Vec<(String, String)>,
    pub prices: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices_problem: Option<String>,
    /// Whether changes are seen at once.
    pub watching: bool,
    /// Places that the caller's environment names and nobody looks at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Elsewhere>,
}

/// A variable moves an agent's logs to a place outside of all that are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Elsewhere {
    pub agent: String,
    pub variable: String,
    pub dir: String,
    /// What the setting `usage.roots` would be with it.
    pub roots: String,
}

/// A place that is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Collector {
    /// `proxy`: the log of a profile's proxy.
    pub agent: String,
    pub profile: Option<String>,
    pub root: String,
    /// Logs that were ever read there.
    pub files: u64,
    /// Their whole lines; a database has none.
    pub lines: u64,
    pub skipped: Skipped,
}

/// Lines that told nothing because nobody could read them, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Skipped {
    /// No JSON object.
    pub garbage: u64,
    /// The beginning or the end of one.
    pub half: u64,
    /// No JSON object and no UTF-8.
    pub not_text: u64,
    /// Longer than anything that tells of usage.
    pub too_long: u64,
    /// Of a later version than this build knows.
    pub unknown_version: u64,
    /// Files that could not be opened, or not to their end.
    pub unreadable: u64,
}

/// Something that could not be read, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Trouble {
    pub file: String,
    pub what: String,
    pub count: u64,
}

impl Call for Doctor {
    const NAME: &'static str = "usage.doctor";
    const EFFECT: Effect = Effect::Read;
    type Reply = DoctorReply;
}
