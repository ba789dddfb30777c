//! What a profile's proxy is, does, and would do.

use std::{collections::BTreeMap, path::Path};

use base64::Engine as _;

use super::{plan, run};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        paths::Paths,
    },
    flows::{keys, place::live_sessions, resolve::resolve},
    proxy::{
        condition::Facts,
        route::{explain as explain_route, of_request},
        translate::{read_anthropic, read_chat, read_gemini, read_responses},
    },
    wire::{
        envelope::Caller,
        manifest::Format,
        profiles::{Credential, Profile},
        proxy::{
            Config, ConfigText, Explain, Explanation, Instance, Instances, KeyRow, RouteRow, Routing, ShowRouting, State, Status, Step,
            TargetRow, Use,
        },
    },
};

pub fn routing(app: &App, ask: ShowRouting, caller: &Caller) -> Result<Routing> {
    describe(app, caller, &app.profiles.find(&ask.alias)?)
}

pub(super) fn describe(app: &App, caller: &Caller, profile: &Profile) -> Result<Routing> {
    let snapshot = app.manifests.snapshot();
    let resolved = resolve(&snapshot, profile)?;
    let settings = profile.proxy.clone().unwrap_or_default();
    let mut warnings = Vec::new();
    let generated = match plan::make(app, &snapshot, profile, &resolved, 0) {
        Ok(plan) => plan.generated,
        Err(error) => {
            warnings.push(error.to_string());
            Vec::new()
        }
    };
    let own = settings.routes.iter().map(|route| RouteRow { route: route.clone(), generated: false });
    let mut routes: Vec<RouteRow> = own.chain(generated.into_iter().map(|route| RouteRow { route, generated: true })).collect();
    routes.sort_by_key(|row| std::cmp::Reverse(row.route.priority));
    let mut rows = Vec::new();
    if profile.credential != Credential::None {
        let key = keys::describe(app, caller, &profile.credential);
        rows.push(KeyRow { number: 0, provider: profile.provider.clone(), key, approved_hosts: profile.approved_hosts.clone() });
    }
    rows.extend(settings.keys.iter().enumerate().map(|(at, extra)| KeyRow {
        number: at + 1,
        provider: extra.provider.clone(),
        key: keys::describe(app, caller, &extra.credential),
        approved_hosts: extra.approved_hosts.clone(),
    }));
    Ok(Routing {
        alias: profile.alias.to_string(),
        used: resolved.proxy,
        strategy: settings.strategy,
        routes,
        aliases: settings.aliases,
        keys: rows,
        warnings,
    })
}

pub(super) fn instance(app: &App, profile: &Profile, used: Use) -> Result<Instance> {
    Ok(run::row(app, profile, used, live_sessions(app, profile.alias.as_str())?))
}

pub fn status(app: &App, ask: Status, _caller: &Caller) -> Result<Instances> {
    let snapshot = app.manifests.snapshot();
    let chosen = match &ask.alias {
        Some(alias) => vec![app.profiles.find(alias)?],
        None => app.profiles.list()?.0,
    };
    let mut instances = Vec::new();
    for profile in chosen {
        // A profile whose manifests are gone may still have something running.
        let used = resolve(&snapshot, &profile).map_or(Use::Off, |r| r.proxy);
        let row = instance(app, &profile, used)?;
        if ask.alias.is_some() || used != Use::Off || row.state != State::Stopped {
            instances.push(row);
        }
    }
    Ok(Instances { instances })
}

pub fn config(app: &App, ask: Config, _caller: &Caller) -> Result<ConfigText> {
    let (profile, resolved) = run::proxied(app, &ask.alias)?;
    let port = app.proxies.seen(profile.alias.as_str()).port.unwrap_or(0);
    let plan = plan::make(app, &app.manifests.snapshot(), &profile, &resolved, port)?;
    Ok(ConfigText { file: Paths::proxy_config(Path::new(&profile.home)).display().to_string(), text: plan.text })
}

pub fn explain(app: &App, ask: Explain, _caller: &Caller) -> Result<Explanation> {
    let (profile, resolved) = run::proxied(app, &ask.alias)?;
    let plan = plan::make(app, &app.manifests.snapshot(), &profile, &resolved, 0)?;
    let table = plan::table(&plan.text)?;
    let body =
        base64::engine::general_purpose::STANDARD.decode(&ask.request).map_err(|e| Error::invalid("the request is not base64").cause(e))?;
    let format = ask.format.or_else(|| resolved.spoken()).unwrap_or(Format::Anthropic);
    let facts = facts(format, &body, ask.model.as_deref())?;
    let found = explain_route(&table, &facts, "");
    let (rule, targets) = found.choice.map_or((None, Vec::new()), |(rule, targets)| (Some(rule), targets));
    let steps = found.steps.into_iter();
    Ok(Explanation {
        alias: profile.alias,
        facts: words(&facts),
        steps: steps.map(|s| Step { rule: s.rule, condition: s.condition, holds: s.holds, reasons: s.reasons }).collect(),
        rule,
        targets: targets.into_iter().map(|(target, model)| TargetRow { target, model }).collect(),
    })
}

fn facts(format: Format, body: &[u8], model: Option<&str>) -> Result<Facts> {
    let read = match format {
        Format::Anthropic => read_anthropic::read(body),
        Format::OpenaiChat => read_chat::read(body),
        Format::OpenaiResponses => read_responses::read(body),
        Format::Gemini => {
            let model = model
                .ok_or_else(|| Error::invalid("a gemini request has its model in the address").hint("name it: --model gemini-3.7-flash"))?;
            read_gemini::read(body, model, false)
        }
    };
    let request = read.map_err(|why| {
        Error::invalid(format!("the file is not a request in the format {format}: {why}"))
            .hint("say which it is: --format anthropic, openai-chat, openai-responses or gemini")
    })?;
    let mut facts = of_request(&request, body.len());
    if let Some(model) = model {
        model.clone_into(&mut facts.model);
    }
    Ok(facts)
}

fn words(facts: &Facts) -> BTreeMap<String, String> {
    let flag = |on: bool| if on { "yes" } else { "no" }.to_owned();
    let all = [
        ("model", facts.model.clone()),
        ("tokens", facts.tokens.to_string()),
        ("tools", facts.tools.to_string()),
        ("max_tokens", facts.max_tokens.to_string()),
        ("thinking", flag(facts.thinking)),
        ("background", flag(facts.background)),
        ("web_search", flag(facts.web_search)),
        ("image", flag(facts.image)),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
