//! The registry: the signed list of artifacts as its publisher writes it, what is on disk of it, and
//! the calls.
//!
//! A registry is plain files below one address:
//! `root.<n>.json`, and for each channel `<channel>/registry.json`, `<channel>/<path of an entry>` and, for pins,
//! `<channel>/commits/<commit>/registry.json` with its entries beside it. Each JSON file has its signatures
//! in `<file>.minisig`: blocks of four lines, one after the other, each as the `minisign` tool writes it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod files;
mod progress;

pub use files::{Channel, Entry, Index, Kind, Lock, Root, SCHEMA};
pub use progress::*;

use super::{Call, Effect, LONG, manifest::Problem};

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
    const LIMIT: Duration = LONG;
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
