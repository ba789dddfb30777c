//! Requests one by one, for other programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Figures, Select};
use crate::wire::{Call, Effect};

/// Requests as they are known, page by page. The order is the index's own and stays while nothing new is read.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageExport")]
pub struct Export {
    #[serde(default)]
    pub select: Select,
    /// Continue here; 0 at first, then what the reply before said.
    #[serde(default)]
    pub from: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Exported {
    pub requests: Vec<Request>,
    /// Absent: that was all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    pub known: bool,
}

/// One billed request. Nothing of what was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UsageRequest")]
#[serde(default)]
pub struct Request {
    /// RFC 3339, UTC.
    pub time: String,
    pub agent: String,
    /// Null: outside of profiles.
    pub profile: Option<String>,
    pub provider: Option<String>,
    pub model: String,
    pub project: Option<String>,
    pub session: String,
    /// The request's identity.
    pub key: String,
    #[serde(flatten)]
    pub figures: Figures,
    pub web_searches: u32,
    pub sidechain: bool,
    pub aborted: bool,
    /// What the agent says it cost. In no sum.
    pub source_cost_usd: Option<f64>,
}

impl Exported {
    /// Requests in one reply; one is at most a few KiB.
    pub const MOST: usize = 400;
}

impl Call for Export {
    const NAME: &'static str = "usage.export";
    const EFFECT: Effect = Effect::Read;
    type Reply = Exported;
}
