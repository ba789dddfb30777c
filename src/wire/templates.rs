//! Templates: a ready set of settings and texts for a new profile, as data, and the calls that show them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Effect,
    ids::{AgentId, TemplateName},
    manifest::{Origin, Problem},
};

/// `templates/<agent>/<name>.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub schema: u32,
    pub agent: AgentId,
    pub name: TemplateName,
    /// One line.
    pub description: String,
    /// Used when the creation names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Put before those of the creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// What the creation sets wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// What the creation sets wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub preferences: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<Prompt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
}

impl Template {
    /// Whether it does more than choose a model and give texts: then it can run code or move a run elsewhere.
    pub fn reaches_far(&self) -> bool {
        !(self.args.is_empty() && self.env.is_empty() && self.preferences.is_empty() && self.hooks.is_empty())
    }
}

/// A text for the agent, such as `CLAUDE.md`. Written when the file is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Relative to the agent's config directory; ends with `.md`.
    pub file: String,
    pub text: String,
}

/// A command the agent runs at some event. Only for agents whose manifest has `agent_hooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The agent's word for it, such as `PostToolUse`.
    pub event: String,
    /// Which tools; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matcher: Option<String>,
    pub command: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TemplatesList")]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TemplateRow {
    pub agent: AgentId,
    pub name: TemplateName,
    pub description: String,
    pub origin: Origin,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Templates {
    pub templates: Vec<TemplateRow>,
    /// Files of templates that cannot be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Call for List {
    const NAME: &'static str = "templates.list";
    const EFFECT: Effect = Effect::Read;
    type Reply = Templates;
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TemplatesInspect")]
pub struct Inspect {
    /// Id of an agent, or another word its manifest lists.
    pub agent: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TemplateDetail {
    pub template: Template,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whether the user must agree to it before it is used, and has not.
    pub needs_approval: bool,
}

impl Call for Inspect {
    const NAME: &'static str = "templates.inspect";
    const EFFECT: Effect = Effect::Read;
    type Reply = TemplateDetail;
}
