//! MCP servers: kept for one profile or for all, and handed to a run.

use std::collections::{BTreeMap, BTreeSet};

use super::{keys, resolve::Resolved};
use crate::{
    app::App,
    base::{
        env_names::env_name_allowed,
        error::{Error, Result},
        redact::looks_like_key,
        secret::{Secret, clean_key},
        url,
    },
    wire::{
        envelope::Caller,
        ids::McpName,
        manifest::AgentManifest,
        mcp::{Add, Added, List, Place, Remove, Removed, Row, Server, Servers, Transport, Value},
        profiles::{Credential, Profile},
        runs::KeySource,
        scripts::McpCtx,
        secret::KeyText,
    },
};

/// Names of the variables that hold servers' keys.
pub(crate) const VARIABLES: &str = "CLOWN_MCP_*";
/// Of one profile's run.
const MAX_SERVERS: usize = 64;

pub fn add(app: &App, ask: Add, caller: &Caller) -> Result<Added> {
    let Add { name, profile, mut server, secrets, plain, replace } = ask;
    check(&name, &server, &secrets, plain)?;
    let lock = app.profiles.lock()?;
    let mut of = profile.as_deref().map(|alias| app.profiles.find(alias)).transpose()?;
    let before = match &of {
        Some(profile) => profile.mcp.get(&name).cloned(),
        None => app.mcp.read()?.servers.get(&name).cloned(),
    };
    if before.is_some() && !replace {
        return Err(Error::exists(format!("there is an MCP server {name} already"))
            .hint("look at it: clown mcp list")
            .hint("take its place with --replace, or choose another name"));
    }
    if let Some(profile) = &of {
        let agent = app.manifests.snapshot().agent(profile.agent.as_str())?.item.clone();
        if !agent.supports.takes(server.place.transport()) {
            return Err(cannot_take(&agent, &server));
        }
    }
    let owner = profile.as_deref().unwrap_or("all");
    let mut stored = Vec::new();
    let commit = || -> Result<()> {
        for (value, key) in secrets {
            let credential = keys::store_as(app, caller, &format!("mcp/{owner}/{name}/{value}"), &secret(&value, &key)?)?;
            stored.push(credential.clone());
            server.place.values_mut().insert(value, Value::Secret(credential));
        }
        match &mut of {
            Some(profile) => {
                profile.mcp.insert(name.clone(), server.clone());
                app.profiles.replace(profile)
            }
            None => app.mcp.change(|all| {
                all.servers.insert(name.clone(), server.clone());
                Ok(())
            }),
        }
    };
    if let Err(error) = commit() {
        release(app, caller, stored.iter());
        return Err(error);
    }
    let mut warnings = before.iter().flat_map(|old| release(app, caller, secrets_of(old))).collect::<Vec<_>>();
    drop(lock);
    app.bus.publish("mcp/changed", name.as_str());
    let row = row(app, &name, profile, server)?;
    warnings.extend(row.not_for.iter().map(|agent| format!("{agent} cannot take it; its profiles run without")));
    Ok(Added { row, warnings })
}

pub fn list(app: &App, ask: List, _caller: &Caller) -> Result<Servers> {
    let all = app.mcp.read()?.servers;
    let mut servers = Vec::new();
    match ask.profile {
        Some(alias) => {
            let profile = app.profiles.find(&alias)?;
            for (name, server) in in_force(all, &profile) {
                let own = profile.mcp.contains_key(&name).then(|| alias.clone());
                servers.push(row(app, &name, own, server)?);
            }
        }
        None => {
            for (name, server) in all {
                servers.push(row(app, &name, None, server)?);
            }
            for profile in app.profiles.list()?.0 {
                for (name, server) in profile.mcp {
                    servers.push(row(app, &name, Some(profile.alias.to_string()), server)?);
                }
            }
        }
    }
    Ok(Servers { servers })
}

pub fn remove(app: &App, ask: Remove, caller: &Caller) -> Result<Removed> {
    let Remove { name, profile } = ask;
    let lock = app.profiles.lock()?;
    let gone = match &profile {
        Some(alias) => {
            let mut profile = app.profiles.find(alias)?;
            let gone = profile.mcp.remove(&name);
            if gone.is_some() {
                app.profiles.replace(&profile)?;
            }
            gone
        }
        None if app.mcp.read()?.servers.contains_key(&name) => app.mcp.change(|all| Ok(all.servers.remove(&name)))?,
        None => None,
    };
    let Some(gone) = gone else {
        let whose = profile.map_or_else(|| "for all profiles".to_owned(), |alias| format!("of profile {alias}"));
        return Err(Error::not_found(format!("there is no MCP server {name} {whose}")).hint("see what there is: clown mcp list"));
    };
    let warnings = release(app, caller, secrets_of(&gone));
    drop(lock);
    app.bus.publish("mcp/changed", name.as_str());
    Ok(Removed { warnings })
}

/// For a profile that is deleted, after it is gone. Returns warnings.
pub(crate) fn forget(app: &App, caller: &Caller, profile: &Profile) -> Vec<String> {
    profile.mcp.values().flat_map(|server| release(app, caller, secrets_of(server))).collect()
}

/// What a run takes of the servers.
#[derive(Default)]
pub(crate) struct ForRun {
    pub servers: Vec<McpCtx>,
    /// Variables with keys that clown keeps.
    pub set: BTreeMap<String, Secret>,
    /// Variables with keys that the client fetches.
    pub fetch: BTreeMap<String, KeySource>,
    pub warnings: Vec<String>,
}

/// The servers in force for a profile, with a variable for each secret.
pub(crate) fn for_run(app: &App, caller: &Caller, profile: &Profile, resolved: &Resolved) -> Result<ForRun> {
    let agent = &resolved.agent.item;
    let mut run = ForRun::default();
    for (at, (name, server)) in in_force(app.mcp.read()?.servers, profile).into_iter().enumerate() {
        if at >= MAX_SERVERS {
            run.warnings.push(format!("only the first {MAX_SERVERS} MCP servers are handed to the agent"));
            break;
        }
        if !agent.supports.takes(server.place.transport()) {
            run.warnings.push(format!("{}; this run is without it", cannot_take(agent, &server)));
            continue;
        }
        let (mut plain, mut secret) = (BTreeMap::new(), BTreeMap::new());
        for (value, content) in server.place.values() {
            let variable = || format!("CLOWN_MCP_{at}_{}", value.to_ascii_uppercase().replace('-', "_"));
            let source = match content {
                Value::Plain(text) => {
                    plain.insert(value.clone(), text.clone());
                    continue;
                }
                Value::Secret(Credential::None) => continue,
                Value::Secret(Credential::Env { var }) => KeySource::Env { var: var.clone() },
                Value::Secret(Credential::Command { argv }) => KeySource::Command { argv: argv.clone() },
                Value::Secret(Credential::Stored { store, key }) => {
                    match app.seams.vault.store_of_kind(store, &caller.env).and_then(|s| s.get(key)) {
                        Ok(Some(key)) => drop(run.set.insert(variable(), key)),
                        Ok(None) => run.warnings.push(format!(
                            "the key {value} of the MCP server {name} is gone from its store; add the server again with --replace"
                        )),
                        Err(error) => run.warnings.push(format!("the MCP server {name} goes without its key {value}: {error}")),
                    }
                    secret.insert(value.clone(), variable());
                    continue;
                }
            };
            run.fetch.insert(variable(), source);
            secret.insert(value.clone(), variable());
        }
        let (transport, allow) = (server.place.transport().to_string(), server.allow);
        let (command, args, url) = match server.place {
            Place::Stdio { command, args, .. } => (command, args, String::new()),
            Place::Http { url, .. } | Place::Sse { url, .. } => (String::new(), Vec::new(), url),
        };
        run.servers.push(McpCtx { name: name.to_string(), transport, command, args, url, plain, secret, allow });
    }
    Ok(run)
}

/// The profile's own, and those for all that it has none of the same name for.
fn in_force(mut all: BTreeMap<McpName, Server>, profile: &Profile) -> BTreeMap<McpName, Server> {
    all.extend(profile.mcp.clone());
    all
}

fn row(app: &App, name: &McpName, profile: Option<String>, server: Server) -> Result<Row> {
    let snapshot = app.manifests.snapshot();
    let mut not_for = BTreeSet::new();
    for other in app.profiles.list()?.0 {
        let meant = profile.as_deref().is_none_or(|alias| other.alias.as_str() == alias);
        if let Some(agent) = snapshot.agents.get(other.agent.as_str()).filter(|_| meant)
            && !agent.item.supports.takes(server.place.transport())
        {
            not_for.insert(agent.item.name.clone());
        }
    }
    Ok(Row { name: name.clone(), profile, server, not_for: not_for.into_iter().collect() })
}

fn cannot_take(agent: &AgentManifest, server: &Server) -> Error {
    let what = match server.place.transport() {
        _ if !agent.supports.mcp => "no MCP servers",
        Transport::Stdio => "no MCP servers that are programs",
        Transport::Http => "no MCP servers by HTTP",
        Transport::Sse => "no MCP servers by SSE",
    };
    Error::unsupported(format!("{} takes {what}", agent.name))
}

/// The scheme of an `Authorization` is put before the key when the agent is told of it.
fn secret(name: &str, key: &KeyText) -> Result<Secret> {
    let key = key.expose().trim();
    let bare = key.get(..7).filter(|scheme| name.eq_ignore_ascii_case("authorization") && scheme.eq_ignore_ascii_case("bearer "));
    clean_key(if bare.is_some() { &key[7..] } else { key })
}

/// Everything about a new server that can be wrong before anything is stored.
fn check(name: &McpName, server: &Server, secrets: &BTreeMap<String, KeyText>, plain: bool) -> Result<()> {
    let program = check_server(name, server, plain)?;
    for (value, content) in server.place.values() {
        if matches!(content, Value::Secret(Credential::Stored { .. })) {
            return Err(Error::invalid(format!("where the key {value} is stored is for clown to say")).hint("send the key itself"));
        }
        if secrets.contains_key(value) {
            return Err(Error::invalid(format!("{value} is given twice")));
        }
    }
    match (secrets.keys().next(), &server.place) {
        (Some(value), Place::Http { url, .. } | Place::Sse { url, .. }) if url::is_open(url) => Err(unencrypted(value)),
        _ => secrets.keys().try_for_each(|value| check_value_name(value, program)),
    }
}

/// What can be wrong with a server by itself, wherever it comes from. `plain`: a text that looks like a key is none. Whether it is a
/// program.
pub(crate) fn check_server(name: &McpName, server: &Server, plain: bool) -> Result<bool> {
    if name.as_str().contains('.') {
        return Err(Error::invalid(format!("the MCP server name {name} holds a dot, which agents do not take")).hint("use a dash"));
    }
    let texts: Vec<&str> = match &server.place {
        Place::Stdio { command, args, .. } => [command].into_iter().chain(args).map(String::as_str).collect(),
        Place::Http { url, .. } | Place::Sse { url, .. } => vec![url],
    };
    if texts.iter().any(|text| text.contains('\0')) || texts.first().is_none_or(|text| text.is_empty()) {
        return Err(Error::invalid("the MCP server's program or address is empty or holds NUL"));
    }
    let program = matches!(server.place, Place::Stdio { .. });
    if !program && texts.first().is_some_and(|address| url::host(address).is_none()) {
        return Err(Error::invalid("the address of an MCP server begins with http:// or https:// and has a host"));
    }
    let open = !program && texts.iter().any(|address| url::is_open(address));
    let key_found = |what: &str| {
        Error::refused(format!("{what} looks like a key, and would be kept for everyone to read"))
            .hint("have clown keep it in the key store: --secret NAME")
            .hint("have it read at each run: --ref NAME=env:VARIABLE or --ref 'NAME=command:program args'")
            .hint("if it is no key: --plain")
    };
    for text in &texts {
        if !plain && looks_like_key("", text) {
            return Err(key_found(if program { "an argument of the MCP server" } else { "the MCP server's address" }));
        }
    }
    for (value, content) in server.place.values() {
        check_value_name(value, program)?;
        match content {
            Value::Plain(text) if text.contains(['\0', '\n', '\r']) => {
                return Err(Error::invalid(format!("the value of {value} holds a line break or NUL")));
            }
            Value::Plain(text) if !plain && looks_like_key(value, text) => return Err(key_found(&format!("the value of {value}"))),
            Value::Secret(Credential::Env { var }) if !env_name_allowed(var) => {
                return Err(Error::invalid(format!("{var:?} is not the name of a variable that can hold a key")));
            }
            Value::Secret(_) if open => return Err(unencrypted(value)),
            Value::Secret(Credential::Command { argv }) if argv.is_empty() => {
                return Err(Error::invalid("the key command is empty"));
            }
            _ => {}
        }
    }
    Ok(program)
}

fn unencrypted(value: &str) -> Error {
    Error::refused(format!("the key {value} would be sent unencrypted, to a server beyond this machine"))
        .hint("give the server's address with https://")
}

fn check_value_name(name: &str, program: bool) -> Result<()> {
    let header = !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match program {
        true if env_name_allowed(name) => Ok(()),
        false if header => Ok(()),
        true => Err(Error::invalid(format!("the variable {name:?} cannot be set for an MCP server"))),
        false => Err(Error::invalid(format!("{name:?} is no name of a header"))),
    }
}

pub(crate) fn secrets_of(server: &Server) -> impl Iterator<Item = &Credential> {
    server.place.values().values().filter_map(|value| match value {
        Value::Secret(credential) => Some(credential),
        Value::Plain(_) => None,
    })
}

/// Removes stored keys that no server refers to any more. Returns warnings.
fn release<'a>(app: &App, caller: &Caller, credentials: impl Iterator<Item = &'a Credential>) -> Vec<String> {
    let mut warnings = Vec::new();
    for credential in credentials {
        if let Err(error) = keys::release(app, caller, credential) {
            warnings.push(format!("a key of the MCP server could not be removed from its store: {error}"));
        }
    }
    warnings
}

/// Whether a stored key belongs to a server for all, or of one of these profiles.
pub(crate) fn uses(app: &App, profiles: &[Profile], credential: &Credential) -> Result<bool> {
    let all = app.mcp.read()?.servers;
    Ok(all.values().chain(profiles.iter().flat_map(|p| p.mcp.values())).any(|server| secrets_of(server).any(|c| c == credential)))
}
