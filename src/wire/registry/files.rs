//! What a publisher signs, and what is on disk of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Format of index and root this build reads.
pub const SCHEMA: u32 = 1;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    #[default]
    Stable,
    Beta,
    Nightly,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Stable, Self::Beta, Self::Nightly];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Beta => "beta",
            Self::Nightly => "nightly",
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// `registry.json`. Unknown fields are accepted, since they are signed; twice the same key is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    pub schema: u32,
    /// Counts up with each publication of the channel.
    pub version: u64,
    /// RFC 3339, UTC; not used after that.
    pub expires: String,
    pub channel: Channel,
    /// 40 to 64 lower-case hex digits; names the set.
    pub commit: String,
    /// Number of the root whose keys signed this.
    pub root: u64,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ArtifactKind")]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `agents/<id>.toml`
    Agent,
    /// `providers/<id>.toml`
    Provider,
    /// `scripts/<id>.rhai`
    Script,
    /// `templates/<agent>/<name>.toml`; the id is `<agent>/<name>`
    Template,
    /// `models/<provider>.toml`
    Models,
}

impl Kind {
    /// The only path an entry of this kind and id may have.
    pub fn path(self, id: &str) -> String {
        match self {
            Self::Agent => format!("agents/{id}.toml"),
            Self::Provider => format!("providers/{id}.toml"),
            Self::Script => format!("scripts/{id}.rhai"),
            Self::Template => format!("templates/{id}.toml"),
            Self::Models => format!("models/{id}.toml"),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Agent => "agent",
            Self::Provider => "provider",
            Self::Script => "script",
            Self::Template => "template",
            Self::Models => "models",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    pub kind: Kind,
    pub id: String,
    /// Relative, with `/`.
    pub path: String,
    /// Hex.
    pub blake3: String,
    /// Hex.
    pub sha256: String,
    /// Bytes.
    pub length: u64,
}

/// `root.<n>.json`: whose signatures count. Signed by enough keys of root `n - 1` and by enough of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Root {
    pub schema: u32,
    /// The `n` of its name.
    pub version: u64,
    /// RFC 3339, UTC.
    pub expires: String,
    /// Signatures by different keys that an index needs.
    pub threshold: u32,
    /// Public keys as `minisign` prints them: 56 characters of base64.
    pub keys: Vec<String>,
}

/// `registry/registry.lock` (what is in force) and `registry/channels/<channel>.lock` (the last of each channel).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    /// Of this file.
    pub schema: u32,
    pub channel: Channel,
    pub commit: String,
    pub version: u64,
    /// Where it came from.
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When the network last confirmed it. RFC 3339, UTC.
    pub checked: String,
    /// When it was taken. RFC 3339, UTC.
    pub synced: String,
    pub expires: String,
    pub root: u64,
    /// Ids of the keys whose signatures counted, as `minisign` prints them.
    pub keys: Vec<String>,
    /// The commit the user chose to stay at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    pub artifacts: Vec<Entry>,
    /// Fields of newer builds.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}
