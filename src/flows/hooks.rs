//! Hooks of a profile: kept with it, and rendered into the agent's own file in its home.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use super::place;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        url,
    },
    profiles::{Entries, set_entries},
    wire::{
        envelope::Caller,
        hooks::{Add, Document, EXPORT_VERSION, Export, Hook, Hooks, Import, List, Remove, Row},
        manifest::{AgentHooks, AgentManifest},
        profiles::Profile,
    },
};

const MAX_HOOKS: usize = 200;
const MAX_TEXT: usize = 16 * 1024;
/// Ten minutes are the longest an agent waits by itself.
const MAX_SECONDS: u64 = 3600;

pub fn list(app: &App, ask: List, _caller: &Caller) -> Result<Hooks> {
    let profile = app.profiles.find(&ask.alias)?;
    let agent = agent(app, &profile)?;
    told(app, &profile, &agent)
}

pub fn add(app: &App, ask: Add, _caller: &Caller) -> Result<Hooks> {
    change(app, &ask.alias, |profile, spec, name| {
        check(spec, name, &ask.hook)?;
        if !profile.hooks.contains(&ask.hook) {
            profile.hooks.push(ask.hook);
        }
        Ok(())
    })
}

pub fn remove(app: &App, ask: Remove, _caller: &Caller) -> Result<Hooks> {
    change(app, &ask.alias, |profile, _, _| {
        let before = profile.hooks.len();
        profile.hooks.retain(|hook| id(hook) != ask.id);
        if profile.hooks.len() == before {
            return Err(Error::not_found(format!("profile {} has no hook {}", profile.alias, ask.id))
                .hint(format!("see its hooks: clown hooks list {}", profile.alias)));
        }
        Ok(())
    })
}

pub fn import(app: &App, ask: Import, _caller: &Caller) -> Result<Hooks> {
    let hooks = read(&ask.document)?;
    change(app, &ask.alias, |profile, spec, name| {
        for hook in hooks {
            check(spec, name, &hook)?;
            if !profile.hooks.contains(&hook) {
                profile.hooks.push(hook);
            }
        }
        Ok(())
    })
}

pub fn export(app: &App, ask: Export, _caller: &Caller) -> Result<Document> {
    let profile = app.profiles.find(&ask.alias)?;
    Ok(Document { version: EXPORT_VERSION, agent: profile.agent, hooks: profile.hooks })
}

/// Makes the agent's file have the profile's hooks, unless an agent runs in the home: then `false`.
pub(crate) fn render(app: &App, profile: &Profile, agent: &AgentManifest) -> Result<bool> {
    let Some(spec) = &agent.agent_hooks else { return Ok(true) };
    if place::live_sessions(app, profile.alias.as_str())? > 0 {
        return Ok(false);
    }
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for hook in &profile.hooks {
        lists.entry(hook.event.clone()).or_default().push(entry(hook));
    }
    set_entries(Path::new(&profile.home), &Entries { file: file(agent, spec), format: spec.format, table: "hooks".into(), lists })?;
    Ok(true)
}

/// The file of the agent that has the profile's hooks, relative to the profile home.
pub(crate) fn written(profile: &Profile, agent: &AgentManifest) -> Option<String> {
    agent.agent_hooks.as_ref().filter(|_| !profile.hooks.is_empty()).map(|spec| file(agent, spec))
}

fn file(agent: &AgentManifest, spec: &AgentHooks) -> String {
    format!("{}/{}", agent.isolation.config_dir.trim_end_matches('/'), spec.file)
}

/// As the agents write it: a matcher with what it calls.
fn entry(hook: &Hook) -> Value {
    let mut call = match (&hook.command, &hook.url) {
        (_, Some(url)) => json!({ "type": "http", "url": url }),
        (command, None) => json!({ "type": "command", "command": command }),
    };
    if let Some(seconds) = hook.timeout {
        call["timeout"] = seconds.into();
    }
    let mut entry = serde_json::Map::new();
    entry.extend(hook.matcher.as_ref().map(|matcher| ("matcher".to_owned(), matcher.as_str().into())));
    entry.insert("hooks".into(), json!([call]));
    Value::Object(entry)
}

fn change(app: &App, alias: &str, change: impl FnOnce(&mut Profile, &AgentHooks, &str) -> Result<()>) -> Result<Hooks> {
    let _lock = app.profiles.lock()?;
    let mut profile = app.profiles.find(alias)?;
    let before = profile.clone();
    let agent = agent(app, &profile)?;
    let Some(spec) = &agent.agent_hooks else { return Err(none(&agent)) };
    change(&mut profile, spec, &agent.name)?;
    if profile.hooks.len() > MAX_HOOKS {
        return Err(Error::invalid(format!("a profile has at most {MAX_HOOKS} hooks")));
    }
    app.profiles.replace(&profile)?;
    if let Err(error) = render(app, &profile, &agent) {
        app.profiles.replace(&before)?;
        return Err(error);
    }
    app.bus.publish("profile/changed", profile.alias.as_str());
    told(app, &profile, &agent)
}

fn agent(app: &App, profile: &Profile) -> Result<AgentManifest> {
    Ok((*app.manifests.snapshot().agent(profile.agent.as_str())?.item).clone())
}

fn none(agent: &AgentManifest) -> Error {
    Error::unsupported(format!("{} has no hooks that call a command or an address", agent.name))
        .hint("clown's own plugins hear of every run: clown plugins --help")
}

fn told(app: &App, profile: &Profile, agent: &AgentManifest) -> Result<Hooks> {
    let Some(spec) = &agent.agent_hooks else { return Err(none(agent)) };
    Ok(Hooks {
        hooks: profile.hooks.iter().map(|hook| Row { id: id(hook), hook: hook.clone() }).collect(),
        file: Path::new(&profile.home).join(file(agent, spec)).display().to_string(),
        events: spec.events.iter().map(|event| event.name.clone()).collect(),
        later: place::live_sessions(app, profile.alias.as_str())? > 0,
        notes: spec.note.iter().filter(|_| !profile.hooks.is_empty()).cloned().collect(),
    })
}

fn id(hook: &Hook) -> String {
    let text = serde_json::to_vec(hook).unwrap_or_default();
    blake3::hash(&text).to_hex().chars().take(8).collect()
}

/// Whether an agent with these hooks can have this one.
pub(crate) fn check(spec: &AgentHooks, agent: &str, hook: &Hook) -> Result<()> {
    let Some(event) = spec.events.iter().find(|event| event.name == hook.event) else {
        let known: Vec<&str> = spec.events.iter().map(|event| event.name.as_str()).collect();
        return Err(Error::invalid(format!("{agent} has no event {:?}", hook.event))
            .did_you_mean(&hook.event, known.iter().copied())
            .hint(format!("its events: {}", known.join(", "))));
    };
    if hook.matcher.is_some() && !event.matcher {
        return Err(Error::invalid(format!("the event {} of {agent} takes no matcher", event.name)).hint("leave --matcher out"));
    }
    match (&hook.command, &hook.url) {
        (Some(command), None) if command.trim().is_empty() => return Err(Error::invalid("the hook's command is empty")),
        (Some(_), None) => {}
        (None, Some(_)) if !event.url => {
            return Err(Error::unsupported(format!("{agent} calls no address at {}", event.name)).hint("give a command: --command"));
        }
        (None, Some(url)) if url::host(url).is_none() => {
            return Err(Error::invalid("the address of a hook begins with http:// or https:// and has a host"));
        }
        (None, Some(_)) => {}
        _ => return Err(Error::invalid("a hook calls a command or an address, and not both").hint("give --command or --url")),
    }
    let texts = [&hook.matcher, &hook.command, &hook.url];
    if texts.into_iter().flatten().any(|text| text.contains('\0') || text.len() > MAX_TEXT) {
        return Err(Error::invalid("a text of the hook is too long or holds NUL"));
    }
    match hook.timeout {
        Some(seconds) if !(1..=MAX_SECONDS).contains(&seconds) => {
            Err(Error::invalid(format!("the time limit of a hook is 1 to {MAX_SECONDS} seconds")))
        }
        _ => Ok(()),
    }
}

/// An export of clown's, or the `hooks` of an agent's settings.
fn read(document: &Value) -> Result<Vec<Hook>> {
    let unknown = || {
        Error::invalid("this is no document with hooks")
            .hint("it is what clown hooks export prints, or an agent's settings with a table `hooks`")
    };
    if document.get("version").is_some() {
        let document: Document = serde_json::from_value(document.clone()).map_err(|e| unknown().cause(e))?;
        if document.version > EXPORT_VERSION {
            return Err(
                Error::invalid(format!("these hooks were exported by a newer clown (version {})", document.version)).hint("update clown")
            );
        }
        return Ok(document.hooks);
    }
    let mut hooks = Vec::new();
    for (event, groups) in document.get("hooks").and_then(Value::as_object).ok_or_else(unknown)? {
        for group in groups.as_array().ok_or_else(unknown)? {
            for call in group["hooks"].as_array().ok_or_else(unknown)? {
                let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
                let (command, url) = match call["type"].as_str() {
                    Some("command") => (text(&call["command"]), None),
                    Some("http") => (None, text(&call["url"])),
                    other => {
                        return Err(Error::unsupported(format!(
                            "a hook of type {:?} at {event} cannot be imported",
                            other.unwrap_or_default()
                        ))
                        .hint("clown keeps hooks of type command and http"));
                    }
                };
                hooks.push(Hook {
                    event: event.clone(),
                    matcher: text(&group["matcher"]),
                    command,
                    url,
                    timeout: call["timeout"].as_u64(),
                });
            }
        }
    }
    Ok(hooks)
}
