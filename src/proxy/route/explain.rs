//! Which rule would win for a request, and why.

use std::time::Instant;

use super::{choose::Ground, table::Table};
use crate::proxy::condition::Facts;

pub struct Explained {
    pub steps: Vec<Step>,
    /// The choice's rule and its targets with the models they would be asked for; none: no model.
    pub choice: Option<(String, Vec<(String, String)>)>,
}

pub struct Step {
    pub rule: String,
    pub condition: String,
    pub holds: bool,
    pub reasons: Vec<String>,
}

pub fn explain(table: &Table, facts: &Facts, affinity: &str) -> Explained {
    let steps = table.rules.iter().map(|rule| Step {
        rule: rule.name.clone(),
        condition: rule.condition.to_string(),
        holds: rule.condition.holds(facts),
        reasons: rule.condition.reasons(facts),
    });
    let now = Instant::now();
    let choice = table.choose(facts, &Ground { affinity }).ok().map(|choice| {
        let targets = choice.picks.iter().filter_map(|pick| {
            let target = table.targets.get(pick.target)?;
            let resting = if target.health.resting(now) { " (resting)" } else { "" };
            Some((format!("{}{resting}", target.name), pick.model.as_deref().unwrap_or(&facts.model).to_owned()))
        });
        (choice.rule, targets.collect())
    });
    Explained { steps: steps.collect(), choice }
}
