//! A compiled configuration. Never changes: a reload makes another.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{choose::Pick, health::Health, quirks::Quirks};
use crate::{
    base::secret::Secret,
    proxy::{condition::Condition, config::Strategy, token::Master},
    wire::manifest::{AuthScheme, Format},
};

pub struct Table {
    pub targets: Vec<Target>,
    /// Positions in `targets` by name.
    pub(in crate::proxy) groups: HashMap<String, Vec<usize>>,
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
    /// Patterns, longest first.
    pub(in crate::proxy) aliases: Vec<(String, Vec<Pick>)>,
    pub strategy: Strategy,
    pub times: Times,
    pub master: Master,
    /// Absolute path.
    pub usage_log: Option<String>,
    pub log_content: bool,
}

/// An upstream: where, how, and with which keys.
pub struct Target {
    /// `provider/model` or `provider/*`, as rules name it.
    pub name: String,
    pub provider: String,
    /// The upstream's name of the model; none: the one that was asked for.
    pub model: Option<Arc<str>>,
    pub format: Format,
    pub auth: AuthScheme,
    /// Without a slash at its end.
    pub base: String,
    pub keys: Vec<Key>,
    pub quirks: Quirks,
    pub price: Option<Price>,
    pub health: Health,
}

pub struct Key {
    pub secret: Secret,
    pub health: Health,
}

/// USD for a token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Price {
    pub input: f64,
    pub output: f64,
    pub cache_read: f64,
    pub cache_write: f64,
}

pub struct Rule {
    pub name: String,
    pub condition: Condition,
    /// In the order in which they replace each other.
    pub picks: Vec<Pick>,
    pub priority: i64,
    pub weight: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub request: Duration,
    pub idle: Duration,
    pub connect: Duration,
    pub cooldown: Duration,
}

impl Table {
    /// What a name stands for: a target's own, or any model of a provider that takes any.
    pub(in crate::proxy) fn find(&self, name: &str) -> Vec<Pick> {
        find(&self.groups, &self.targets, name)
    }

    /// Whether a rule asks for more than the model's name.
    pub fn needs_facts(&self) -> bool {
        self.strategy == Strategy::LowestCost || self.rules.iter().any(|r| r.condition.needs_body())
    }

    /// Names a client may ask for.
    pub fn models(&self) -> Vec<&str> {
        let names = self.targets.iter().map(|t| t.name.as_str());
        let aliases = self.aliases.iter().map(|(pattern, _)| pattern.as_str());
        let mut all: Vec<&str> = aliases.chain(names).filter(|n| !n.contains('*')).collect();
        let mut seen = std::collections::HashSet::new();
        all.retain(|n| seen.insert(*n));
        all
    }
}

pub(in crate::proxy) fn find(groups: &HashMap<String, Vec<usize>>, targets: &[Target], name: &str) -> Vec<Pick> {
    let pick = |target: &usize| Pick { target: *target, model: targets.get(*target).and_then(|t| t.model.clone()) };
    if let Some(group) = groups.get(name) {
        return group.iter().map(pick).collect();
    }
    let Some((provider, model)) = name.split_once('/') else { return Vec::new() };
    let Some(group) = groups.get(&format!("{provider}/*")) else { return Vec::new() };
    let model: Arc<str> = model.into();
    group.iter().map(|target| Pick { target: *target, model: Some(model.clone()) }).collect()
}
