//! Manifests: what clown knows about an agent or a provider, as data.
//!
//! TOML on disk (`manifests/` built in, `agents.d/` and `providers.d/` of the user), JSON on the wire.

mod account;
mod commands;
mod home;
mod project;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ids::{AgentId, ProviderId, ScriptName},
    mcp::Transport,
};

pub use account::{Balance, Figure, Probe, Status};
pub use commands::{AgentHooks, HookEvent, Lifecycle, Step, Task};
pub use home::HomeFiles;
pub use project::{ProjectCode, Reach};

/// Manifest format this build reads.
pub const SCHEMA: u32 = 1;

/// Where a manifest or script came from. A later layer hides an earlier one of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    BuiltIn,
    Registry,
    User,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::BuiltIn => "built in",
            Self::Registry => "registry",
            Self::User => "user",
        })
    }
}

/// A wire format of model requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Anthropic Messages.
    Anthropic,
    OpenaiResponses,
    OpenaiChat,
    Gemini,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Anthropic => "anthropic",
            Self::OpenaiResponses => "openai-responses",
            Self::OpenaiChat => "openai-chat",
            Self::Gemini => "gemini",
        })
    }
}

/// How a key travels to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthScheme {
    /// `Authorization: Bearer`
    Bearer,
    XApiKey,
    XGoogApiKey,
    None,
}

/// How an agent can be authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthMode {
    /// A provider key handed over by clown.
    Key,
    /// The agent's own login.
    #[serde(rename = "self")]
    Own,
}

/// How a profile is kept apart from the real home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// HOME is the profile home, bridged to the real one by links.
    HomeWrapper,
    /// Only the agent's own variables move; HOME stays.
    ConfigDir,
}

impl Isolation {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "home-wrapper" => Some(Self::HomeWrapper),
            "config-dir" => Some(Self::ConfigDir),
            _ => None,
        }
    }
}

impl std::fmt::Display for Isolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::HomeWrapper => "home-wrapper",
            Self::ConfigDir => "config-dir",
        })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentManifest {
    pub schema: u32,
    pub id: AgentId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Other words accepted for the id on the command line.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Program names looked up on PATH, in order; the first found is used.
    pub binaries: Vec<String>,
    /// Newest version the script was proven with, as the program says it. Absent: clown's tests have never run the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<String>,
    /// Formats the agent speaks, preferred first.
    pub formats: Vec<Format>,
    pub auth: Vec<AuthMode>,
    pub script: ScriptName,
    /// Usage parser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// What a user should know before the first run and no setting can change, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// Arguments that ask one thing without a terminal; the prompt goes behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headless: Vec<String>,
    #[serde(default)]
    pub version: VersionProbe,
    pub isolation: IsolationSpec,
    #[serde(default)]
    pub supports: Supports,
    /// Hooks of the agent's own; absent: it has none that call a command or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_hooks: Option<AgentHooks>,
    /// Commands that clown runs when something happens to a profile.
    #[serde(default, skip_serializing_if = "Lifecycle::is_empty")]
    pub hooks: Lifecycle,
    /// Commands that a user can have run for a profile, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub setup: BTreeMap<String, Task>,
    #[serde(default)]
    pub install: Install,
    #[serde(default)]
    pub login: Login,
    #[serde(default)]
    pub files: HomeFiles,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionProbe {
    pub args: Vec<String>,
    pub timeout_ms: u64,
    /// What the first printed line looks like (any of these, with `*`), where agents of several vendors have one
    /// name. Another program of that name is not this agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub says: Vec<String>,
}

impl Default for VersionProbe {
    fn default() -> Self {
        Self { args: vec!["--version".into()], timeout_ms: 10_000, says: Vec::new() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IsolationSpec {
    pub default: Isolation,
    pub modes: Vec<Isolation>,
    /// The agent's state directory, relative to the profile home.
    pub config_dir: String,
    /// Variable to path relative to the profile home, set in both modes; `.` is the home itself.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variable to a directory that all profiles of the agent have in common, in clown's cache: for what the
    /// agent unpacks or downloads, never for state. Set in both modes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shared: BTreeMap<String, String>,
    /// Directories made 0700 before a run, relative to the profile home.
    #[serde(default)]
    pub dirs: Vec<String>,
    /// Paths relative to a home that belong to the agent and are never bridged.
    pub isolated: Vec<String>,
    /// More paths that are not bridged into this agent's own profiles: it would take them for its settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
    /// Variables removed from the caller's environment; a trailing `*` matches the rest.
    #[serde(default)]
    pub strip_env: Vec<String>,
    /// Files of a project that the agent runs as code inside its own process, where the key is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub project_code: Vec<ProjectCode>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Supports {
    #[serde(default)]
    pub hooks: bool,
    #[serde(default)]
    pub mcp: bool,
    /// What its MCP servers may be; empty: programs it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mcp_transports: Vec<Transport>,
}

impl Supports {
    pub fn takes(&self, transport: Transport) -> bool {
        self.mcp && (self.mcp_transports.contains(&transport) || (self.mcp_transports.is_empty() && transport == Transport::Stdio))
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npm: Option<String>,
    #[serde(default)]
    pub hint: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LoginHint")]
pub struct Login {
    #[serde(default)]
    pub hint: String,
}

/// What kind of provider it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    #[default]
    Remote,
    /// The agent's own login; clown hands over nothing.
    #[serde(rename = "self")]
    Own,
    /// The model inside clown.
    Offline,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderManifest {
    pub schema: u32,
    pub id: ProviderId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    #[serde(default)]
    pub kind: ProviderKind,
    /// The variable the vendor's own documents use for a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Shape of a key, with `*`; a key of another shape is warned about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// Whether models that are not listed are accepted, with a warning.
    #[serde(default)]
    pub any_model: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    #[serde(default)]
    pub quirks: Vec<String>,
    /// What the addresses, models and windows are known from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What a user should know before the first run, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// Model for each tier (`opus`, `sonnet`, `haiku`).
    #[serde(default)]
    pub tiers: BTreeMap<String, String>,
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    #[serde(default)]
    pub models: Vec<Model>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balance: Vec<Balance>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub format: Format,
    pub base_url: String,
    pub auth: AuthScheme,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub id: String,
    /// Context window in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// Whether the price table has it; what is used of others costs an unknown sum.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub priced: bool,
}

fn yes() -> bool {
    true
}

/// `models/<provider>.toml` of the registry, `models.d/<provider>.toml` of the user: models that came after a
/// provider's manifest. By design it cannot say where requests and keys go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub schema: u32,
    pub provider: ProviderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// Each takes the place of the manifest's tier of that name.
    #[serde(default)]
    pub tiers: BTreeMap<String, String>,
    /// Each takes the place of the manifest's model of that id, or joins them.
    #[serde(default)]
    pub models: Vec<Model>,
}

/// A manifest that could not be used, told without hiding the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    pub file: String,
    /// 1-based, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Dotted key, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.message)
    }
}
