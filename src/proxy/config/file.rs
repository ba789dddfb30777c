//! The file's own shape. Fields nobody here knows are other tools' business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::wire::manifest::{AuthScheme, Format};

#[derive(Debug, Default, Deserialize, Serialize)]
pub struct File {
    #[serde(default)]
    pub server: Server,
    pub model_list: Vec<Entry>,
    #[serde(default)]
    pub router_settings: Router,
    #[serde(default)]
    pub general_settings: General,
    #[serde(default)]
    pub clown_settings: ClownSettings,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default)]
pub struct Server {
    pub host: String,
    /// 0: any free one.
    pub port: u16,
}

impl Default for Server {
    fn default() -> Self {
        Self { host: "127.0.0.1".into(), port: 0 }
    }
}

/// One upstream. Several with one name are each other's replacements.
#[derive(Debug, Deserialize, Serialize)]
pub struct Entry {
    /// `provider/model`, or `provider/*` for any model under its own name.
    #[serde(serialize_with = "plain")]
    pub model_name: Spanned<String>,
    pub litellm_params: Params,
    #[serde(default, skip_serializing_if = "ModelInfo::is_empty")]
    pub model_info: ModelInfo,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Params {
    /// Behind the first `/`: the upstream's own name of the model.
    #[serde(serialize_with = "plain")]
    pub model: Spanned<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "plain_option")]
    pub api_base: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "plain_option")]
    pub api_key: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "plain_list")]
    pub api_keys: Vec<Spanned<String>>,
    /// Absent: told by the provider's name, else Chat Completions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Absent: what the format's vendor uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quirks: Vec<String>,
}

pub type Auth = AuthScheme;

/// USD per token, in LiteLLM's words.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct ModelInfo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cost_per_token: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_cost_per_token: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_input_token_cost: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_creation_input_token_cost: Option<f64>,
}

impl ModelInfo {
    pub fn is_empty(&self) -> bool {
        self.input_cost_per_token.is_none() && self.output_cost_per_token.is_none()
    }
}

pub use crate::wire::proxy::Strategy;

/// Seconds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default)]
pub struct Router {
    pub routing_strategy: Strategy,
    pub rules: Vec<Rule>,
    /// From a name, `*` allowed, to a target.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "plain_map")]
    pub model_group_alias: BTreeMap<String, Spanned<String>>,
    /// A whole request.
    pub request_timeout: u64,
    /// Without a byte from the upstream.
    pub idle_timeout: u64,
    pub connect_timeout: u64,
    /// How long a target that failed is left alone, unless it said so itself.
    pub cooldown_time: u64,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            routing_strategy: Strategy::default(),
            rules: Vec::new(),
            model_group_alias: BTreeMap::new(),
            request_timeout: 3600,
            idle_timeout: 300,
            connect_timeout: 10,
            cooldown_time: 30,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Rule {
    pub name: String,
    /// Absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "plain_option")]
    pub condition: Option<Spanned<String>>,
    pub model: Targets,
    /// Higher is asked first; equals in the order of the file.
    #[serde(default)]
    pub priority: i64,
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// One target, or several in the order in which they replace each other.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Targets {
    #[serde(serialize_with = "plain")]
    One(Spanned<String>),
    #[serde(serialize_with = "plain_list")]
    Several(Vec<Spanned<String>>),
}

impl Targets {
    pub fn list(&self) -> &[Spanned<String>] {
        match self {
            Self::One(target) => std::slice::from_ref(target),
            Self::Several(list) => list,
        }
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct General {
    /// What clients send, or make a session's token of.
    pub master_key: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ClownSettings {
    /// Absolute path: one JSON line for each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_log: Option<String>,
    /// Keep requests and replies in the log of the process, keys blotted out.
    pub log_content: bool,
}

// Read with their places, written without.
fn plain<S: serde::Serializer>(text: &Spanned<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text.value)
}

fn plain_option<S: serde::Serializer>(text: &Option<Spanned<String>>, to: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(|t| &t.value).serialize(to)
}

fn plain_list<S: serde::Serializer>(list: &[Spanned<String>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(list.iter().map(|t| &t.value))
}

fn plain_map<S: serde::Serializer>(map: &BTreeMap<String, Spanned<String>>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(map.iter().map(|(k, v)| (k, &v.value)))
}
