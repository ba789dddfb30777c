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
    fn order(&self, mut pools: Vec<(u32, Vec<Pick>)>, facts: &Facts, ground: &Ground<'_>) -> Vec<Pick> {
        // Most often there is nothing to choose.
        if let [(_, only)] = pools.as_mut_slice()
            && only.len() == 1
        {
            return std::mem::take(only);
        }
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::proxy::config;

    fn table(router: &str) -> Table {
        let entry = |name: &str, cost: &str| {
            format!(
                "  - model_name: {name}\n    litellm_params: {{model: {name}, api_base: 'http://127.0.0.1:1', api_key: k}}\n    model_info: {{{cost}}}\n"
            )
        };
        let text = format!(
            "model_list:\n{}{}{}{}router_settings:\n{router}general_settings: {{master_key: long enough}}\n",
            entry("a/big", "input_cost_per_token: 0.00001, output_cost_per_token: 0.00001"),
            entry("b/small", "input_cost_per_token: 0.000001, output_cost_per_token: 0.0001"),
            entry("c/*", ""),
            entry("a/big", ""),
        );
        config::compile(&config::load(&text).unwrap(), &|_| None).unwrap()
    }

    fn names(table: &Table, choice: &Choice) -> Vec<String> {
        let name = |p: &Pick| format!("{}>{}", table.targets[p.target].name, p.model.as_deref().unwrap_or("as asked"));
        choice.picks.iter().map(name).collect()
    }

    fn chosen(table: &Table, facts: &Facts, affinity: &str) -> (String, Vec<String>) {
        let choice = table.choose(facts, &Ground { affinity }).unwrap();
        let names = names(table, &choice);
        (choice.rule, names)
    }

    fn asks(model: &str, tokens: u64) -> Facts {
        Facts { model: model.into(), tokens, ..Facts::default() }
    }

    const RULES: &str =
        "  rules:\n    - {name: long, condition: 'tokens > 1000', model: b/small, priority: 5}\n    - {name: rest, model: [a/big, c/x]}\n";

    #[test]
    fn a_name_an_alias_a_rule_a_bare_model_in_this_order() {
        let table = table(&format!("{RULES}  model_group_alias: {{'claude-*': c/*, 'claude-haiku-*': b/small, fixed: a/big}}\n"));
        let rule = |model: &str, tokens| chosen(&table, &asks(model, tokens), "s");
        assert_eq!(rule("b/small", 0), ("by name".into(), vec!["b/small>small".into()]));
        assert_eq!(rule("c/any-thing", 0), ("by name".into(), vec!["c/*>any-thing".into()]));
        assert_eq!(rule("claude-haiku-4", 9999).0, "alias claude-haiku-*", "the longest pattern says most");
        assert_eq!(rule("claude-opus-5", 0), ("alias claude-*".into(), vec!["c/*>as asked".into()]));
        assert_eq!(rule("fixed", 0).1, ["a/big>big", "a/big>big"], "two upstreams of one name");
        assert_eq!(rule("gpt", 1001), ("long".into(), vec!["b/small>small".into()]));
        assert_eq!(rule("gpt", 1000), ("rest".into(), vec!["a/big>big".into(), "a/big>big".into(), "c/*>x".into()]));
    }

    #[test]
    fn without_rules_only_what_has_a_name_is_known() {
        let table = table("  rules: []\n");
        assert_eq!(chosen(&table, &asks("small", 0), "s"), ("by model".into(), vec!["b/small>as asked".into()]));
        assert_eq!(table.choose(&asks("unknown", 0), &Ground { affinity: "" }).err(), Some(NoModel));
    }

    #[test]
    fn simple_falls_through_the_rules_that_hold() {
        let table = table(&format!("  routing_strategy: simple\n{RULES}"));
        assert_eq!(
            chosen(&table, &asks("x", 5000), "s"),
            ("long".into(), ["b/small>small", "a/big>big", "a/big>big", "c/*>x"].map(String::from).to_vec())
        );
    }

    #[test]
    fn weighted_spreads_by_weight_and_keeps_a_session_where_it_is() {
        let table = table(
            "  routing_strategy: weighted\n  rules:\n    - {name: one, model: b/small, weight: 3}\n    - {name: two, model: c/x, weight: 1}\n    - {name: none, model: c/y, weight: 0}\n",
        );
        let first = |session: &str| chosen(&table, &asks("m", 0), session).1[0].clone();
        let firsts: Vec<String> = (0..4000).map(|n| first(&n.to_string())).collect();
        let small = firsts.iter().filter(|f| *f == "b/small>small").count();
        assert!((2800..3200).contains(&small), "three of four: {small}");
        assert!(!firsts.contains(&"c/*>y".to_owned()), "no weight, no turn");
        assert_eq!(first("17"), first("17"));
        assert_eq!(chosen(&table, &asks("m", 0), "17").1.len(), 3, "the others stand by");
    }

    #[test]
    fn lowest_cost_depends_on_the_length_and_unknown_prices_come_last() {
        let table = table(
            "  routing_strategy: lowest-cost\n  rules:\n    - {name: a, model: a/big}\n    - {name: b, model: b/small}\n    - {name: c, model: c/x}\n",
        );
        assert_eq!(chosen(&table, &asks("m", 100), "s").1, ["a/big>big", "b/small>small", "a/big>big", "c/*>x"]);
        assert_eq!(chosen(&table, &asks("m", 1_000_000), "s").1[0], "b/small>small");
    }

    #[test]
    fn adaptive_prefers_the_quick_and_avoids_the_failing() {
        let table = table("  routing_strategy: adaptive\n  rules:\n    - {name: b, model: b/small}\n    - {name: c, model: c/x}\n");
        let first = || chosen(&table, &asks("m", 0), "s").1[0].clone();
        table.targets[1].health.succeeded(Duration::from_millis(500));
        assert_eq!(first(), "c/*>x", "one that was never asked gets its chance");
        table.targets[2].health.succeeded(Duration::from_millis(900));
        assert_eq!(first(), "b/small>small");
        table.targets[1].health.failed(Instant::now(), Duration::ZERO);
        table.targets[1].health.failed(Instant::now(), Duration::ZERO);
        assert_eq!(first(), "c/*>x");
    }
}
