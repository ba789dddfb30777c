//! Calls about launchers: small programs on PATH that run a profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// What a launcher runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[schemars(rename = "LauncherTarget")]
pub enum Target {
    Profile {
        alias: String,
    },
    /// The profile that the directory is bound to, else the agent itself.
    Agent {
        id: String,
    },
}

/// One launcher, as noted in `launchers.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Launcher {
    /// Name of the command.
    pub name: String,
    /// Absolute path of the file.
    pub path: String,
    /// The clown it starts.
    pub program: String,
    pub target: Target,
}

/// Makes a launcher. A file that is not clown's is never replaced.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LaunchersInstall")]
pub struct Install {
    pub target: Target,
    /// Absent: `AGENT-ALIAS` for a profile, the name of the agent's program for an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Absolute; absent: `~/.local/bin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin_dir: Option<String>,
    /// The clown to start: absolute path.
    pub program: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LaunchersInstalled")]
pub struct Installed {
    pub launcher: Launcher,
    /// Whether the caller's PATH finds it under its name.
    pub found: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Install {
    const NAME: &'static str = "launchers.install";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Installed;
}

/// Removes a launcher. A file that is not clown's any more stays.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LaunchersUninstall")]
pub struct Uninstall {
    pub name: String,
}

impl Call for Uninstall {
    const NAME: &'static str = "launchers.uninstall";
    const EFFECT: Effect = Effect::Once;
    type Reply = Launcher;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LaunchersList")]
pub struct List {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "LauncherState")]
pub enum State {
    Ready,
    /// The file is gone.
    Missing,
    /// Another file has its place.
    Foreign,
    /// The caller's PATH does not lead to it.
    NotOnPath,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LauncherRow")]
pub struct Row {
    #[serde(flatten)]
    pub launcher: Launcher,
    pub state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LaunchersReply")]
pub struct Launchers {
    pub launchers: Vec<Row>,
}

impl Call for List {
    const NAME: &'static str = "launchers.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Launchers;
}
