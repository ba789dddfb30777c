//! The choice of targets for one request, first the one to ask, then its replacements.

use std::sync::Arc;

use super::table::{Price, Rule, Table};
use crate::{
    base::glob,
    proxy::{condition::Facts, config::Strategy},
};

/// A target, and the model to ask it for (none: the client's own word).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub target: usize,
    pub model: Option<Arc<str>>,
}

/// What a choice may depend on besides the request.
pub struct Ground<'g> {
    /// Keeps a conversation where its caches are; requests without one are spread.
    pub affinity: &'g str,
}

#[derive(Debug)]
pub struct Choice {
    /// The rule's name, or `alias PATTERN`, or `by name`.
    pub rule: String,
    /// Not empty; no target twice.
    pub picks: Vec<Pick>,
}

/// Nothing stands for this model.
#[derive(Debug, PartialEq, Eq)]
pub struct NoModel;

/// Tokens of a reply, when costs are compared before there is one.
const TYPICAL_OUTPUT: f64 = 1000.0;

impl Table {
    /// A target's own name, else an alias, else the rules, else a target by its model's bare name.
    pub fn choose(&self, facts: &Facts, ground: &Ground<'_>) -> Result<Choice, NoModel> {
        let named = self.find(&facts.model);
        if !named.is_empty() {
            return Ok(Choice { rule: "by name".into(), picks: self.order(vec![(1, named)], facts, ground) });
        }
        if let Some((pattern, picks)) = self.aliases.iter().find(|(pattern, _)| glob::matches(pattern, &facts.model)) {
            return Ok(Choice { rule: format!("alias {pattern}"), picks: self.order(vec![(1, picks.clone())], facts, ground) });
        }
        let holding: Vec<&Rule> = self.rules.iter().filter(|r| r.condition.holds(facts)).collect();
        if let Some(first) = holding.first() {
            let pool: Vec<&Rule> = if self.strategy == Strategy::Conditional { vec![first] } else { holding.clone() };
            let picks = self.order(pool.iter().map(|r| (r.weight, r.picks.clone())).collect(), facts, ground);
            // Of a pool, the rule whose target was taken.
            let rule = pool.iter().find(|r| picks.first().is_some_and(|p| r.picks.contains(p))).unwrap_or(first);
            return Ok(Choice { rule: rule.name.clone(), picks });
        }
        let bare: Vec<Pick> = (0..self.targets.len())
            .filter(|at| self.targets.get(*at).is_some_and(|t| t.model.as_deref() == Some(&facts.model)))
            .map(|target| Pick { target, model: None })
            .collect();
        if bare.is_empty() {
            Err(NoModel)
        } else {
            Ok(Choice { rule: "by model".into(), picks: self.order(vec![(1, bare)], facts, ground) })
        }
    }

    /// Pools of targets with their weights, as one order.
    fn order(&self, pools: Vec<(u32, Vec<Pick>)>, facts: &Facts, ground: &Ground<'_>) -> Vec<Pick> {
        let mut all: Vec<(u32, Pick)> = pools.into_iter().flat_map(|(w, picks)| picks.into_iter().map(move |p| (w, p))).collect();
        let mut seen = Vec::new();
        all.retain(|(_, p)| {
            !seen.contains(p) && {
                seen.push(p.clone());
                true
            }
        });
        if all.len() > 1 {
            match self.strategy {
                Strategy::Simple | Strategy::Conditional => {}
                Strategy::Weighted => sort(&mut all, |(w, p)| self.draw(*w, p, ground)),
                Strategy::LowestCost => sort(&mut all, |(_, p)| self.cost(p, facts)),
                Strategy::Adaptive => sort(&mut all, |(_, p)| self.targets.get(p.target).map_or(0.0, |t| t.health.score())),
            }
        }
        all.into_iter().map(|(_, p)| p).collect()
    }

    /// Rendezvous hashing: the same conversation draws the same lot, and lots fall by weight.
    fn draw(&self, weight: u32, pick: &Pick, ground: &Ground<'_>) -> f64 {
        let name = self.targets.get(pick.target).map_or("", |t| &t.name);
        let mut hasher = blake3::Hasher::new();
        hasher.update(ground.affinity.as_bytes()).update(&[0]).update(name.as_bytes()).update(&(pick.target as u64).to_le_bytes());
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        let lot = (u64::from_le_bytes(first) >> 11) as f64 / (1u64 << 53) as f64;
        if weight == 0 { f64::INFINITY } else { -lot.max(f64::MIN_POSITIVE).ln() / f64::from(weight) }
    }

    /// USD, about; a target without a price comes last.
    fn cost(&self, pick: &Pick, facts: &Facts) -> f64 {
        let price = self.targets.get(pick.target).and_then(|t| t.price);
        price.map_or(f64::INFINITY, |Price { input, output, .. }| input * facts.tokens as f64 + output * TYPICAL_OUTPUT)
    }
}

fn sort(all: &mut [(u32, Pick)], by: impl Fn(&(u32, Pick)) -> f64) {
    all.sort_by(|a, b| by(a).total_cmp(&by(b)));
}
