//! A profile's proxy: what is stored of it, and the calls that run and change it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod instances;
mod routing;

pub use instances::*;
pub use routing::*;

use super::{ids::ProviderId, profiles::Credential};

/// `proxy` in `profiles/<alias>.json`. Absent: as it comes out by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxySettings")]
pub struct Settings {
    /// The user wants it, also where agent and provider would understand each other without.
    #[serde(default)]
    pub enabled: bool,
    #[serde(default)]
    pub strategy: Strategy,
    /// In the order in which equals are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// From a model's name, `*` allowed, to a target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// Keys besides the profile's own: of other providers, or more of the same to take turns with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ExtraKey>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How one of several targets is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The rules that hold, in their order; each is the replacement of the one before.
    Simple,
    /// Spread by `weight`; a session stays where it began.
    Weighted,
    LowestCost,
    /// The quickest that does not fail.
    Adaptive,
    /// The first rule that holds, and no other.
    #[default]
    Conditional,
}

impl Strategy {
    pub const ALL: [(&'static str, Self); 5] = [
        ("simple", Self::Simple),
        ("weighted", Self::Weighted),
        ("lowest-cost", Self::LowestCost),
        ("adaptive", Self::Adaptive),
        ("conditional", Self::Conditional),
    ];

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(w, _)| *w == word).map(|(_, s)| *s)
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(Self::ALL.iter().find(|(_, s)| s == self).map_or("", |(w, _)| w))
    }
}

/// A rule: requests for which the condition holds go to the first target; the others replace it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    pub name: String,
    pub condition: String,
    /// `provider/model`, or `provider/*` for the model that was asked for.
    pub targets: Vec<String>,
    /// Higher is asked first.
    #[serde(default)]
    pub priority: i64,
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// A key besides the profile's own, and where its owner agreed to send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtraKey {
    pub provider: ProviderId,
    pub credential: Credential,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_hosts: Vec<String>,
}

/// Why requests of a profile go through a proxy, or do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyUse")]
#[serde(rename_all = "snake_case")]
pub enum Use {
    Off,
    /// The user enabled it.
    Enabled,
    /// Agent and provider have no format in common.
    Needed,
}
