//! Calls that plan a run and keep its record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Done, Effect, proxy::NeededKey, secret::KeyText};

/// Plans a run of a profile, opens its session record and hands out the environment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunsBegin")]
pub struct Begin {
    pub alias: String,
    /// Arguments of this run.
    pub args: Vec<String>,
    /// Variables of this run, over the profile's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

/// Text in a value of [`EnvChange`] that stands for a key the client fetches itself.
pub const KEY_PLACEHOLDER: &str = "${API_KEY}";

/// A key that the daemon does not hold: the client reads it and puts it in place of
/// [`KEY_PLACEHOLDER`], so it never crosses the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum KeySource {
    Env { var: String },
    Command { argv: Vec<String> },
}

/// How to change the caller's environment into the agent's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvChange {
    /// Names to remove first; a trailing `*` matches the rest.
    pub remove: Vec<String>,
    /// Names to set then. Values may be keys, so `Debug` hides them all.
    pub set: BTreeMap<String, KeyText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeySource>,
    /// Variables whose values the client fetches. One that cannot be fetched stays unset and is told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fetch: BTreeMap<String, KeySource>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    pub session: String,
    /// Absolute path of the agent's program.
    pub program: String,
    pub args: Vec<String>,
    pub env: EnvChange,
    /// Keys that the profile's proxy waits for: fetch them and send `proxy.keys` before the agent starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxy_needs: Vec<NeededKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Begin {
    const NAME: &'static str = "runs.begin";
    const EFFECT: Effect = Effect::Once;
    type Reply = Plan;
}

/// The agent runs as this process.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunsStarted")]
pub struct Started {
    pub session: String,
    pub pid: u32,
}

impl Call for Started {
    const NAME: &'static str = "runs.started";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Done;
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// Nobody saw it end. Never reported as 0.
    Unknown,
    /// It was never started.
    NotStarted,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunsEnded")]
pub struct Ended {
    pub session: String,
    pub exit: Exit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

impl Call for Ended {
    const NAME: &'static str = "runs.ended";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Done;
}

/// The environment of a profile, for a shell to take over.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunsEnv")]
pub struct Env {
    pub alias: String,
    /// Replace every key by a mask.
    pub masked: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EnvReply {
    pub env: EnvChange,
    /// Names in `env.set` that hold a key.
    pub secret_names: Vec<String>,
    /// As in [`Plan`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxy_needs: Vec<NeededKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Call for Env {
    const NAME: &'static str = "runs.env";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = EnvReply;
}
