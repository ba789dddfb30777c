//! Calls about providers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Effect,
    ids::ProviderId,
    manifest::{Format, Origin, Problem, ProviderKind, ProviderManifest},
};

mod account;

pub use account::*;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProviderRow {
    pub id: ProviderId,
    pub name: String,
    pub kind: ProviderKind,
    pub origin: Origin,
    pub formats: Vec<Format>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    pub profiles: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProvidersList")]
pub struct List {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Providers {
    pub providers: Vec<ProviderRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Call for List {
    const NAME: &'static str = "providers.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Providers;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProvidersInspect")]
pub struct Inspect {
    pub id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProviderDetail {
    pub manifest: ProviderManifest,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Agents that can use it.
    pub agents: Vec<String>,
}

impl Call for Inspect {
    const NAME: &'static str = "providers.inspect";
    const EFFECT: Effect = Effect::Read;
    type Reply = ProviderDetail;
}

/// Agrees that the keys of this provider's profiles may go to the hosts its manifest names now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProvidersApprove")]
pub struct Approve {
    pub id: String,
    /// Only this profile; all profiles of the provider when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approved {
    /// One line per profile that changed.
    pub changes: Vec<Approval>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    pub alias: String,
    pub before: Vec<String>,
    pub after: Vec<String>,
}

impl Call for Approve {
    const NAME: &'static str = "providers.approve";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Approved;
}
