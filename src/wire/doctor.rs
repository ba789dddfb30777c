//! Calls of `clown doctor`: what is in order here, what is not, and what would mend it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DoctorLevel")]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something may not work, or is less safe than it should be.
    Warning,
    /// A choice or circumstance worth knowing.
    Note,
    Ok,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Ok => "ok",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DoctorFinding")]
pub struct Finding {
    /// What was looked at, like `disk` or `profile`. Several findings may have the same.
    pub id: String,
    pub level: Level,
    /// A sentence without a full stop. Never holds a key.
    pub what: String,
    /// A command or an advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Whether `doctor.fix` mends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safe: bool,
}

impl Finding {
    pub fn new(id: &str, level: Level, what: impl Into<String>) -> Self {
        Self { id: id.to_owned(), level, what: what.into(), fix: None, safe: false }
    }

    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Why a variable of the caller matters. The daemon never learns which of them are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "role", rename_all = "snake_case")]
#[schemars(rename = "DoctorVariable")]
pub enum Watched {
    /// Runs of this agent leave out what matches; a trailing `*` matches the rest.
    Removed { pattern: String, agent: String },
    /// A profile's key is read from it at each run.
    Key { name: String, profile: String },
    /// Programs look there for a key of this provider.
    Vendor { name: String, provider: String },
}

/// Looks at everything the daemon can see. Runs no agent and changes nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DoctorRun")]
pub struct Run {}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DoctorReport")]
pub struct Report {
    pub findings: Vec<Finding>,
    /// For the caller to compare with its own environment. `Removed` only for agents that have profiles.
    pub variables: Vec<Watched>,
}

impl Call for Run {
    const NAME: &'static str = "doctor.run";
    const EFFECT: Effect = Effect::Read;
    type Reply = Report;
}

/// Mends the findings that are `safe`: access modes of clown's own files, and files left over from a crash.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DoctorFix")]
pub struct Fix {}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DoctorMended")]
pub struct Mended {
    /// What was done, one sentence each.
    pub mended: Vec<String>,
    /// What could not be done, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

impl Call for Fix {
    const NAME: &'static str = "doctor.fix";
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = Mended;
}
