//! Calls that run a profile's proxy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Use;
use crate::wire::{Call, Effect, runs::KeySource, secret::KeyText};

/// What an instance does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Stopped,
    /// The port is held; it waits for keys, or comes up.
    Starting,
    Running,
    /// It ended by itself and is started again after a pause.
    Restarting,
    /// It ended too often; only a command or a run starts it again.
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    pub alias: String,
    #[serde(rename = "use")]
    pub used: Use,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// `embedded`, or the path of another program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Times it was started again by itself since it was last started on purpose.
    #[serde(default)]
    pub restarts: u32,
    /// Live sessions of the profile.
    #[serde(default)]
    pub sessions: usize,
    pub config: String,
    pub log: String,
    /// What is wrong with it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A key that only the client can fetch, and the name it goes by in `proxy.keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeededKey {
    pub name: String,
    pub source: KeySource,
}

/// Starts the instance of a profile, or lets a running one be, and waits until it answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyStart")]
pub struct Start {
    pub alias: String,
    /// End a running one first.
    #[serde(default)]
    pub restart: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyStarted")]
pub struct Started {
    pub instance: Instance,
    /// Keys to fetch and to send with `proxy.keys`; it starts then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<NeededKey>,
}

impl Call for Start {
    const NAME: &'static str = "proxy.start";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Started;
}

/// Brings the keys that the daemon cannot fetch, and starts what waits for them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyKeys")]
pub struct Keys {
    pub alias: String,
    pub keys: BTreeMap<String, KeyText>,
}

impl Call for Keys {
    const NAME: &'static str = "proxy.keys";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Started;
}

/// Stops one instance, or all. None running is no error.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyStop")]
pub struct Stop {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    pub stopped: Vec<String>,
}

impl Call for Stop {
    const NAME: &'static str = "proxy.stop";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Stopped;
}

/// Instances: of one profile, or of all that use or ran one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyStatus")]
pub struct Status {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Instances {
    pub instances: Vec<Instance>,
}

impl Call for Status {
    const NAME: &'static str = "proxy.status";
    const EFFECT: Effect = Effect::Read;
    type Reply = Instances;
}

/// The last requests through a profile's proxy, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRequests")]
pub struct Requests {
    pub alias: String,
    /// At most 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// One request. Nothing of what was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRequest")]
pub struct Request {
    pub id: String,
    /// When it came, RFC 3339.
    pub time: String,
    /// As the client called it.
    pub model: String,
    /// The rule that chose the target.
    pub rule: String,
    /// The target that answered, or the last that was asked.
    pub target: String,
    /// As the client got it; 0: none.
    pub status: u16,
    /// `ok`; `error`: an error was the answer; `broken`: it ended in the middle; `cancelled`: the client went away.
    pub outcome: String,
    /// Targets that failed before.
    pub failed: Vec<FailedTarget>,
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    /// Milliseconds to the first byte of the answer and to its end.
    pub first_ms: f64,
    pub total_ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailedTarget {
    pub target: String,
    pub why: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyRequestsReply")]
pub struct RequestRows {
    pub requests: Vec<Request>,
}

impl RequestRows {
    pub const MOST: usize = 200;
}

impl Call for Requests {
    const NAME: &'static str = "proxy.requests";
    const EFFECT: Effect = Effect::Read;
    type Reply = RequestRows;
}

/// The configuration as it would be written now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProxyConfig")]
pub struct Config {
    pub alias: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConfigText {
    pub file: String,
    pub text: String,
}

impl Call for Config {
    const NAME: &'static str = "proxy.config";
    const EFFECT: Effect = Effect::Read;
    type Reply = ConfigText;
}
