//! A file as a routing table: references filled, names resolved, conditions parsed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_saphyr::Spanned;

use super::{
    file::{Entry, File, ModelInfo},
    load::Mistake,
    reference::fill,
};
use crate::{
    base::{secret::Secret, url},
    proxy::{
        condition::Condition,
        route::{Health, Key, Pick, Price, Quirks, Rule, Table, Target, Times},
        token::Master,
    },
    wire::manifest::{AuthScheme, Format},
};

/// What is known of a provider without being told.
const KNOWN: &[(&str, Format, &str)] = &[
    ("anthropic", Format::Anthropic, "https://api.anthropic.com"),
    ("openai", Format::OpenaiChat, "https://api.openai.com/v1"),
    ("gemini", Format::Gemini, "https://generativelanguage.googleapis.com"),
    ("deepseek", Format::OpenaiChat, "https://api.deepseek.com"),
    ("openrouter", Format::OpenaiChat, "https://openrouter.ai/api/v1"),
];

struct Place<'t> {
    key: String,
    text: &'t Spanned<String>,
}

impl Place<'_> {
    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake { line: self.text.referenced.line(), key: self.key.clone(), message: message.into() }
    }
}

/// `env` answers for the environment.
pub fn compile(file: &File, env: &dyn Fn(&str) -> Option<String>) -> Result<Table, Mistake> {
    let mut targets = Vec::new();
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (n, entry) in file.model_list.iter().enumerate() {
        groups.entry(entry.model_name.value.clone()).or_default().push(n);
        targets.push(target(n, entry, env)?);
    }
    let whole = |key: &str, message: String| Mistake { line: 0, key: key.into(), message };
    let master = file.general_settings.master_key.as_deref().unwrap_or_default();
    let master = fill(master, env).map_err(|name| whole("general_settings.master_key", format!("the variable {name} is not set")))?;
    if master.len() < 8 {
        return Err(whole(
            "general_settings.master_key",
            "a key of at least 8 characters is needed, so that nobody else can use this proxy".into(),
        ));
    }
    let settings = &file.router_settings;
    let find = |place: &Place<'_>| -> Result<Vec<Pick>, Mistake> {
        let picks = crate::proxy::route::find(&groups, &targets, &place.text.value);
        if picks.is_empty() {
            let known: Vec<&str> = file.model_list.iter().map(|e| e.model_name.value.as_str()).collect();
            return Err(place.mistake(format!("no target {:?} in model_list, which has: {}", place.text.value, known.join(", "))));
        }
        Ok(picks)
    };
    let mut rules = Vec::new();
    for (n, rule) in settings.rules.iter().enumerate() {
        let condition = match &rule.condition {
            None => Condition::Always,
            Some(text) => {
                let place = Place { key: format!("router_settings.rules[{n}].condition"), text };
                Condition::parse(&text.value).map_err(|m| place.mistake(m.to_string()))?
            }
        };
        let mut picks = Vec::new();
        for text in rule.model.list() {
            picks.extend(find(&Place { key: format!("router_settings.rules[{n}].model"), text })?);
        }
        if picks.is_empty() {
            return Err(whole(&format!("router_settings.rules[{n}].model"), "names no target".into()));
        }
        rules.push(Rule { name: rule.name.clone(), condition, picks, priority: rule.priority, weight: rule.weight });
    }
    rules.sort_by_key(|r| std::cmp::Reverse(r.priority));
    let mut aliases = Vec::new();
    for (pattern, text) in &settings.model_group_alias {
        aliases.push((pattern.clone(), find(&Place { key: format!("router_settings.model_group_alias.{pattern}"), text })?));
    }
    // The longest pattern says most; a name without a star says all.
    aliases.sort_by_key(|(pattern, _)| (pattern.contains('*'), std::cmp::Reverse(pattern.len())));
    let times = Times {
        request: Duration::from_secs(settings.request_timeout.max(1)),
        idle: Duration::from_secs(settings.idle_timeout.max(1)),
        connect: Duration::from_secs(settings.connect_timeout.max(1)),
        cooldown: Duration::from_secs(settings.cooldown_time),
    };
    Ok(Table {
        targets,
        groups,
        rules,
        aliases,
        strategy: settings.routing_strategy,
        times,
        master: Master::new(Secret::new(master)),
        usage_log: file.clown_settings.usage_log.clone(),
        log_content: file.clown_settings.log_content,
    })
}

fn target(n: usize, entry: &Entry, env: &dyn Fn(&str) -> Option<String>) -> Result<Target, Mistake> {
    let params = &entry.litellm_params;
    let place = |key: &str, text| Place { key: format!("model_list[{n}].litellm_params.{key}"), text };
    let model_place = place("model", &params.model);
    let Some((provider, model)) = params.model.value.split_once('/').filter(|(p, m)| !p.is_empty() && !m.is_empty()) else {
        return Err(model_place.mistake(format!("{:?} is not of the form provider/model", params.model.value)));
    };
    let known = KNOWN.iter().find(|(id, _, _)| *id == provider);
    let format = params.format.or(known.map(|k| k.1)).unwrap_or(Format::OpenaiChat);
    let base = match (&params.api_base, known) {
        (Some(text), _) => {
            let place = place("api_base", text);
            let base = fill(&text.value, env).map_err(|name| place.mistake(format!("the variable {name} is not set")))?;
            if url::host(&base).is_none() {
                return Err(place.mistake(format!("{base:?} is no http or https address")));
            }
            base
        }
        (None, Some((_, _, base))) => (*base).to_owned(),
        (None, None) => return Err(model_place.mistake(format!("the address of {provider:?} is not known: give api_base"))),
    };
    let auth = params.auth.unwrap_or(match format {
        Format::Anthropic => AuthScheme::XApiKey,
        Format::Gemini => AuthScheme::XGoogApiKey,
        Format::OpenaiChat | Format::OpenaiResponses => AuthScheme::Bearer,
    });
    let mut keys = Vec::new();
    for (key, text) in params.api_key.iter().map(|k| ("api_key", k)).chain(params.api_keys.iter().map(|k| ("api_keys", k))) {
        let place = place(key, text);
        let secret = fill(&text.value, env).map_err(|name| place.mistake(format!("the variable {name} is not set")))?;
        if secret.is_empty() || !secret.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            // The key itself is never told.
            return Err(place.mistake("is not something that fits into a header"));
        }
        keys.push(Key { secret: Secret::new(secret), health: Health::default() });
    }
    if keys.is_empty() && auth != AuthScheme::None {
        return Err(model_place.mistake("has no api_key; for an upstream without keys say auth: none"));
    }
    Ok(Target {
        name: entry.model_name.value.clone(),
        provider: provider.to_owned(),
        model: (model != "*").then(|| Arc::from(model)),
        format,
        auth,
        base: base.trim_end_matches('/').to_owned(),
        keys,
        quirks: Quirks::new(&params.quirks),
        price: price(&entry.model_info),
        health: Health::default(),
    })
}

fn price(info: &ModelInfo) -> Option<Price> {
    let (input, output) = (info.input_cost_per_token?, info.output_cost_per_token?);
    // As the field's price tables mean it when they are silent.
    let cache_read = info.cache_read_input_token_cost.unwrap_or(input);
    let cache_write = info.cache_creation_input_token_cost.unwrap_or(input);
    Some(Price { input, output, cache_read, cache_write })
}
