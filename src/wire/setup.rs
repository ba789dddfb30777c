//! Calls about set-up tasks: commands that an agent's manifest offers for a profile's home.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// The tasks of a profile's agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SetupList")]
pub struct List {
    pub alias: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SetupRow")]
pub struct Row {
    pub name: String,
    pub description: String,
    pub run: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SetupTasks")]
pub struct Tasks {
    pub tasks: Vec<Row>,
    /// The manifest came with the registry, and nobody agreed to its commands.
    pub needs_approval: bool,
}

impl Call for List {
    const NAME: &'static str = "setup.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Tasks;
}

/// Runs a task to its end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SetupRun")]
pub struct Run {
    pub alias: String,
    pub task: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SetupRan")]
pub struct Ran {
    /// What it said, at most 64 KiB.
    pub output: String,
    pub ms: u64,
}

impl Call for Run {
    const NAME: &'static str = "setup.run";
    const EFFECT: Effect = Effect::Once;
    type Reply = Ran;
}
