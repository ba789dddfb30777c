//! Instances: opened for a run, started and stopped by hand, renewed after a change.

use std::{collections::BTreeMap, path::Path};

use super::plan::{self, Fetched};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        paths::Paths,
        secret::Secret,
    },
    flows::{
        place::live_sessions,
        resolve::{Resolved, resolve},
    },
    profiles::prepare,
    proxy::{
        manager::{Held, Program, Range},
        token::Master,
    },
    wire::{
        envelope::Caller,
        error::Code,
        profiles::Profile,
        proxy::{Instance, Keys, NeededKey, Start, Started, State, Stop, Stopped, Use},
        secret::KeyText,
    },
};

/// A port may be taken between our leaving it and an external engine's binding it.
const TRIES: usize = 3;

/// What an agent needs to use its proxy.
pub(crate) struct Opened {
    pub port: u16,
    /// Opens the proxy to one session.
    pub token: Secret,
    /// Keys that must come before it starts.
    pub needs: Vec<NeededKey>,
}

/// Has the instance of a profile serve, with the profile's settings as they are now. `session` is a
/// UUID. When keys must come from the client, the port is held and nothing else is done.
pub(crate) fn open(app: &App, caller: &Caller, profile: &Profile, resolved: &Resolved, session: &str) -> Result<Opened> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (held, program, needs) = match serve(app, caller, profile, resolved, &BTreeMap::new(), false) {
            Ok(served) => served,
            Err(error) if error.code() == Code::Conflict && tries < TRIES => continue,
            Err(error) => return Err(error),
        };
        // A program of other make knows nothing of sessions.
        let token = match program {
            Program::Embedded => Secret::new(Master::new(held.master).token(session)),
            Program::External(_) => held.master,
        };
        return Ok(Opened { port: held.port, token, needs });
    }
}

fn serve(
    app: &App,
    caller: &Caller,
    profile: &Profile,
    resolved: &Resolved,
    given: &BTreeMap<String, KeyText>,
    anew: bool,
) -> Result<(Held, Program, Vec<NeededKey>)> {
    let alias = profile.alias.as_str();
    let snapshot = app.manifests.snapshot();
    // What is wrong is told before a port is taken.
    plan::checked(app, &snapshot, profile, resolved, 0)?;
    prepare(Path::new(&profile.home), &[Paths::PROXY_DIR.to_owned(), format!("{}/logs", Paths::PROXY_DIR)])?;
    let held = app.proxies.hold(alias, ports(app)?)?;
    let plan = plan::checked(app, &snapshot, profile, resolved, held.port)?;
    let launch = plan.launch(app, profile, held.port, None)?;
    let program = launch.program.clone();
    let seen = app.proxies.seen(alias);
    let current = seen.state == State::Running && seen.mark.as_ref() == Some(&launch.mark);
    if current && !anew && !plan.needs_client() {
        return Ok((held, program, Vec::new()));
    }
    let Fetched { keys, needs } = plan.fetch(app, &caller.env, given)?;
    if needs.is_empty() {
        app.proxies.launch(alias, plan.launch(app, profile, held.port, Some(keys))?, anew)?;
    }
    Ok((held, program, needs))
}

fn ports(app: &App) -> Result<Range> {
    let port = |key| -> Result<u16> {
        let number = app.config.number(key)?;
        u16::try_from(number)
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| Error::invalid(format!("{key} cannot be {number}")).hint(format!("use 1 to 65535: clown config set {key} N")))
    };
    let range = Range { first: port("proxy.first_port")?, last: port("proxy.last_port")? };
    if range.first > range.last {
        return Err(Error::invalid(format!("proxy.first_port {} is above proxy.last_port {}", range.first, range.last))
            .hint("clown config unset proxy.first_port; clown config unset proxy.last_port"));
    }
    Ok(range)
}

/// A profile that has a proxy, with its manifests.
pub(super) fn proxied(app: &App, alias: &str) -> Result<(Profile, Resolved)> {
    let profile = app.profiles.find(alias)?;
    let resolved = resolve(&app.manifests.snapshot(), &profile)?;
    if resolved.proxy == Use::Off {
        return Err(Error::conflict(format!("profile {alias} uses no proxy")).hint(format!("enable it: clown proxy enable {alias}")));
    }
    Ok((profile, resolved))
}

pub fn start(app: &App, ask: Start, caller: &Caller) -> Result<Started> {
    let (profile, resolved) = proxied(app, &ask.alias)?;
    let (_, _, needs) = serve(app, caller, &profile, &resolved, &BTreeMap::new(), ask.restart)?;
    if ask.restart && !needs.is_empty() {
        // It comes back with the keys.
        app.proxies.stop(profile.alias.as_str())?;
        app.proxies.hold(profile.alias.as_str(), ports(app)?)?;
    }
    Ok(Started { instance: super::look::instance(app, &profile, resolved.proxy)?, needs })
}

pub fn keys(app: &App, ask: Keys, caller: &Caller) -> Result<Started> {
    let (profile, resolved) = proxied(app, &ask.alias)?;
    let (_, _, needs) = serve(app, caller, &profile, &resolved, &ask.keys, false)?;
    if let Some(missing) = needs.first() {
        return Err(Error::conflict(format!("the proxy of {} needs another key now: {}", ask.alias, missing.name))
            .hint("its routes or keys were changed meanwhile; try again"));
    }
    Ok(Started { instance: super::look::instance(app, &profile, resolved.proxy)?, needs })
}

pub fn stop(app: &App, ask: Stop, _caller: &Caller) -> Result<Stopped> {
    let aliases = match ask.alias {
        Some(alias) => vec![app.profiles.find(&alias)?.alias.to_string()],
        None => app.proxies.known(),
    };
    // Each may take its five seconds; together they take no longer.
    let stopped = std::thread::scope(|scope| {
        let ends: Vec<_> = aliases.iter().map(|alias| scope.spawn(move || (alias, app.proxies.stop(alias)))).collect();
        ends.into_iter().filter_map(|end| end.join().ok()).collect::<Vec<_>>()
    });
    let mut names = Vec::new();
    for (alias, was_there) in stopped {
        if was_there? {
            names.push(alias.clone());
        }
    }
    Ok(Stopped { stopped: names })
}

/// After a change of the profile: what runs is changed with it. A warning when that must wait.
pub(crate) fn refresh(app: &App, caller: &Caller, profile: &Profile) -> Option<String> {
    let alias = profile.alias.as_str();
    let seen = app.proxies.seen(alias);
    let (State::Running | State::Restarting, Some(port)) = (seen.state, seen.port) else { return None };
    let renew = || -> Result<()> {
        let snapshot = app.manifests.snapshot();
        let resolved = resolve(&snapshot, profile)?;
        if resolved.proxy == Use::Off {
            return retire(app, alias);
        }
        let plan = plan::checked(app, &snapshot, profile, &resolved, port)?;
        let keys = if plan.needs_client() { None } else { Some(plan.fetch(app, &caller.env, &BTreeMap::new())?.keys) };
        app.proxies.launch(alias, plan.launch(app, profile, port, keys)?, false)
    };
    renew().err().map(|error| format!("the running proxy goes on as it was until it is started again: {error}"))
}

/// Ends an instance that its profile needs no more. Under a live session it stays until it is unused.
pub(super) fn retire(app: &App, alias: &str) -> Result<()> {
    if live_sessions(app, alias)? == 0 {
        app.proxies.stop(alias)?;
    }
    Ok(())
}

pub(super) fn row(app: &App, profile: &Profile, used: Use, sessions: usize) -> Instance {
    let seen = app.proxies.seen(profile.alias.as_str());
    let home = Path::new(&profile.home);
    Instance {
        alias: profile.alias.to_string(),
        used,
        state: seen.state,
        port: seen.port,
        pid: seen.pid,
        engine: seen.engine,
        since: seen.since,
        restarts: seen.restarts,
        sessions,
        config: Paths::proxy_config(home).display().to_string(),
        log: Paths::proxy_log(home).display().to_string(),
        problem: seen.problem,
    }
}
