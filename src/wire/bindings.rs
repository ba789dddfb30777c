//! Calls about `.clown.toml`, by which a directory chooses a profile.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// Which profile a directory chooses, and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BindingsWhich")]
pub struct Which {
    /// Absolute; absent: the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// What holds for a directory. Without a file nothing is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BindingsChoice")]
pub struct Choice {
    pub dir: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Agent of the profile; absent when there is no such profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The file that chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// blake3 of the file, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    #[serde(default)]
    pub trust: Trust,
    /// Arguments for each run in this directory, before those of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Variables for each run in this directory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The last directory that was looked into, and why none above it was.
    pub stopped: String,
}

/// Whether the settings of a file beyond the profile hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "BindingsTrust")]
pub enum Trust {
    /// It has none.
    #[default]
    NotNeeded,
    Given,
    /// Nothing runs by this file until its owner agreed to this very text.
    Missing,
}

impl Call for Which {
    const NAME: &'static str = "bindings.which";
    const EFFECT: Effect = Effect::Read;
    type Reply = Choice;
}

/// Binds a directory to a profile: sets `profile` in its `.clown.toml`, and keeps the rest of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BindingsBind")]
pub struct Bind {
    pub alias: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

impl Call for Bind {
    const NAME: &'static str = "bindings.bind";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Choice;
}

/// Takes `profile` out of a directory's `.clown.toml`; a file with nothing else in it goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BindingsUnbind")]
pub struct Unbind {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// Replies what holds for the directory then.
impl Call for Unbind {
    const NAME: &'static str = "bindings.unbind";
    const EFFECT: Effect = Effect::Once;
    type Reply = Choice;
}

/// Agrees to the text of the file that holds for a directory. The hash says which text was shown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BindingsTrustFile")]
pub struct TrustFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    pub hash: String,
}

impl Call for TrustFile {
    const NAME: &'static str = "bindings.trust";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Choice;
}
