//! What an agent's manifest says about commands: the agent's own hooks, and those that clown runs for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AgentManifest;
use crate::wire::scripts::FileFormat;

/// Where an agent reads hooks: a table `hooks` with a list for each event, of matchers with what they call.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentHooks {
    /// Relative to the config directory.
    pub file: String,
    /// `json` or `toml`.
    pub format: FileFormat,
    /// What a user must know or do for them to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub events: Vec<HookEvent>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookEvent {
    pub name: String,
    /// Whether it takes a matcher.
    #[serde(default)]
    pub matcher: bool,
    /// Whether it can call an address.
    #[serde(default)]
    pub url: bool,
}

impl AgentManifest {
    /// The commands it has, as a text to agree to; empty when it has none.
    pub fn commands(&self) -> String {
        if self.hooks.is_empty() && self.setup.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        for (when, steps) in self.hooks.all() {
            for step in steps {
                text += &format!("{when}: {:?} within {} ms\n", step.run, step.timeout_ms);
            }
        }
        for (name, task) in &self.setup {
            text += &format!("setup {name}: {:?} within {} ms\n", task.run, task.timeout_ms);
        }
        text
    }
}

/// Each step in turn, in the profile's home or the run's directory, with the event as JSON on standard input and no key.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// Before a new profile is kept. A step that fails undoes the creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<Step>,
    /// After a profile is deleted, before its home goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<Step>,
    /// Before each run. A step that fails refuses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre_run: Vec<Step>,
    /// After each run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_run: Vec<Step>,
}

impl Lifecycle {
    pub fn all(&self) -> [(&'static str, &[Step]); 4] {
        [("create", &self.create), ("delete", &self.delete), ("pre_run", &self.pre_run), ("post_run", &self.post_run)]
    }

    pub fn is_empty(&self) -> bool {
        self.all().iter().all(|(_, steps)| steps.is_empty())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LifecycleStep")]
pub struct Step {
    /// Program and arguments; no shell reads them.
    pub run: Vec<String>,
    /// At most 15000.
    #[serde(default = "Step::patience")]
    pub timeout_ms: u64,
}

impl Step {
    pub const MOST_MS: u64 = 15_000;

    fn patience() -> u64 {
        10_000
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetupTask")]
pub struct Task {
    pub description: String,
    pub run: Vec<String>,
    /// At most 150000.
    #[serde(default = "Task::patience")]
    pub timeout_ms: u64,
}

impl Task {
    pub const MOST_MS: u64 = 150_000;

    fn patience() -> u64 {
        120_000
    }
}
