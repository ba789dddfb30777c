//! Makes a profile: everything is checked first, and a failure leaves no profile, home, key or event.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;

use super::{
    hooks,
    keys::{self, Taken},
    lifecycle::{self, Event},
    place,
    resolve::{Resolved, resolve},
    templates, trust,
};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        secret::Secret,
    },
    manifests::Snapshot,
    profiles::purge,
    wire::{
        envelope::Caller,
        hooks::Hook,
        ids::{Alias, McpName},
        manifest::AgentManifest,
        mcp,
        profiles::{Create, Created, Credential, Profile, STORED_VERSION, Settings},
        proxy,
    },
};

pub fn create(app: &App, ask: Create, caller: &Caller) -> Result<Created> {
    let proxy = ask.proxy.then(|| proxy::Settings { enabled: true, ..proxy::Settings::default() });
    create_with(app, ask, Beside { proxy, ..Beside::default() }, caller)
}

/// What a profile has that no creation names.
#[derive(Default)]
pub(crate) struct Beside {
    pub proxy: Option<proxy::Settings>,
    pub mcp: BTreeMap<McpName, mcp::Server>,
    pub hooks: Vec<Hook>,
}

pub(crate) fn create_with(app: &App, ask: Create, beside: Beside, caller: &Caller) -> Result<Created> {
    let alias = Alias::parse(&ask.alias)?;
    let snapshot = app.manifests.snapshot();
    let agent = snapshot.agent(&ask.agent)?.item.clone();
    let provider = snapshot.provider(&ask.provider)?.item.clone();
    let home = app.paths.profile_home(&place::user_home(caller)?, &agent.id, &alias);
    let mut profile = Profile {
        version: STORED_VERSION,
        alias,
        agent: agent.id.clone(),
        provider: provider.id.clone(),
        endpoint: None,
        model: None,
        isolation: agent.isolation.default,
        home: home.to_str().ok_or_else(|| Error::invalid("the home directory's path is not valid UTF-8"))?.to_owned(),
        credential: Credential::None,
        approved_hosts: Vec::new(),
        proxy: beside.proxy,
        args: Vec::new(),
        env: Default::default(),
        preferences: Default::default(),
        mcp: beside.mcp,
        hooks: beside.hooks,
        created: app.now(),
        last_used: None,
        rest: serde_json::Map::new(),
    };
    let template = ask.template.map(|name| templates::take(app, &snapshot, &agent, &name)).transpose()?;
    let settings = match &template {
        Some(template) => template.below(ask.settings),
        None => ask.settings,
    };
    apply_settings(&mut profile, settings)?;
    profile.hooks.extend(template.iter().flat_map(|t| t.hooks.iter().cloned()));

    let _lock = app.profiles.lock()?;
    app.profiles.require_free(&profile.alias)?;
    let resolved = resolve(&snapshot, &profile)?;
    let mut warnings = resolved.warnings.clone();
    let taken = keys::take(app, &resolved, ask.key, &mut warnings)?;
    profile.approved_hosts = if resolved.needs_key() { resolved.hosts() } else { Vec::new() };
    super::proxy::check(app, &snapshot, &profile, &resolved)?;
    trust::require_commands(app, &resolved.agent)?;
    let output = set_up(app, &snapshot, &profile, &resolved)?;
    let from_template = template.as_ref().map(|t| t.output.clone()).unwrap_or_default();
    let mut notes: Vec<String> = resolved.proxy_note().into_iter().collect();
    notes.extend(template.iter().flat_map(templates::Taken::notes));
    notes.extend(about(&resolved.agent.item));
    notes.extend(resolved.provider.item.caveats.iter().cloned());
    let fresh = std::fs::symlink_metadata(&home).is_err();
    if !fresh {
        warnings.push(format!("{} exists already and is used as it is", home.display()));
    }
    if ask.dry_run {
        if let Taken::Ready(credential) = taken {
            profile.credential = credential;
        }
        let hooked = hooks::written(&profile, &agent);
        let files = once_each(output.files.into_iter().chain(from_template.files).map(|f| f.path).chain(hooked));
        return Ok(Created { profile, files, warnings, notes, dry_run: true });
    }

    let key: Option<Secret> = match taken {
        Taken::Ready(credential) => {
            profile.credential = credential;
            None
        }
        Taken::Store(key) => {
            profile.credential = keys::store(app, caller, &profile.provider, &profile.alias, &key)?;
            Some(key)
        }
    };
    let commit = || -> Result<Vec<String>> {
        warnings.extend(place::ready(app, &snapshot, caller, &profile, &resolved)?);
        let mut files = place::write_files(app, &profile, &output, fill(app, caller, &profile, &resolved, key.as_ref())?.as_ref(), false)?;
        // Behind the script's: what both name is the script's first.
        files.extend(place::write_files(app, &profile, &from_template, None, false)?);
        hooks::render(app, &profile, &agent)?;
        files.extend(hooks::written(&profile, &agent));
        lifecycle::run(app, &profile, &resolved.agent, Event::Create, caller, json!({}))?;
        app.profiles.create(&profile)?;
        Ok(once_each(files))
    };
    let mut commit = commit;
    match commit() {
        Ok(files) => {
            app.bus.publish("profile/created", profile.alias.as_str());
            Ok(Created { profile, files, warnings, notes, dry_run: false })
        }
        Err(error) => {
            let mut error = error;
            if key.is_some()
                && let Err(left) = keys::release(app, caller, &profile.credential)
            {
                error = error.hint(format!("the key just stored could not be removed again: {left}"));
            }
            if fresh {
                if let Err(left) = purge(Path::new(&profile.home)) {
                    error = error.hint(format!("the new home could not be removed again: {left}"));
                }
                let _ = std::fs::remove_dir_all(app.paths.profile_tmp(&app.runtime, &profile.agent, &profile.alias));
            }
            Err(error)
        }
    }
}

fn once_each(paths: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for path in paths {
        if !all.contains(&path) {
            all.push(path);
        }
    }
    all
}

/// The key that files need filled in: the one just given, or the one already kept.
pub(crate) fn fill(app: &App, caller: &Caller, profile: &Profile, resolved: &Resolved, given: Option<&Secret>) -> Result<Option<Secret>> {
    if resolved.proxy != proxy::Use::Off {
        // The agent's files never get to see it.
        return Ok(None);
    }
    if let Some(key) = given {
        return Ok(Some(Secret::new(key.expose().to_owned())));
    }
    match keys::for_run(app, &caller.env, profile, resolved)? {
        keys::ForRun::Held(key) => Ok(Some(key)),
        _ => Ok(None),
    }
}

/// The script's answer for a profile that is not running.
pub(crate) fn set_up(app: &App, snapshot: &Snapshot, profile: &Profile, resolved: &Resolved) -> Result<crate::wire::scripts::Output> {
    trust::require_script(app, snapshot, &resolved.script)?;
    let context = resolved.context(app, profile, None, None)?;
    app.scripts.run(resolved.script.item.name.as_str(), &resolved.script.item.source, &context)
}

/// Puts settings of a create or edit call into a profile.
pub(crate) fn apply_settings(profile: &mut Profile, settings: Settings) -> Result<()> {
    let Settings { endpoint, model, isolation, args, env, preferences } = settings;
    if endpoint.is_some() {
        profile.endpoint = endpoint;
    }
    if model.is_some() {
        profile.model = model;
    }
    if let Some(isolation) = isolation {
        profile.isolation = isolation;
    }
    if let Some(args) = args {
        if args.iter().any(|a| a.contains('\0')) {
            return Err(Error::invalid("an argument holds a NUL character"));
        }
        profile.args = args;
    }
    for (name, value) in env {
        if !crate::base::env_names::env_name_allowed(&name) {
            return Err(Error::invalid(format!("the variable {name:?} cannot be set by a profile"))
                .hint("clown sets HOME, TMPDIR and the XDG directories itself, and keeps PATH and loader variables as they are"));
        }
        if value.as_ref().is_some_and(|v| v.contains('\0')) {
            return Err(Error::invalid(format!("the value of {name} holds a NUL character")));
        }
        match value {
            Some(value) => profile.env.insert(name, value),
            None => profile.env.remove(&name),
        };
    }
    for (name, value) in preferences {
        match value {
            Some(value) => profile.preferences.insert(name, value),
            None => profile.preferences.remove(&name),
        };
    }
    Ok(())
}

/// What its manifest says a user should know.
fn about(agent: &AgentManifest) -> impl Iterator<Item = String> {
    let untested =
        agent.tested.is_none().then(|| format!("clown's tests have never run {}: its set-up follows what is known of it.", agent.name));
    agent.caveats.iter().cloned().chain(untested)
}
