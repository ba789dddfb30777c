//! Sums: the summary, and reports by day, session, model and the like.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Figures, Select};
use crate::wire::{Call, Effect, budgets};

/// What a report has a line for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Daily,
    Weekly,
    Monthly,
    Sessions,
    Models,
    Profiles,
    Agents,
    Projects,
    /// Windows of five hours, as vendors of subscriptions count them; estimated from the requests.
    Blocks,
}

/// The days that were asked for; absent ends are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    pub timezone: String,
}

/// One line. It names what it is the sum of, and only that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageLine")]
#[serde(default)]
pub struct Line {
    /// `2026-11-22`; of a week its Monday; `2026-11` for a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// `-`: outside of profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    #[serde(flatten)]
    pub figures: Figures,
    /// First and last request, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Models in it, most tokens first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// By model, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breakdown: Vec<Line>,
}

/// Five hours from the full hour of their first request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    pub start: String,
    pub end: String,
    /// Nothing was used from `start` to `end`; no block.
    #[serde(default)]
    pub gap: bool,
    /// Still open.
    #[serde(default)]
    pub active: bool,
    /// Always true: only the vendor knows its windows. What it told is in [`Window`].
    pub estimated: bool,
    /// Of an active block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<Burn>,
}

/// How fast, and where that leads by the end of the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Burn {
    pub tokens_per_minute: f64,
    /// Input and output only, without what was read from or written to a cache.
    pub uncached_tokens_per_minute: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd_per_hour: Option<f64>,
    pub minutes_left: f64,
    pub projected_tokens: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_cost_usd: Option<f64>,
}

/// A limit as its vendor told it to the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    pub agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The vendor's word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub minutes: u64,
    pub used_percent: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
    /// When the vendor said so.
    pub seen_at: String,
}

/// A report; at most [`Page::MOST`] lines at once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageReport")]
pub struct Report {
    pub group: Group,
    #[serde(default)]
    pub select: Select,
    /// Each line by model, too.
    #[serde(default)]
    pub breakdown: bool,
    /// Lines to leave out, from the first.
    #[serde(default)]
    pub skip: usize,
    /// Only that many at the end of the report: the latest, or for models, profiles, agents and projects the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<usize>,
}

/// Days, sessions and blocks in order of time; everything else by cost, the largest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsagePage")]
pub struct Page {
    pub group: Group,
    pub slice: Slice,
    pub lines: Vec<Line>,
    /// Lines in the whole report.
    pub count: usize,
    /// Of all that was selected, whatever lines are here.
    pub totals: Figures,
    /// Models without a known price.
    #[serde(default)]
    pub unpriced: Vec<String>,
    /// Windows that a vendor told; with blocks only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Whether anything at all is known, also outside of what was selected.
    pub known: bool,
}

impl Page {
    /// Lines in one reply. With a breakdown a line may be a few KiB.
    pub const MOST: usize = 250;
}

impl Call for Report {
    const NAME: &'static str = "usage.report";
    const EFFECT: Effect = Effect::Read;
    type Reply = Page;
}

/// What fits on a card.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageSummary")]
pub struct Summary {
    #[serde(default)]
    pub select: Select,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SummaryReply {
    pub slice: Slice,
    pub totals: Figures,
    /// Today and yesterday, this week and month, whatever was selected.
    pub today: Figures,
    pub yesterday: Figures,
    pub week: Figures,
    pub month: Figures,
    /// Of the selected days the last thirty, also those without use.
    pub days: Vec<Line>,
    /// The five largest of each.
    pub agents: Vec<Line>,
    pub profiles: Vec<Line>,
    pub models: Vec<Line>,
    pub projects: Vec<Line>,
    /// Open blocks.
    pub active: Vec<Line>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    #[serde(default)]
    pub unpriced: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<budgets::State>,
    /// Of the price table and the user's own prices.
    pub prices: String,
    pub known: bool,
}

impl Call for Summary {
    const NAME: &'static str = "usage.summary";
    const EFFECT: Effect = Effect::Read;
    type Reply = SummaryReply;
}
