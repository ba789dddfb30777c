//! Calls about the daemon itself, its start report and its endpoint file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Done, Effect, error::Failure};

/// Says hello. The cheapest call: answered without touching any state.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DaemonHello")]
pub struct Hello {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelloReply {
    pub pid: u32,
    pub version: String,
    pub protocol: u32,
    pub epoch: String,
}

impl Call for Hello {
    const NAME: &'static str = "daemon.hello";
    const EFFECT: Effect = Effect::Read;
    type Reply = HelloReply;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DaemonStatus")]
pub struct Status {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatusReply {
    pub pid: u32,
    pub version: String,
    pub protocol: u32,
    pub endpoint: String,
    pub events: String,
    /// Where the web UI and the API are, `http://127.0.0.1:8765`; absent when nothing is served, and then why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_problem: Option<String>,
    pub home: String,
    pub log: String,
    /// RFC 3339.
    pub started: String,
    pub stay_alive: bool,
    /// Seconds without work until it exits; 0 is never.
    pub idle_timeout: u64,
    /// What keeps it alive now, in words.
    pub guards: Vec<String>,
    pub calls: u64,
    /// Handlers that panicked and were contained.
    pub defects: u64,
    /// Times the messaging listener was opened again.
    pub heals: u64,
}

impl Call for Status {
    const NAME: &'static str = "daemon.status";
    const EFFECT: Effect = Effect::Read;
    type Reply = StatusReply;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DaemonStop")]
pub struct Stop {
    /// Refuse while sessions are live.
    #[serde(default)]
    pub only_if_idle: bool,
}

impl Call for Stop {
    const NAME: &'static str = "daemon.stop";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Done;
}

/// Sets the level of the log: `error`, `warn`, `info`, `debug` or `trace`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DaemonLogLevel")]
pub struct LogLevel {
    pub level: String,
}

impl Call for LogLevel {
    const NAME: &'static str = "daemon.log-level";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Done;
}

/// The one line a starting daemon writes to the pipe it inherited.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum StartReport {
    Ready { pid: u32, endpoint: String },
    AlreadyRunning { pid: Option<u32> },
    Failed { failure: Failure },
}

/// `daemon-endpoint`: where the daemon listens. Written by rename, read by every client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointFile {
    pub version: u32,
    /// `ipc:///path` of the request/reply socket.
    pub ipc: String,
    /// `ipc:///path` of the pub/sub socket.
    pub events: String,
    pub pid: u32,
    /// `http://127.0.0.1:8765`; absent when HTTP is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
}
