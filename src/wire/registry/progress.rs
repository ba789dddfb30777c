//! How far a sync is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Call, Effect};

/// How far a sync is that is under way, whoever began it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistryProgress")]
pub struct Progress {}

/// What a sync does now, in the order in which it does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "SyncStage")]
pub enum Stage {
    /// None is under way.
    #[default]
    Idle,
    /// Asks for the index, and checks who signed it.
    Index,
    Fetch,
    /// Judges what came.
    Check,
    /// Writes it, and brings it into force.
    Commit,
    /// Takes the prices, which are not the registry's.
    Prices,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncProgress {
    pub stage: Stage,
    /// Entries of this stage that are done, and all of them; both 0 where nothing is counted.
    pub done: u64,
    pub total: u64,
}

impl Call for Progress {
    const NAME: &'static str = "registry.progress";
    const EFFECT: Effect = Effect::Read;
    type Reply = SyncProgress;
}
