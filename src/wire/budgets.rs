//! Limits a user sets on what a profile may use, and what happens at them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Done, Effect};

pub const STORED_VERSION: u32 = 1;

/// How long a limit holds, in days of the zone it was set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Day,
    Month,
}

/// What happens when a limit is used up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Action {
    /// A notice, and nothing else.
    #[default]
    Warn,
    /// New runs are refused. What runs goes on.
    Refuse,
    /// The profile's proxy sends new runs' requests to this target.
    Route { target: String },
}

/// One limit. A profile has at most one for each `every`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    pub profile: String,
    pub every: Every,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    #[serde(flatten)]
    pub action: Action,
    /// As in `usage::Select`.
    #[serde(default)]
    pub timezone: String,
}

/// A limit and how far it is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BudgetState")]
pub struct State {
    #[serde(flatten)]
    pub budget: Budget,
    /// First day it counts from, `2026-11-01`.
    pub since: String,
    /// When it begins anew, RFC 3339.
    pub resets_at: String,
    pub used_usd: Option<f64>,
    pub used_tokens: u64,
    /// Some of the use has no known price: `used_usd` is too low.
    pub partial: bool,
    /// The larger of both shares.
    pub percent: f64,
    /// 80, 95 or 100 once that much is used; 0 before.
    pub level: u8,
}

/// Sets a limit, in place of the one for the same profile and time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BudgetsSet")]
pub struct Set {
    pub budgets: Vec<Budget>,
}

impl Call for Set {
    const NAME: &'static str = "budgets.set";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = States;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BudgetsList")]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Budgets")]
pub struct States {
    pub budgets: Vec<State>,
}

impl Call for List {
    const NAME: &'static str = "budgets.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = States;
}

/// Removes a profile's limits, or only that for one time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BudgetsRemove")]
pub struct Remove {
    pub profile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
}

impl Call for Remove {
    const NAME: &'static str = "budgets.remove";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Done;
}
