//! Files of a project that an agent treats as code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a project, relative to the directories where the agent looks for it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectCode {
    /// A file, or a directory with any file in it.
    pub path: String,
    /// Only when the file's text has this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default)]
    pub reach: Reach,
}

/// Where an agent looks for a project's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// In the working directory and every one above it.
    #[default]
    Above,
    /// The same, without the user's home where that is above: what stands there are the agent's files outside of clown.
    BelowHome,
    /// In the working directory alone.
    Here,
}
