//! The registry: the signed list of artifacts as its publisher writes it, what is on disk of it, and
//! the calls.
//!
//! A registry is plain files below one address:
//! `root.<n>.json`, and for each channel `<channel>/registry.json`, `<channel>/<path of an entry>` and, for pins,
//! `<channel>/commits/<commit>/registry.json` with its entries beside it. Each JSON file has its signatures
//! in `<file>.minisig`: blocks of four lines, one after the other, each as the `minisign` tool writes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod progress;

pub use progress::*;

use super::{Call, Effect, manifest::Problem};

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

/// Brings the registry up to date.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistrySync")]
pub struct Sync {
    /// Ask again even when it is fresh, unconditionally. Relaxes no check.
    #[serde(default)]
    pub force: bool,
    /// Use and check what is there; no network.
    #[serde(default)]
    pub offline: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SyncSource")]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Cache,
    Network,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    pub commit: String,
    pub channel: Channel,
    pub version: u64,
    /// Entries in force.
    pub artifacts: u64,
    pub source: Source,
    /// Whether `current` is another one than before.
    pub changed: bool,
    /// Entries fetched, taken from what was there, and gone.
    pub new: u64,
    pub kept: u64,
    pub removed: u64,
    /// Bytes of bodies that came over the network, prices included.
    pub bytes: u64,
    /// Requests made.
    pub requests: u64,
    pub expires: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// What was left out or is to be known, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<PricesSynced>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PricesSynced {
    pub changed: bool,
    pub models: u64,
    /// Entries of the file that are no prices and were left out.
    pub left_out: u64,
    /// Prices that moved more than tenfold.
    pub moved: Vec<PriceMove>,
    /// Why the old prices stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PriceMove {
    pub model: String,
    /// Field of the price table, such as `input_cost_per_token`.
    pub field: String,
    /// US dollars for one unit of the field.
    pub before: f64,
    pub after: f64,
}

impl Call for Sync {
    const NAME: &'static str = "registry.sync";
    const EFFECT: Effect = Effect::Once;
    type Reply = Synced;
}

/// What a sync would change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryDiff")]
pub struct Diff {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differences {
    pub channel: Channel,
    /// Of what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub next: String,
    pub changes: Vec<Change>,
    /// Bytes a sync would fetch.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    pub change: ChangeKind,
    pub kind: Kind,
    pub id: String,
    /// Lines with `+`, `-` and space; cut when long.
    pub text: String,
}

impl Call for Diff {
    const NAME: &'static str = "registry.diff";
    const EFFECT: Effect = Effect::Read;
    type Reply = Differences;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryInspect")]
pub struct Inspect {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryState")]
pub struct State {
    /// None is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub channel: Channel,
    /// Ids of the keys trusted now, and how many of them must sign.
    pub keys: Vec<String>,
    pub threshold: u32,
    pub root: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Past its expiry: still used, and refreshed when possible.
    pub expired: bool,
    /// Commits on disk.
    pub commits: Vec<String>,
    /// Hours between refreshes; 0: never by itself.
    pub refresh_hours: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When prices were last taken, and how many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_synced: Option<String>,
    pub prices: u64,
}

impl Call for Inspect {
    const NAME: &'static str = "registry.inspect";
    const EFFECT: Effect = Effect::Read;
    type Reply = State;
}

/// Stays at a commit (or the version number of one), or follows the channel again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryPin")]
pub struct Pin {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Call for Pin {
    const NAME: &'static str = "registry.pin";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = State;
}

/// Checks signatures and every artifact on disk again.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryVerify")]
pub struct Verify {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    pub commit: String,
    pub artifacts: u64,
    pub keys: Vec<String>,
    /// One sentence each; empty: all is as signed.
    pub problems: Vec<String>,
}

impl Call for Verify {
    const NAME: &'static str = "registry.verify";
    const EFFECT: Effect = Effect::Read;
    type Reply = Verified;
}

/// Checks a working tree of a registry's publisher.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryLint")]
pub struct Lint {
    /// Absolute.
    pub dir: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Linted {
    pub artifacts: u64,
    pub problems: Vec<Problem>,
}

impl Call for Lint {
    const NAME: &'static str = "registry.lint";
    const EFFECT: Effect = Effect::Read;
    type Reply = Linted;
}
