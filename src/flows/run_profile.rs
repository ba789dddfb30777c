//! Plans runs of agents and keeps their records. The client starts the process; see `cli/run.rs`.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;

use super::{
    budgets, hooks,
    keys::{self, ForRun},
    lifecycle::{self, Event},
    mcp, place, plugins, project_code, proxy,
    resolve::{Resolved, resolve},
    trust,
};
use crate::{
    agents::find_program,
    app::App,
    base::{
        env_names::env_name_allowed,
        error::{Error, Result},
        os,
        paths::{Paths, REAL_HOME_VAR},
        secret::Secret,
        url,
    },
    manifests::Snapshot,
    profiles::Store,
    wire::{
        Done,
        envelope::Caller,
        manifest::{AgentManifest, Isolation, ProviderKind},
        profiles::Profile,
        proxy::{NeededKey, Use},
        runs::{Begin, Ended, Env, EnvChange, EnvReply, Exit, KEY_PLACEHOLDER, KeySource, Plan, Started},
        scripts::{Output, RunCtx},
        secret::KeyText,
        sessions::{Process, STORED_VERSION, Session, State},
    },
};

pub fn begin(app: &App, ask: Begin, caller: &Caller) -> Result<Plan> {
    let mut profile = app.profiles.find(&ask.alias)?;
    if let Some(name) = ask.env.keys().find(|name| !env_name_allowed(name)) {
        return Err(Error::refused(format!("the variable {name} may not be set for a run")).hint("leave it out"));
    }
    profile.env.extend(ask.env);
    let snapshot = app.manifests.snapshot();
    let resolved = resolve(&snapshot, &profile)?;
    let agent = &resolved.agent.item;
    let path = caller.env.get("PATH").map(String::as_str).unwrap_or_default();
    let program = app.detector.find(agent, path)?.ok_or_else(|| {
        let what = match find_program(&agent.binaries, path) {
            Some(other) => format!("{} is another agent", other.display()),
            None => format!("no {} on PATH", agent.binaries.join(" or ")),
        };
        Error::not_found(format!("{} is not installed: {what}", agent.name)).hint(format!("install it: {}", agent.install.hint))
    })?;
    project_code::check(app, &profile, &resolved, caller)?;
    let told = budgets::before_run(app, profile.alias.as_str())?;
    trust::require_commands(app, &resolved.agent)?;
    let id = uuid::Uuid::now_v7().to_string();
    plugins::before_run(app, &profile, &ask.args, caller)?;
    let version = app.detector.cached_version(&program);
    let mut made = environment(app, &snapshot, caller, &profile, &resolved, version.clone(), &id)?;
    made.warnings.extend(told);
    lifecycle::run(app, &profile, &resolved.agent, Event::PreRun, caller, json!({ "session": id }))?;
    // What the proxy gets from the caller's environment is not for the agent.
    made.env.remove.extend(made.proxy_needs.iter().filter_map(|need| match &need.source {
        KeySource::Env { var } => Some(var.clone()),
        KeySource::Command { .. } => None,
    }));
    let started = app.now();
    let session = Session {
        version: STORED_VERSION,
        id: id.clone(),
        state: State::Starting,
        profile: profile.alias.to_string(),
        agent: agent.id.to_string(),
        agent_version: version,
        provider: profile.provider.to_string(),
        model: resolved.model.clone(),
        cwd: caller.cwd.clone(),
        process: None,
        client: Some(process(caller.pid)),
        started,
        ended: None,
        exit: None,
        usage: None,
        rest: serde_json::Map::new(),
    };
    app.sessions.open(session.clone())?;
    app.host.watch(&session);
    // The home may be new.
    app.usage.changed();
    let args = made.args.into_iter().chain(profile.args.iter().cloned()).chain(ask.args).collect();
    let program = program.to_str().ok_or_else(|| Error::invalid("the agent's path is not valid UTF-8"))?.to_owned();
    Ok(Plan { session: id, program, args, env: made.env, proxy_needs: made.proxy_needs, warnings: made.warnings })
}

pub fn started(app: &App, ask: Started, _caller: &Caller) -> Result<Done> {
    let session = app.sessions.update(&ask.session, |session| {
        session.state = State::Running;
        session.process = Some(process(ask.pid));
    })?;
    if let Some(session) = session {
        app.bus.publish("session/started", &session.id);
        app.host.watch(&session);
        // For people, and two writes to disk: not while the client waits.
        let (store, alias, now) = (app.profiles.clone(), session.profile.clone(), app.now());
        app.host.later(Box::new(move || {
            if let Err(error) = touch(&store, &alias, now) {
                tracing::warn!(%error, profile = %alias, "the time of last use was not noted");
            }
        }));
    }
    Ok(Done {})
}

fn process(pid: u32) -> Process {
    Process { pid, started: os::process_start(pid) }
}

fn touch(store: &Store, alias: &str, now: String) -> Result<()> {
    let _lock = store.lock()?;
    // Deleted or renamed meanwhile.
    let Ok(mut profile) = store.find(alias) else { return Ok(()) };
    profile.last_used = Some(now);
    store.replace(&profile)
}

pub fn ended(app: &App, ask: Ended, _caller: &Caller) -> Result<Done> {
    close(app, &ask.session, ask.exit)?;
    Ok(Done {})
}

/// Closes a record and everything that lived with it. Closing twice is no error.
pub fn close(app: &App, session: &str, exit: Exit) -> Result<()> {
    app.tokens.revoke(session);
    if let Some(closed) = app.sessions.close(session, exit, app.now())? {
        app.bus.publish("session/ended", session);
        super::usage::close(app, session);
        lifecycle::after_run(app, &closed, exit);
    }
    Ok(())
}

/// The environment of a profile for a shell. Opens no session; a token for the local model lives as
/// long as the daemon.
pub fn env(app: &App, ask: Env, caller: &Caller) -> Result<EnvReply> {
    let profile = app.profiles.find(&ask.alias)?;
    let snapshot = app.manifests.snapshot();
    let resolved = resolve(&snapshot, &profile)?;
    let owner = match resolved.proxy {
        Use::Off => format!("env/{}", profile.alias),
        // Tokens of proxies name a session; this is one that nobody records.
        _ => uuid::Uuid::new_v4().to_string(),
    };
    let mut made = environment(app, &snapshot, caller, &profile, &resolved, None, &owner)?;
    if ask.masked {
        for name in &made.secret_names {
            made.env.set.insert(name.clone(), KeyText::new("••••".to_owned()));
        }
    }
    Ok(EnvReply { env: made.env, secret_names: made.secret_names, proxy_needs: made.proxy_needs, warnings: made.warnings })
}

struct Made {
    env: EnvChange,
    args: Vec<String>,
    secret_names: Vec<String>,
    proxy_needs: Vec<NeededKey>,
    warnings: Vec<String>,
}

/// Everything between a profile and a process: key, script, home, variables.
fn environment(
    app: &App,
    snapshot: &Snapshot,
    caller: &Caller,
    profile: &Profile,
    resolved: &Resolved,
    agent_version: Option<String>,
    owner: &str,
) -> Result<Made> {
    keys::check_hosts(profile, resolved)?;
    trust::require_script(app, snapshot, &resolved.script)?;
    let offline = resolved.provider.item.kind == ProviderKind::Offline;
    let (key, port, proxy_needs) = if resolved.proxy != Use::Off {
        // The provider's key is the proxy's; the agent gets what opens the proxy.
        let opened = proxy::open(app, caller, profile, resolved, owner)?;
        (ForRun::Held(opened.token), Some(opened.port), opened.needs)
    } else if offline {
        (ForRun::Held(app.tokens.issue(owner)?), Some(app.host.offline_port()?), Vec::new())
    } else {
        (keys::for_run(app, &caller.env, profile, resolved)?, None, Vec::new())
    };
    let mut context = resolved.context(app, profile, agent_version, port)?;
    let servers = mcp::for_run(app, caller, profile, resolved)?;
    let clown = std::env::current_exe().map_err(|e| Error::io("clown's own program is not found").cause(e))?;
    // As the system says it of a program that an upgrade replaced.
    let clown = text(&clown)?.trim_end_matches(" (deleted)").to_owned();
    context.run = Some(RunCtx { cwd: caller.cwd.clone(), clown, mcp: servers.servers });
    let output = app.scripts.run(resolved.script.item.name.as_str(), &resolved.script.item.source, &context)?;
    let mut warnings = resolved.warnings.clone();
    warnings.extend(servers.warnings);
    warnings.extend(place::ready(app, snapshot, caller, profile, resolved)?);
    let (held, source) = match key {
        ForRun::None => (None, None),
        ForRun::Held(key) => (Some(key), None),
        ForRun::Client(source) => (None, Some(source)),
    };
    place::write_files(app, profile, &output, held.as_ref(), false)?;
    if let Err(error) = hooks::render(app, profile, &resolved.agent.item) {
        warnings.push(format!("this run may be without the profile's hooks: {error}"));
    }

    let mut set = placed(app, caller, profile, &resolved.agent.item)?;
    let mut secret_names: Vec<String> = output.env.iter().filter(|(_, v)| v.contains(KEY_PLACEHOLDER)).map(|(k, _)| k.clone()).collect();
    secret_names.extend(servers.set.keys().cloned());
    set.extend(script_env(&output, held.as_ref()));
    if resolved.base_url(port).and_then(|u| url::host(&u)).is_some_and(|h| url::is_loopback(&h)) {
        set.extend(no_proxy(caller));
    }
    set.extend(profile.env.clone());
    set.extend(servers.set.into_iter().map(|(name, key)| (name, key.expose().to_owned())));
    let env = EnvChange {
        // A run inside of another has servers of its own.
        remove: resolved.agent.item.isolation.strip_env.iter().cloned().chain([mcp::VARIABLES.to_owned()]).collect(),
        set: set.into_iter().map(|(k, v)| (k, KeyText::new(v))).collect(),
        key: source,
        fetch: servers.fetch,
    };
    Ok(Made { env, args: output.args, secret_names, proxy_needs, warnings })
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| Error::invalid(format!("the path {} is not valid UTF-8", path.display())))
}

fn script_env(output: &Output, key: Option<&Secret>) -> BTreeMap<String, String> {
    let fill = |value: &String| key.map_or_else(|| value.clone(), |key| value.replace(KEY_PLACEHOLDER, key.expose()));
    output.env.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
}

/// Variables that place the agent: HOME, base directories, TMPDIR and the agent's own.
pub(crate) fn placed(app: &App, caller: &Caller, profile: &Profile, agent: &AgentManifest) -> Result<BTreeMap<String, String>> {
    let home = Path::new(&profile.home);
    let mut set = BTreeMap::new();
    if profile.isolation == Isolation::HomeWrapper {
        set.insert("HOME".to_owned(), profile.home.clone());
        if cfg!(windows) {
            set.insert("USERPROFILE".to_owned(), profile.home.clone());
        }
        for (var, below) in place::BASE_DIRS {
            set.insert((*var).to_owned(), text(&home.join(below))?);
        }
    }
    for (var, below) in &agent.isolation.env {
        set.insert(var.clone(), text(&Paths::in_home(home, below))?);
    }
    for (var, dir) in place::shared(app, agent) {
        set.insert(var, text(&dir)?);
    }
    set.insert("TMPDIR".to_owned(), text(&app.paths.profile_tmp(&os::temp_dir(&app.runtime), &profile.agent, &profile.alias))?);
    // A clown called by the agent's tools must not take the profile's home for the user's.
    set.insert(REAL_HOME_VAR.to_owned(), text(&place::user_home(caller)?)?);
    set.insert("CLOWN_PROFILE".to_owned(), profile.alias.to_string());
    Ok(set)
}

/// A proxy for the outside must not catch requests to this machine.
fn no_proxy(caller: &Caller) -> BTreeMap<String, String> {
    ["NO_PROXY", "no_proxy"]
        .into_iter()
        .map(|name| {
            let before = caller.env.get(name).map(String::as_str).unwrap_or_default();
            let missing = ["127.0.0.1", "localhost"].into_iter().filter(|host| !before.split(',').any(|b| b.trim() == *host));
            let all: Vec<&str> = Some(before).into_iter().filter(|b| !b.is_empty()).chain(missing).collect();
            (name.to_owned(), all.join(","))
        })
        .collect()
}
