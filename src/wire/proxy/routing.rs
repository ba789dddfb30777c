//! Calls that change or explain where requests of a profile go.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Route, Strategy, Use};
use crate::wire::{
    Call, Effect,
    ids::{Alias, ProviderId},
    profiles::KeyInput,
};

/// Enables or disables the proxy of a profile, or sets its strategy. What is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxySet")]
pub struct Set {
    pub alias: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
}

/// A profile's routing after a change, or as it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Routing {
    pub alias: String,
    #[serde(rename = "use")]
    pub used: Use,
    pub strategy: Strategy,
    /// The user's, in the order in which they are asked, then those that clown adds.
    pub routes: Vec<RouteRow>,
    pub aliases: BTreeMap<String, String>,
    pub keys: Vec<KeyRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RouteRow {
    #[serde(flatten)]
    pub route: Route,
    /// Made by clown; it cannot be removed.
    #[serde(default)]
    pub generated: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyRow {
    /// For `proxy.remove-key`; the profile's own key is 0 and stays.
    pub number: usize,
    pub provider: ProviderId,
    /// Where it is and its masked form.
    pub key: String,
    pub approved_hosts: Vec<String>,
}

impl Call for Set {
    const NAME: &'static str = "proxy.set";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Routing;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRouting")]
pub struct ShowRouting {
    pub alias: String,
}

impl Call for ShowRouting {
    const NAME: &'static str = "proxy.routing";
    const EFFECT: Effect = Effect::Read;
    type Reply = Routing;
}

/// Adds a rule. Its condition and targets are checked first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyAddRoute")]
pub struct AddRoute {
    pub alias: String,
    pub route: Route,
}

impl Call for AddRoute {
    const NAME: &'static str = "proxy.add-route";
    const EFFECT: Effect = Effect::Once;
    type Reply = Routing;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRemoveRoute")]
pub struct RemoveRoute {
    pub alias: String,
    pub name: String,
}

impl Call for RemoveRoute {
    const NAME: &'static str = "proxy.remove-route";
    const EFFECT: Effect = Effect::Once;
    type Reply = Routing;
}

/// Leads a model's name, `*` allowed, to a target.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxySetAlias")]
pub struct SetAlias {
    pub alias: String,
    pub name: String,
    pub target: String,
}

impl Call for SetAlias {
    const NAME: &'static str = "proxy.set-alias";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Routing;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRemoveAlias")]
pub struct RemoveAlias {
    pub alias: String,
    pub name: String,
}

impl Call for RemoveAlias {
    const NAME: &'static str = "proxy.remove-alias";
    const EFFECT: Effect = Effect::Once;
    type Reply = Routing;
}

/// Takes a key for targets of a provider; the hosts of its manifest are approved with it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyAddKey")]
pub struct AddKey {
    pub alias: String,
    pub provider: String,
    #[serde(default)]
    pub key: KeyInput,
}

impl Call for AddKey {
    const NAME: &'static str = "proxy.add-key";
    const EFFECT: Effect = Effect::Once;
    type Reply = Routing;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRemoveKey")]
pub struct RemoveKey {
    pub alias: String,
    pub number: usize,
}

impl Call for RemoveKey {
    const NAME: &'static str = "proxy.remove-key";
    const EFFECT: Effect = Effect::Once;
    type Reply = Routing;
}

/// Which rule a request would take, and why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyExplain")]
pub struct Explain {
    pub alias: String,
    /// Base64 of the request's body: punctuation of its own would count against the limits of a message.
    pub request: String,
    /// Absent: what the agent speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<crate::wire::manifest::Format>,
    /// The model, for a format that has it in the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    pub alias: Alias,
    /// What rules can ask about the request, in their own words.
    pub facts: BTreeMap<String, String>,
    /// Every rule in the order in which they are asked.
    pub steps: Vec<Step>,
    /// The winning rule's name, `alias PATTERN` or `by name`; absent: the request would be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where it would go, then the replacements.
    pub targets: Vec<TargetRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    pub rule: String,
    pub condition: String,
    pub holds: bool,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TargetRow {
    pub target: String,
    pub model: String,
}

impl Call for Explain {
    const NAME: &'static str = "proxy.explain";
    const EFFECT: Effect = Effect::Read;
    type Reply = Explanation;
}
