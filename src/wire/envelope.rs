//! The JSON frame around every call and reply.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PROTOCOL, error::Failure};

/// `{"protocol":1,"version":"0.1.0","id":"<uuid>","call":"profiles.list","body":{..}}`
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Request {
    pub protocol: u32,
    /// Version of the sending program, for hints only.
    pub version: String,
    /// Client-made id, remembered by the daemon for calls with `Effect::Once`.
    pub id: String,
    pub call: String,
    #[serde(default)]
    pub body: Value,
    /// Who asks; empty when a face has no such process.
    #[serde(default)]
    pub caller: Caller,
}

/// What the daemon needs to know of the process that asks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    pub pid: u32,
    pub cwd: String,
    /// The variables of [`CALLER_VARS`] that are set.
    pub env: BTreeMap<String, String>,
}

/// Variables of the caller that shape a run; everything else stays in the client.
pub const CALLER_VARS: &[&str] = &[
    "PATH",
    "HOME",
    "CLOWN_REGISTRY_URL",
    "CLOWN_REGISTRY_CHANNEL",
    // Set inside a profile, where HOME is the profile's.
    "CLOWN_REAL_HOME",
    "USERPROFILE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "NO_PROXY",
    "no_proxy",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    // They move an agent's logs; `usage doctor` tells of places nobody looks at.
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "OPENCODE_DATA_DIR",
    "GEMINI_DATA_DIR",
    "QWEN_DATA_DIR",
    "COPILOT_HOME",
    "DROID_SESSIONS_DIR",
    "KIMI_CODE_HOME",
    "PI_AGENT_DIR",
    "GROK_HOME",
    "AMP_DATA_DIR",
];

/// `{"protocol":1,"version":"0.1.0","reply":{..}}` or `{..,"error":{"code","message","hints"}}`
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    pub protocol: u32,
    pub version: String,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Reply(Value),
    Error(Failure),
}

impl Response {
    pub fn new(version: &str, outcome: Outcome) -> Self {
        Self { protocol: PROTOCOL, version: version.to_owned(), outcome }
    }
}
