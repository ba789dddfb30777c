//! A profile's wishes as an instance's `config.yaml`. Keys are references to variables.

use serde_saphyr::{Location, Spanned};

use super::config::{ClownSettings, Entry, File, General, ModelInfo, Params, Router, Rule, Server, Strategy, Targets};
use crate::wire::{
    manifest::{AuthScheme, Endpoint, ProviderManifest},
    proxy::{Route, Settings},
};

/// The variable with the key that opens an instance to its clients.
pub const SECRET_VAR: &str = "CLOWN_PROXY_SECRET";

/// A provider that targets can name.
pub struct Upstream<'a> {
    pub provider: &'a ProviderManifest,
    pub endpoint: &'a Endpoint,
    /// Variables with its keys.
    pub keys: Vec<String>,
}

pub struct Wishes<'a> {
    pub settings: &'a Settings,
    /// The profile's own provider first.
    pub upstreams: Vec<Upstream<'a>>,
    /// The profile's model.
    pub model: Option<&'a str>,
    /// The agent's own names of models are the provider's: they pass as they are.
    pub native: bool,
    pub port: u16,
    pub usage_log: Option<String>,
    pub log_content: bool,
}

/// The variable for the nth key, counted from 1, which is one of this provider.
pub fn key_var(n: usize, provider: &str) -> String {
    let word: String = provider.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("CLOWN_KEY_{n}_{word}")
}

/// The file. A target of a provider that is not among the upstreams stays unresolved for `compile` to name.
pub fn generate(wishes: &Wishes<'_>) -> File {
    let routes: Vec<Route> = wishes.settings.routes.iter().cloned().chain(generated_routes(wishes)).collect();
    let named = routes.iter().flat_map(|r| r.targets.iter()).chain(wishes.settings.aliases.values());
    let mut names: Vec<String> = Vec::new();
    // Any model of the own provider can be asked for by `provider/model`.
    let own = wishes.upstreams.first().map(|u| format!("{}/*", u.provider.id));
    for name in named.cloned().chain(own) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let entries = names.iter().filter_map(|name| {
        let (provider, _) = name.split_once('/')?;
        let upstream = wishes.upstreams.iter().find(|u| u.provider.id.as_str() == provider)?;
        Some(entry(name, upstream))
    });
    File {
        server: Server { port: wishes.port, ..Server::default() },
        model_list: entries.collect(),
        router_settings: Router {
            routing_strategy: wishes.settings.strategy,
            rules: routes.iter().map(rule).collect(),
            model_group_alias: wishes.settings.aliases.iter().map(|(name, target)| (name.clone(), text(target))).collect(),
            ..Router::default()
        },
        general_settings: General { master_key: Some(format!("${{{SECRET_VAR}}}")) },
        clown_settings: ClownSettings { usage_log: wishes.usage_log.clone(), log_content: wishes.log_content },
    }
}

/// The rules below all of the user's: names the provider knows as they are, an agent's own names of
/// tiers, and everything else. Rules, not aliases: an alias would be taken before any rule is asked.
pub fn generated_routes(wishes: &Wishes<'_>) -> Vec<Route> {
    let Some(own) = wishes.upstreams.first() else { return Vec::new() };
    let provider = &own.provider.id;
    let lowest = wishes.settings.routes.iter().map(|r| r.priority).min().unwrap_or(0).min(0);
    let route = |name: &str, condition: String, target: String, below: i64| Route {
        name: name.to_owned(),
        condition,
        targets: vec![target],
        priority: lowest.saturating_sub(below),
        // Behind every rule of the user's that has any weight.
        weight: 0,
    };
    let any = format!("{provider}/*");
    let model = wishes.model.filter(|_| !wishes.native);
    let Some(model) = model else { return vec![route("default", "always".into(), any, 3)] };
    // With rules of the user's for everything, nothing is left to spread over.
    let pooled = matches!(wishes.settings.strategy, Strategy::Weighted | Strategy::LowestCost | Strategy::Adaptive);
    if pooled && wishes.settings.routes.iter().any(|r| matches!(r.condition.trim(), "always" | "true")) {
        return Vec::new();
    }
    let mut routes = Vec::new();
    let mut known: Vec<&str> = own.provider.models.iter().map(|m| m.id.as_str()).collect();
    if !known.contains(&model) {
        known.push(model);
    }
    let by_name: Vec<String> = known.iter().map(|id| format!("model ~ {id:?}")).collect();
    routes.push(route("by name", by_name.join(" or "), any, 1));
    let tiers = ["haiku", "sonnet", "opus"].into_iter().filter_map(|tier| Some((tier, own.provider.tiers.get(tier)?)));
    for (tier, target) in tiers.filter(|(_, target)| *target != model) {
        routes.push(route(tier, format!("model ~ \"*{tier}*\""), format!("{provider}/{target}"), 2));
    }
    routes.push(route("default", "always".into(), format!("{provider}/{model}"), 3));
    routes
}

fn entry(name: &str, upstream: &Upstream<'_>) -> Entry {
    let reference = |var: &String| text(&format!("${{{var}}}"));
    let keys: &[String] = if upstream.endpoint.auth == AuthScheme::None { &[] } else { &upstream.keys };
    let (one, several) = match keys {
        [] => (None, Vec::new()),
        [key] => (Some(reference(key)), Vec::new()),
        keys => (None, keys.iter().map(reference).collect()),
    };
    Entry {
        model_name: text(name),
        litellm_params: Params {
            model: text(name),
            api_base: Some(text(&upstream.endpoint.base_url)),
            api_key: one,
            api_keys: several,
            format: Some(upstream.endpoint.format),
            auth: Some(upstream.endpoint.auth),
            quirks: upstream.provider.quirks.clone(),
        },
        model_info: ModelInfo::default(),
    }
}

fn rule(route: &Route) -> Rule {
    Rule {
        name: route.name.clone(),
        condition: Some(text(&route.condition)),
        model: match route.targets.as_slice() {
            [one] => Targets::One(text(one)),
            several => Targets::Several(several.iter().map(|t| text(t)).collect()),
        },
        priority: route.priority,
        weight: route.weight,
    }
}

fn text(text: &str) -> Spanned<String> {
    Spanned::new(text.to_owned(), Location::UNKNOWN, Location::UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::{
        condition::Facts,
        config::{compile, emit, load},
        route::{Ground, Table},
    };

    fn provider(id: &str) -> ProviderManifest {
        toml::from_str(&format!(
            "schema = 1\nid = \"{id}\"\nname = \"P\"\ndefault_model = \"big\"\n[tiers]\nhaiku = \"small\"\nopus = \"big\"\n\
             [[endpoints]]\nformat = \"openai-chat\"\nbase_url = \"https://{id}.example/v1\"\nauth = \"bearer\"\n\
             [[models]]\nid = \"big\"\n[[models]]\nid = \"small\"\n"
        ))
        .unwrap()
    }

    fn table(settings: &Settings, native: bool) -> Table {
        let (p, q) = (provider("p"), provider("q-1"));
        let up = |provider, keys: &[&str]| {
            let keys = keys.iter().map(|k| (*k).to_owned()).collect();
            let manifest: &ProviderManifest = provider;
            Upstream { provider: manifest, endpoint: &manifest.endpoints[0], keys }
        };
        let wishes = Wishes {
            settings,
            upstreams: vec![up(&p, &["A"]), up(&q, &["B", "C"])],
            model: Some("big"),
            native,
            port: 8080,
            usage_log: Some("/h/usage.jsonl".into()),
            log_content: false,
        };
        let text = emit(&generate(&wishes)).unwrap();
        assert!(!text.contains("the-key"), "{text}");
        compile(&load(&text).unwrap_or_else(|m| panic!("{m}\n{text}")), &|_| Some("the-key-the-key".into()))
            .unwrap_or_else(|m| panic!("{m}\n{text}"))
    }

    fn goes(table: &Table, model: &str, tokens: u64) -> (String, String, String) {
        let facts = Facts { model: model.into(), tokens, ..Facts::default() };
        let choice = table.choose(&facts, &Ground { affinity: "s" }).unwrap();
        let target = &table.targets[choice.picks[0].target];
        (choice.rule, target.provider.clone(), choice.picks[0].model.as_deref().unwrap_or(model).to_owned())
    }

    fn want(rule: &str, provider: &str, model: &str) -> (String, String, String) {
        (rule.into(), provider.into(), model.into())
    }

    #[test]
    fn without_rules_the_provider_serves_everything() {
        let table = table(&Settings::default(), false);
        assert_eq!(goes(&table, "claude-opus-5-5", 1), want("default", "p", "big"));
        assert_eq!(goes(&table, "claude-haiku-5-5", 1), want("haiku", "p", "small"));
        assert_eq!(goes(&table, "small", 1), want("by name", "p", "small"));
        assert_eq!(goes(&table, "p/other", 1), want("by name", "p", "other"));
    }

    #[test]
    fn native_names_pass_as_they_are() {
        assert_eq!(goes(&table(&Settings::default(), true), "claude-opus-5-5", 1), want("default", "p", "claude-opus-5-5"));
    }

    #[test]
    fn the_users_rules_come_first_whatever_the_agent_asks_for() {
        let route = Route {
            name: "it's: \"odd\"".into(),
            condition: "tokens > 60000 or model ~ \"x: *\"".into(),
            targets: vec!["q-1/vast".into(), "p/big".into()],
            priority: -5,
            weight: 1,
        };
        let aliases = [("gpt-*".to_owned(), "q-1/g".to_owned())].into();
        let settings = Settings { routes: vec![route], aliases, ..Settings::default() };
        let table = table(&settings, false);
        assert_eq!(goes(&table, "small", 70_000), want("it's: \"odd\"", "q-1", "vast"));
        assert_eq!(goes(&table, "small", 1), want("by name", "p", "small"));
        assert_eq!(goes(&table, "gpt-6", 1), want("alias gpt-*", "q-1", "g"));
        assert_eq!(table.targets.iter().find(|t| t.provider == "q-1").unwrap().keys.len(), 2);
    }

    #[test]
    fn a_spread_over_the_users_targets_stays_among_them() {
        let route = |name: &str, target: &str, weight| Route {
            name: name.into(),
            condition: "always".into(),
            targets: vec![target.into()],
            priority: 0,
            weight,
        };
        let routes = vec![route("a", "p/big", 1), route("b", "q-1/big", 3)];
        let table = table(&Settings { routes, strategy: Strategy::Weighted, ..Settings::default() }, false);
        let facts = Facts { model: "small".into(), ..Facts::default() };
        for session in ["1", "2", "3", "4"] {
            assert_eq!(table.choose(&facts, &Ground { affinity: session }).unwrap().picks.len(), 2);
        }
    }
}
