//! Calls about an agent's own hooks: commands or addresses it calls at its events, kept with a profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, ids::AgentId};

/// Version of the exported form.
pub const EXPORT_VERSION: u32 = 1;

/// One hook. Exactly one of `command` and `url` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentHook")]
pub struct Hook {
    /// The agent's word for it, such as `PreToolUse`.
    pub event: String,
    /// Which of the event's subjects, such as names of tools; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matcher: Option<String>,
    /// Line for a shell. It gets the event as JSON on standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Address that gets the event as JSON by POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Seconds; absent: the agent's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentHookRow")]
pub struct Row {
    /// Of eight hex digits; follows from the hook.
    pub id: String,
    #[serde(flatten)]
    pub hook: Hook,
}

/// The hooks of a profile.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentHooksOf")]
pub struct Hooks {
    pub hooks: Vec<Row>,
    /// Absolute path of the agent's file that they are written to.
    pub file: String,
    /// Events that the agent knows.
    pub events: Vec<String>,
    /// The agent is running: the file follows before the next run.
    #[serde(default)]
    pub later: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HooksList")]
pub struct List {
    pub alias: String,
}

impl Call for List {
    const NAME: &'static str = "hooks.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Hooks;
}

/// Adds a hook. One that is there already is no error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HooksAdd")]
pub struct Add {
    pub alias: String,
    pub hook: Hook,
}

impl Call for Add {
    const NAME: &'static str = "hooks.add";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Hooks;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HooksRemove")]
pub struct Remove {
    pub alias: String,
    pub id: String,
}

impl Call for Remove {
    const NAME: &'static str = "hooks.remove";
    const EFFECT: Effect = Effect::Once;
    type Reply = Hooks;
}

/// Adds all hooks of a document, or none: an export, or an agent's own settings with a `hooks` table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HooksImport")]
pub struct Import {
    pub alias: String,
    pub document: serde_json::Value,
}

impl Call for Import {
    const NAME: &'static str = "hooks.import";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Hooks;
}

/// A profile's hooks as a document for another.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HooksExport")]
pub struct Export {
    pub alias: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HooksDocument")]
pub struct Document {
    pub version: u32,
    /// Whose events they name.
    pub agent: AgentId,
    pub hooks: Vec<Hook>,
}

impl Call for Export {
    const NAME: &'static str = "hooks.export";
    const EFFECT: Effect = Effect::Read;
    type Reply = Document;
}
