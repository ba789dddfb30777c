//! The record of commands that clown ran for manifests and plugins, and the call that shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// What a command was run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AuditKind")]
pub enum Kind {
    /// A manifest's hook.
    Hook,
    /// A manifest's set-up task.
    Setup,
    Plugin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AuditOutcome")]
pub enum Outcome {
    Ok,
    /// It ended with another code than 0, by a signal, or did not start.
    Failed,
    TimedOut,
    /// It was ended for its memory, its output or the number of its processes.
    TooMuch,
    /// It did not run: the user has not agreed to it.
    NotAgreed,
    /// A plugin refused a run.
    Vetoed,
    /// Events that came faster than the plugin took them.
    Dropped,
}

/// One line of `logs/audit.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditLine")]
pub struct Line {
    /// RFC 3339, UTC.
    pub time: String,
    pub kind: Kind,
    /// `create`, `delete`, `pre_run`, `post_run`, `setup`, or the topic of an event.
    pub event: String,
    /// Program of a hook, name of a task or plugin.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// How long it took.
    pub ms: u64,
    /// The last it said on standard error, or why it was ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Lines of the record, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditList")]
pub struct List {
    /// Absent: every kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Name of a plugin or task, or program of a hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 1000; absent: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditLines")]
pub struct Lines {
    pub lines: Vec<Line>,
}

impl Call for List {
    const NAME: &'static str = "audit.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Lines;
}
