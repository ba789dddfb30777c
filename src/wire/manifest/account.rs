//! What a provider tells about a key: the models it may use, and what is left of what was paid for.
//!
//! Each place is a path on the host of the profile's own endpoint, so a key goes nowhere else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[probe]`: how a key is checked. Absent where the usual list of models is enough: `/models` below an
/// OpenAI base URL, `/v1/models` below an Anthropic one, `/v1beta/models` below Gemini's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProbeSpec")]
pub struct Probe {
    /// Path of the list of models on the endpoint's host, `/` first; empty where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<String>,
    /// Path that only a good key opens, where the list of models is open to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// `[[balance]]`: a JSON document that says what is left. Asked with GET.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// On the endpoint's host, `/` first.
    pub path: String,
    /// Regions it is for; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// The key alone stands in `Authorization`, without `Bearer`. Else it travels as to the endpoint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bare_key: bool,
    /// For vendors that answer 200 to a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    pub figures: Vec<Figure>,
}

/// The vendor's own word of success inside the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BalanceStatus")]
pub struct Status {
    /// JSON pointer.
    pub at: String,
    /// What stands there when all is well, as text.
    pub ok: String,
    /// JSON pointer to the vendor's sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One thing that can run out. All places are JSON pointers; a number there may be written as a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BalanceFigure")]
pub struct Figure {
    /// What it is, for people: `balance`, `5 hours`, `week`.
    pub name: String,
    /// A list: one figure for each item, and the other places are inside the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// Only where these places have these values, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, String>,
    /// A word to stand before the name, such as a model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// `left`, or what `limit` and `used` come to; with the unit `%` a limit of 100 is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// `USD`, `CNY`, `%`, `tokens`, `requests`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_at: Option<String>,
    /// What each number is divided by, for vendors that tell cents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide: Option<u32>,
    /// When it begins anew: RFC 3339, or seconds or milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets: Option<String>,
}
