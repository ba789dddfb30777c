//! Calls that move profiles to another home, and sessions to another profile.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, LONG, secret::KeyText};

/// Writes profiles and what belongs to them into one file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Export {
    /// Absolute path of a file that is not there yet. The daemon writes it, 0600.
    pub path: String,
    /// Only these profiles; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// With the agents' transcripts.
    #[serde(default)]
    pub history: bool,
    /// With the registry as it is here, and its pin.
    #[serde(default)]
    pub registry: bool,
    /// With keys, encrypted under this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<KeyText>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MovingExported")]
pub struct Exported {
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    pub profiles: Vec<ExportedProfile>,
    /// Manifests, scripts and templates of the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<String>,
    /// Keys in it, encrypted.
    pub keys: usize,
    /// Commit of the registry in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExportedProfile {
    pub alias: String,
    pub agent: String,
    /// Files of its home.
    pub settings: usize,
    pub history: usize,
}

impl Call for Export {
    const NAME: &'static str = "moving.export";
    const EFFECT: Effect = Effect::Once;
    const LIMIT: Duration = LONG;
    type Reply = Exported;
}

/// What is done about a name that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Nothing is imported.
    #[default]
    Fail,
    /// What is here stays.
    Skip,
    /// A profile gets another name. Of all else what is here stays.
    Rename,
    /// What is here gives way; files of a home that are not in the export stay.
    Replace,
}

impl OnConflict {
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "fail" => Self::Fail,
            "skip" => Self::Skip,
            "rename" => Self::Rename,
            "replace" => Self::Replace,
            _ => return None,
        })
    }
}

/// Takes in what an export holds: all of it, or nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// Absolute path of the export.
    pub path: String,
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Opens the keys in it; without, they are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<KeyText>,
    /// Check and show, change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// Version of clown that made the export.
    pub by: String,
    /// When, RFC 3339.
    pub created: String,
    pub items: Vec<ImportedItem>,
    /// Whether the export has keys in it.
    pub sealed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub dry_run: bool,
}

/// One thing of an export, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedItem {
    /// `profile`, `manifest`, `budget`, `preference`, `mcp` or `registry`.
    pub kind: String,
    pub name: String,
    pub action: ImportAction,
    /// The name it has here, when it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Files of its home that came with it.
    #[serde(default)]
    pub files: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImportAction {
    Add,
    Replace,
    Rename,
    /// What is here stays.
    Keep,
}

impl std::fmt::Display for ImportAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Rename => "rename",
            Self::Keep => "keep",
        })
    }
}

impl Call for Import {
    const NAME: &'static str = "moving.import";
    const EFFECT: Effect = Effect::Once;
    const LIMIT: Duration = LONG;
    type Reply = Imported;
}

/// Moves an agent's session, its transcript and what belongs to it, to another profile of the same agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SessionsMove")]
pub struct MoveSession {
    /// The agent's own session id, or the beginning of it.
    pub id: String,
    /// Profile to move it to.
    pub to: String,
    /// Profile it is in; needed only when it is in more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Leave it where it is as well.
    #[serde(default)]
    pub copy: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MovedSession {
    /// The agent's id of it.
    pub id: String,
    pub agent: String,
    pub from: String,
    pub to: String,
    /// Relative to the profile homes.
    pub files: Vec<String>,
    pub copied: bool,
}

impl Call for MoveSession {
    const NAME: &'static str = "sessions.move";
    const EFFECT: Effect = Effect::Once;
    type Reply = MovedSession;
}
