//! What a failed call says, and the exit codes of the program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kinds of failure. Programs decide by the kind, never by the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The command line itself is wrong.
    Usage,
    InvalidInput,
    NotFound,
    AlreadyExists,
    /// The state forbids it now: in use, changed meanwhile, live sessions.
    Conflict,
    /// This agent, provider or platform cannot do it.
    Unsupported,
    /// A guard said no: approval, trust, permission.
    Refused,
    SecretsUnavailable,
    /// A stored file cannot be read as what it should be.
    Corrupt,
    /// A script or a manifest failed.
    Script,
    Io,
    /// No daemon answers.
    Unreachable,
    /// The other side speaks another protocol.
    Protocol,
    /// A defect in clown; contained, logged and counted.
    Defect,
    /// A kind this build does not know, from a newer peer.
    #[serde(other)]
    Unknown,
}

/// The error body, equal over every face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    pub code: Code,
    /// Lower case, no full stop: what failed, on what, and its causes.
    pub message: String,
    /// What to do next, one action each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// What the user may agree to with `scripts.approve`, so that a terminal can ask at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hints: Vec::new(), review: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Exit code of the program for this failure; the table is in `exit`.
    pub fn exit_code(&self) -> i32 {
        match self.code {
            Code::Usage => exit::USAGE,
            Code::Unreachable | Code::Protocol => exit::UNREACHABLE,
            _ => exit::FAILURE,
        }
    }
}

/// Documented exit codes. `clown run` ends with the agent's own code instead.
pub mod exit {
    pub const SUCCESS: i32 = 0;
    /// The request was understood and could not be done.
    pub const FAILURE: i32 = 1;
    /// The command line is wrong.
    pub const USAGE: i32 = 2;
    /// The daemon cannot be reached or speaks another protocol.
    pub const UNREACHABLE: i32 = 3;
}
