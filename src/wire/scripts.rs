//! Set-up scripts: what they see, what they give, and the call that tries one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Done, Effect};

/// The constant `ctx` of a script. Holds placeholders, never a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunCtx {
    /// The caller's working directory.
    pub cwd: String,
    /// Absolute path of clown's own program.
    pub clown: String,
    /// MCP servers that the agent can take.
    pub mcp: Vec<McpCtx>,
}

/// One MCP server. Secrets are in variables of the run, which are named here.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct McpCtx {
    pub name: String,
    /// `stdio`, `http` or `sse`.
    pub transport: String,
    /// Empty for an address.
    pub command: String,
    pub args: Vec<String>,
    /// Empty for a program.
    pub url: String,
    /// Variables of a program or headers of an address, with readable values.
    pub plain: BTreeMap<String, String>,
    /// The same, each with the name of the variable that its value is in.
    pub secret: BTreeMap<String, String>,
    /// Its tools are to run without a question.
    pub allow: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentCtx {
    pub id: String,
    pub name: String,
    /// Empty when unknown.
    pub version: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModelRow {
    pub id: String,
    /// 0 when unknown.
    pub context: u64,
}

/// All empty for provider `self`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EndpointCtx {
    pub format: String,
    pub base_url: String,
    pub auth: String,
    pub region: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProfileCtx {
    pub alias: String,
    pub home: String,
    pub config_dir: String,
    pub isolation: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModelCtx {
    /// Empty: the agent decides.
    pub id: String,
    /// 0 when unknown.
    pub context: u64,
    /// Whether the user named the model.
    pub chosen: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyCtx {
    /// Text the daemon replaces by the key.
    pub placeholder: String,
    pub present: bool,
}

/// What a script returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScriptOutput")]
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScriptFile")]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Relative to the profile home.
    pub path: String,
    pub format: FileFormat,
    /// A map for json and toml, a string for text.
    pub content: Value,
    pub mode: FileMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    Json,
    Toml,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileMode {
    /// Written when the file is missing.
    Seed,
    /// Own keys set, every other key kept.
    Merge,
}

/// Runs a script of the user on an example context.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScriptsTest")]
pub struct Test {
    pub source: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScriptsList")]
pub struct List {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScriptRow {
    pub name: String,
    pub origin: super::manifest::Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Agents whose manifest names it.
    pub agents: Vec<String>,
    /// blake3 of the source, hex.
    pub hash: String,
    /// It came with the registry and the user has not agreed to it.
    #[serde(default)]
    pub needs_approval: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Scripts {
    pub scripts: Vec<ScriptRow>,
}

impl Call for List {
    const NAME: &'static str = "scripts.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Scripts;
}

/// Agrees to a script of the registry, or to a template (`AGENT/NAME`) that does more than choose a model and give texts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScriptsApprove")]
pub struct ApproveScript {
    pub name: String,
    /// blake3 of the source that was shown, hex.
    pub hash: String,
}

impl Call for ApproveScript {
    const NAME: &'static str = "scripts.approve";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Done;
}

/// What the user would agree to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScriptsReview")]
pub struct ReviewScript {
    /// As in `ApproveScript`.
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    pub name: String,
    /// blake3 of the source, hex.
    pub hash: String,
    /// Agreed to, or nothing that needs it.
    pub approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What the difference is from; absent: `diff` is the whole text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Lines with `+`, `-` and space. Characters that a terminal obeys or hides are written as `\u{..}`.
    pub diff: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// What the user agreed to last.
    Agreed,
    BuiltIn,
}

impl Call for ReviewScript {
    const NAME: &'static str = "scripts.review";
    const EFFECT: Effect = Effect::Read;
    type Reply = Review;
}

pub const APPROVALS_VERSION: u32 = 1;

/// `approvals.json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approvals {
    pub version: u32,
    /// By name as in `ApproveScript`; the last of a list is the newest.
    pub agreed: BTreeMap<String, Vec<Agreed>>,
    /// Fields of newer builds.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

impl Default for Approvals {
    fn default() -> Self {
        Self { version: APPROVALS_VERSION, agreed: BTreeMap::new(), rest: serde_json::Map::new() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Agreed {
    /// blake3 of the text, hex; the text is in `approvals/<hash>`.
    pub hash: String,
    /// RFC 3339, UTC.
    pub at: String,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}
