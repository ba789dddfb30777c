//! Calls about `config.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Effect};

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigList")]
pub struct List {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    pub key: String,
    pub value: Value,
    pub default: Value,
    pub help: String,
    /// After a change: from when on it holds, when that is not now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigSettings")]
pub struct Settings {
    pub file: String,
    pub settings: Vec<Setting>,
    /// Keys in the file that this build does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for List {
    const NAME: &'static str = "config.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Settings;
}

/// Sets one key; an absent value puts the default back. Comments and order of the file are kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigSet")]
pub struct Set {
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Call for Set {
    const NAME: &'static str = "config.set";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Setting;
}
