//! Calls about plugins: executables of the user's in `plugins.d/` that hear of events.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, ids::PluginName};

/// Version of `plugins.json` written by this build.
pub const STORED_VERSION: u32 = 1;

/// The word for being asked before each run, beside topics of events.
pub const PRE_RUN: &str = "pre_run";

/// `plugins.json`. Fields of a newer build survive a rewrite in `rest`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    pub version: u32,
    #[serde(default)]
    pub enabled: BTreeMap<PluginName, Enabled>,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// What the user agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PluginEnabled")]
pub struct Enabled {
    /// blake3 of the file, hex. Another file is another plugin.
    pub hash: String,
    /// Topics with `*` for any rest, and `pre_run`.
    pub events: Vec<String>,
    /// Milliseconds for one event.
    pub timeout_ms: u64,
    /// MiB of all its processes together.
    pub memory_mb: u64,
    /// RFC 3339.
    pub at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "PluginState")]
pub enum State {
    Off,
    On,
    /// Another file than the one that was enabled: it does not run.
    Changed,
    /// Enabled, and the file is gone.
    Missing,
    /// No executable of this user that nobody else may write, or larger than 32 MiB.
    Unusable,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PluginRow")]
pub struct Row {
    pub name: PluginName,
    pub file: String,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Enabled>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PluginsList")]
pub struct List {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Plugins {
    /// Where they are looked for.
    pub dir: String,
    pub plugins: Vec<Row>,
}

impl Call for List {
    const NAME: &'static str = "plugins.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Plugins;
}

/// Lets a plugin run as its file is now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PluginsEnable")]
pub struct Enable {
    pub name: PluginName,
    /// Absent: those it was enabled for before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Absent: 5000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Absent: 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
}

impl Call for Enable {
    const NAME: &'static str = "plugins.enable";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Row;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PluginsDisable")]
pub struct Disable {
    pub name: PluginName,
}

impl Call for Disable {
    const NAME: &'static str = "plugins.disable";
    const EFFECT: Effect = Effect::Once;
    type Reply = super::Done;
}
