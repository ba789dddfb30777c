//! What of a profile's home belongs to its user and may be moved elsewhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[files]`: paths relative to a home. A directory means all below it; a part of a path may hold `*`. What is not named is
/// never exported: logins, caches, and what the agent makes anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HomeFiles {
    /// What the user set up: settings, instructions, commands, skills.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// Keys of the user's at the top of JSON files that are the agent's own otherwise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Vec<String>>,
    /// Transcripts and what belongs to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<String>,
    /// The same in SQLite databases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<String>,
    /// Where one session's transcript is, with `{id}` for its id; the first is the transcript, the others go with it.
    /// Empty where sessions cannot be taken apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<String>,
}
