//! Calls about profiles, and the stored profile itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Call, Effect,
    hooks::Hook,
    ids::{AgentId, Alias, McpName, ProviderId},
    manifest::{Isolation, Problem},
    mcp, proxy,
    secret::KeyText,
};

/// Version of the stored form written by this build.
pub const STORED_VERSION: u32 = 1;

/// `profiles/<alias>.json`. Fields of a newer build survive a rewrite in `rest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    pub version: u32,
    pub alias: Alias,
    pub agent: AgentId,
    pub provider: ProviderId,
    /// Region of the provider, or a URL of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Absent: the provider's default, else the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub isolation: Isolation,
    /// Absolute path of the profile home.
    pub home: String,
    #[serde(default)]
    pub credential: Credential,
    /// Hosts the owner agreed to send the key to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_hosts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<proxy::Settings>,
    /// Arguments put before those of each run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Handed to the agent's script.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub preferences: BTreeMap<String, String>,
    /// MCP servers of this profile alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp: BTreeMap<McpName, mcp::Server>,
    /// Hooks of the agent's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// RFC 3339.
    pub created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Where a profile's key is. Never the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Credential {
    /// The agent's own login, or a provider without keys.
    #[default]
    None,
    /// In a secret store (`keychain` or `file`) under this name. Profiles may share one.
    Stored { store: String, key: String },
    /// A variable of the caller's environment, read at each run.
    Env { var: String },
    /// The first line a command prints, read at each run.
    Command { argv: Vec<String> },
}

/// How a key comes in with a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum KeyInput {
    #[default]
    Absent,
    /// Store this key.
    Text {
        key: KeyText,
    },
    /// Share the key that another profile of the same provider has.
    Reuse {
        alias: String,
    },
    Env {
        var: String,
    },
    Command {
        argv: Vec<String>,
    },
}

/// Fields of `profiles create` and `profiles edit` that are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfileSettings")]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// A null value removes the variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Option<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub preferences: BTreeMap<String, Option<String>>,
}

/// Makes a profile: checks everything, stores the key, seeds the home, then commits the file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesCreate")]
pub struct Create {
    pub agent: String,
    pub alias: String,
    pub provider: String,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    pub key: KeyInput,
    /// Requests go through a proxy, also where they need not.
    #[serde(default)]
    pub proxy: bool,
    /// Name of one of the agent's templates; what this call sets itself wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Check and show, change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    pub profile: Profile,
    /// Files written into the profile home, relative to it.
    pub files: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What was decided for the user and is good to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub dry_run: bool,
}

impl Call for Create {
    const NAME: &'static str = "profiles.create";
    const EFFECT: Effect = Effect::Once;
    type Reply = Created;
}

/// What a creation would need, so that a terminal can ask for what is missing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesOptions")]
pub struct Options {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Choices {
    pub agents: Vec<String>,
    /// Providers that fit the agent, or all.
    pub providers: Vec<String>,
    /// Whether the provider needs a key.
    pub needs_key: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_url: Option<String>,
    /// Profiles of the same provider whose stored key could be shared.
    pub reusable: Vec<Alias>,
    pub regions: Vec<String>,
    pub models: Vec<String>,
}

impl Call for Options {
    const NAME: &'static str = "profiles.options";
    const EFFECT: Effect = Effect::Read;
    type Reply = Choices;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesList")]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProfileRow {
    pub alias: Alias,
    pub agent: AgentId,
    pub provider: ProviderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub isolation: Isolation,
    /// Live sessions.
    pub running: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Profiles {
    pub profiles: Vec<ProfileRow>,
    /// Profile files that cannot be read; they are left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Call for List {
    const NAME: &'static str = "profiles.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Profiles;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesInspect")]
pub struct Inspect {
    pub alias: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProfileDetail {
    pub profile: Profile,
    /// Model in effect; absent when the agent decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Where the key is kept and its masked form.
    pub key: String,
    /// Whether requests go through a proxy, and why.
    pub proxy: proxy::Use,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Inspect {
    const NAME: &'static str = "profiles.inspect";
    const EFFECT: Effect = Effect::Read;
    type Reply = ProfileDetail;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesEdit")]
pub struct Edit {
    pub alias: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    pub key: KeyInput,
    /// Names of optional settings to clear: `model`, `endpoint`, `args`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
}

impl Call for Edit {
    const NAME: &'static str = "profiles.edit";
    const EFFECT: Effect = Effect::Once;
    type Reply = Created;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesRename")]
pub struct Rename {
    pub alias: String,
    pub to: String,
}

impl Call for Rename {
    const NAME: &'static str = "profiles.rename";
    const EFFECT: Effect = Effect::Once;
    type Reply = Created;
}

/// A new profile with the settings and key of another, and a fresh home, or one with its transcripts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesClone")]
pub struct Duplicate {
    pub alias: String,
    pub to: String,
    /// Copy the agent's transcripts too.
    #[serde(default)]
    pub history: bool,
}

impl Call for Duplicate {
    const NAME: &'static str = "profiles.clone";
    const EFFECT: Effect = Effect::Once;
    type Reply = Created;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProfilesDelete")]
pub struct Delete {
    pub alias: String,
    /// Remove the profile home as well.
    #[serde(default)]
    pub purge: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// The home that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_home: Option<String>,
    /// Whether the stored key went too; false when another profile shares it.
    pub key_deleted: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Delete {
    const NAME: &'static str = "profiles.delete";
    const EFFECT: Effect = Effect::Once;
    type Reply = Deleted;
}
