//! Words for a shell's completion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// What a word on the command line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "CompleteKind")]
pub enum Kind {
    Profiles,
    Agents,
    Providers,
    Models,
    Sessions,
    Scripts,
    Templates,
    Settings,
}

/// Names that begin so. Probes nothing and opens no key store: it is asked at each press of a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompleteWords")]
pub struct Ask {
    pub kind: Kind,
    pub begins: String,
    /// Only what fits: providers and templates of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Models of this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Models of this profile's provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// A word and what it is, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompleteWord")]
pub struct Word {
    pub word: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

/// At most 200, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompleteReply")]
pub struct Words {
    pub words: Vec<Word>,
}

impl Call for Ask {
    const NAME: &'static str = "complete.words";
    const EFFECT: Effect = Effect::Read;
    type Reply = Words;
}
