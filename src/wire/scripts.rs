//! Set-up scripts: what they see, what they give, and the call that tries one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Effect};

/// The constant `ctx` of a script. Holds placeholders, never a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Context {
    pub agent: AgentCtx,
    pub provider: ProviderCtx,
    pub endpoint: EndpointCtx,
    pub profile: ProfileCtx,
    pub model: ModelCtx,
    pub key: KeyCtx,
    pub preferences: BTreeMap<String, String>,
    /// Only when planning a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunCtx>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunCtx {
    /// The caller's working directory.
    pub cwd: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentCtx {
    pub id: String,
    pub name: String,
    /// Empty when unknown.
    pub version: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProviderCtx {
    pub id: String,
    pub name: String,
    /// `remote`, `self` or `offline`.
    pub kind: String,
    pub any_model: bool,
    pub default_model: String,
    pub tiers: BTreeMap<String, String>,
    pub quirks: Vec<String>,
    pub models: Vec<ModelRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelRow {
    pub id: String,
    /// 0 when unknown.
    pub context: u64,
}

/// All empty for provider `self`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EndpointCtx {
    pub format: String,
    pub base_url: String,
    pub auth: String,
    pub region: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProfileCtx {
    pub alias: String,
    pub home: String,
    pub config_dir: String,
    pub isolation: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelCtx {
    /// Empty: the agent decides.
    pub id: String,
    /// 0 when unknown.
    pub context: u64,
    /// Whether the user named the model.
    pub chosen: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyCtx {
    /// Text the daemon replaces by the key.
    pub placeholder: String,
    pub present: bool,
}

/// What a script returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Put before the arguments of the profile and the run.
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub files: Vec<File>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Relative to the profile home.
    pub path: String,
    pub format: FileFormat,
    /// A map for json and toml, a string for text.
    pub content: Value,
    pub mode: FileMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    Json,
    Toml,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileMode {
    /// Written when the file is missing.
    Seed,
    /// Own keys set, every other key kept.
    Merge,
}

/// Runs a script of the user on an example context.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Test {
    pub source: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tested {
    pub output: Output,
    /// Lines the script printed.
    pub log: Vec<String>,
}

impl Call for Test {
    const NAME: &'static str = "scripts.test";
    const EFFECT: Effect = Effect::Read;
    type Reply = Tested;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct List {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScriptRow {
    pub name: String,
    pub origin: super::manifest::Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Agents whose manifest names it.
    pub agents: Vec<String>,
    /// blake3 of the source, hex.
    pub hash: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scripts {
    pub scripts: Vec<ScriptRow>,
}

impl Call for List {
    const NAME: &'static str = "scripts.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Scripts;
}
