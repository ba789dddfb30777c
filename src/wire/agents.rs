//! Calls about agents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Effect,
    manifest::{AgentManifest, Origin, Problem},
};

/// What was found of an agent on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Detection {
    /// Absolute path, links resolved.
    pub path: String,
    /// Absent when the program did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why there is no version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentRow {
    pub id: String,
    pub name: String,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Detection>,
    /// Newest version clown's tests ran; absent where they have never run the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<String>,
    pub install_hint: String,
    pub profiles: usize,
}

/// Every agent, and whether it is installed. Probes only binaries that changed since last seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentsList")]
pub struct List {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Agents {
    pub agents: Vec<AgentRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Call for List {
    const NAME: &'static str = "agents.list";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Agents;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentsInspect")]
pub struct Inspect {
    pub id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentDetail {
    pub manifest: AgentManifest,
    pub origin: Origin,
    /// File of the manifest, for user and registry layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Detection>,
    /// Layer the agent's script comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_origin: Option<Origin>,
    /// Providers this agent can use.
    pub providers: Vec<String>,
}

impl Call for Inspect {
    const NAME: &'static str = "agents.inspect";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = AgentDetail;
}

/// Probes every agent again, whatever the cache says.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentsDetect")]
pub struct Detect {
    /// Only this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Call for Detect {
    const NAME: &'static str = "agents.detect";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Agents;
}
