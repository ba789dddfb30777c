//! Session records and the calls that read them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Call, Effect, runs::Exit, usage::Figures};

pub const STORED_VERSION: u32 = 1;

/// A process, safe against reused pids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    pub pid: u32,
    /// Start time as the system counts it; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
}

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SessionState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned; the process has not been reported yet.
    Starting,
    Running,
    Ended,
    /// It ended while nobody watched, so its exit is unknown.
    Lost,
}

impl State {
    pub fn live(self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }
}

/// One line of `telemetry/sessions.jsonl`. A session writes a line when it opens and one when it
/// closes, and one more when it is known what was used; the last line of an id is the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    pub version: u32,
    /// UUID v7, so ids sort by time.
    pub id: String,
    pub state: State,
    pub profile: String,
    pub agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub cwd: String,
    /// The agent's process; absent while starting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The process that started the agent and will report its exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Process>,
    /// RFC 3339.
    pub started: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// What was used while it lasted; absent until that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Use>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a session used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SessionUse")]
#[serde(default)]
pub struct Use {
    #[serde(flatten)]
    pub figures: Figures,
    pub models: Vec<ModelUse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_ms: Option<u64>,
    /// Hash of the price table in force.
    pub prices: String,
    /// `log`: the agent's own; `log+proxy`: with requests that only the proxy saw.
    pub source: String,
    /// What clown counts more than the agent's own bill says, for all of the agent's sessions that this run was a part of: a bill is for
    /// a whole session, resumed or not. Absent where there is no bill or a price is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_usd: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelUse {
    pub model: String,
    #[serde(flatten)]
    pub figures: Figures,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SessionsList")]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Only live sessions.
    #[serde(default)]
    pub live: bool,
    /// At most this many, newest first. At most 500.
    #[serde(default = "fifty")]
    pub limit: usize,
    /// Continue below this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

fn fifty() -> usize {
    50
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    pub sessions: Vec<Session>,
    /// Lines of the file that could not be read.
    #[serde(default)]
    pub bad_lines: usize,
}

impl Call for List {
    const NAME: &'static str = "sessions.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Sessions;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SessionsInspect")]
pub struct Inspect {
    /// Whole id or an unambiguous beginning.
    pub id: String,
}

impl Call for Inspect {
    const NAME: &'static str = "sessions.inspect";
    const EFFECT: Effect = Effect::Read;
    type Reply = Session;
}
