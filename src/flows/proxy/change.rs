//! Changes of a profile's routing. Each is checked as a whole before the profile is written.

use super::{look, plan, run};
use crate::{
    app::App,
    base::error::{Error, Result},
    flows::resolve::resolve,
    wire::{
        envelope::Caller,
        profiles::Profile,
        proxy::{AddRoute, RemoveAlias, RemoveRoute, Routing, Set, SetAlias, Settings, Use},
    },
};

pub fn set(app: &App, ask: Set, caller: &Caller) -> Result<Routing> {
    if ask.enabled == Some(false) {
        let profile = app.profiles.find(&ask.alias)?;
        if resolve(&app.manifests.snapshot(), &profile).is_ok_and(|r| r.proxy == Use::Needed) {
            return Err(Error::conflict(format!(
                "profile {} cannot do without its proxy: agent and provider have no format in common",
                ask.alias
            ))
            .hint("use a provider that speaks what the agent speaks: clown profiles edit ALIAS --provider P")
            .hint("see the formats: clown providers list"));
        }
    }
    change(app, caller, &ask.alias, |settings, _| {
        settings.enabled = ask.enabled.unwrap_or(settings.enabled);
        settings.strategy = ask.strategy.unwrap_or(settings.strategy);
        Ok(())
    })
}

pub fn add_route(app: &App, ask: AddRoute, caller: &Caller) -> Result<Routing> {
    let route = ask.route;
    if route.name.trim().is_empty() || route.name.len() > 100 || route.name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{:?} is not a name for a route", route.name)).hint("use a short word, such as long or cheap"));
    }
    if route.targets.is_empty() {
        return Err(Error::invalid("a route needs a target").hint("write provider/model"));
    }
    plan::condition(&route.condition)?;
    change(app, caller, &ask.alias, |settings, profile| {
        if settings.routes.iter().any(|r| r.name == route.name) {
            return Err(Error::exists(format!("profile {} has a route {:?} already", profile.alias, route.name))
                .hint(format!("remove it first: clown proxy route remove {} {}", profile.alias, route.name)));
        }
        settings.routes.push(route);
        Ok(())
    })
}

pub fn remove_route(app: &App, ask: RemoveRoute, caller: &Caller) -> Result<Routing> {
    change(app, caller, &ask.alias, |settings, profile| {
        let before = settings.routes.len();
        settings.routes.retain(|r| r.name != ask.name);
        if settings.routes.len() == before {
            let known = settings.routes.iter().map(|r| r.name.as_str());
            return Err(Error::not_found(format!("profile {} has no route {:?}", profile.alias, ask.name))
                .did_you_mean(&ask.name, known)
                .hint(format!("list them: clown proxy route list {}", profile.alias)));
        }
        Ok(())
    })
}

pub fn set_alias(app: &App, ask: SetAlias, caller: &Caller) -> Result<Routing> {
    if ask.name.is_empty() || ask.name.len() > 200 || ask.name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::invalid(format!("{:?} is not a name of a model", ask.name)).hint("for example: gpt-5.5 or claude-haiku-*"));
    }
    change(app, caller, &ask.alias, |settings, _| {
        settings.aliases.insert(ask.name, ask.target);
        Ok(())
    })
}

pub fn remove_alias(app: &App, ask: RemoveAlias, caller: &Caller) -> Result<Routing> {
    change(app, caller, &ask.alias, |settings, profile| match settings.aliases.remove(&ask.name) {
        Some(_) => Ok(()),
        None => Err(Error::not_found(format!("profile {} has no alias {:?}", profile.alias, ask.name))
            .did_you_mean(&ask.name, settings.aliases.keys().map(String::as_str))
            .hint(format!("list them: clown proxy alias list {}", profile.alias))),
    })
}

/// One change, from the lock to the instance that follows it.
pub(super) fn change(app: &App, caller: &Caller, alias: &str, edit: impl FnOnce(&mut Settings, &Profile) -> Result<()>) -> Result<Routing> {
    let lock = app.profiles.lock()?;
    let before = app.profiles.find(alias)?;
    let mut profile = before.clone();
    let mut settings = profile.proxy.take().unwrap_or_default();
    edit(&mut settings, &before)?;
    profile.proxy = (settings != Settings::default()).then_some(settings);
    let snapshot = app.manifests.snapshot();
    let resolved = resolve(&snapshot, &profile)?;
    let planned = plan::make(app, &snapshot, &profile, &resolved, 0);
    let mut warnings = Vec::new();
    // Less than before must work for a profile whose rest is wrong, or that can have no proxy at all.
    let less = |p: &Profile| p.proxy.as_ref().map_or((false, 0, 0), |s| (s.enabled, s.routes.len() + s.aliases.len(), s.keys.len()));
    let (now, then) = (less(&profile), less(&before));
    match planned {
        Ok(plan) => warnings.extend(plan.warnings),
        Err(_) if resolved.proxy == Use::Off && (now < then || profile.proxy == before.proxy) => {}
        Err(error) => return Err(error),
    }
    if profile != before {
        app.profiles.replace(&profile)?;
        app.bus.publish("profile/changed", profile.alias.as_str());
        // A new engine may take its time.
        drop(lock);
        warnings.extend(run::refresh(app, caller, &profile));
    }
    let mut routing = look::describe(app, caller, &profile)?;
    if resolved.proxy == Use::Off && profile.proxy.is_some() {
        warnings.push(format!("profile {alias} uses no proxy yet; enable it: clown proxy enable {alias}"));
    }
    routing.warnings = warnings;
    Ok(routing)
}
