//! Keys of profiles: taking one in, fetching one for a run, letting one go.

use std::collections::BTreeMap;

use super::resolve::Resolved;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        secret::{Secret, clean_key, store_name},
    },
    providers::check_key_shape,
    wire::{
        envelope::Caller,
        ids::{Alias, ProviderId},
        manifest::{ProviderKind, ProviderManifest},
        profiles::{Credential, KeyInput, Profile},
        runs::KeySource,
    },
};

/// What a key input comes to. Nothing is stored yet.
pub(crate) enum Taken {
    Ready(Credential),
    /// To be stored under this name when everything else is checked.
    Store(Secret),
}

/// Checks a key input against what the profile needs.
pub(crate) fn take(app: &App, resolved: &Resolved, input: KeyInput, warnings: &mut Vec<String>) -> Result<Taken> {
    let provider = &resolved.provider.item;
    if !resolved.needs_key() {
        return match input {
            KeyInput::Absent => Ok(Taken::Ready(Credential::None)),
            _ => Err(Error::invalid(match provider.kind {
                ProviderKind::Own => format!("provider {} uses the agent's own login and takes no key", provider.id),
                _ => format!("provider {} takes no key", provider.id),
            })
            .hint("leave the key out")),
        };
    }
    match input {
        KeyInput::Reuse { alias } => Ok(Taken::Ready(shared(app, &provider.id, &alias, &resolved.hosts())?)),
        input => take_for(provider, input, warnings),
    }
}

/// A key for a provider, whoever asks; not one that is shared.
pub(crate) fn take_for(provider: &ProviderManifest, input: KeyInput, warnings: &mut Vec<String>) -> Result<Taken> {
    match input {
        KeyInput::Absent | KeyInput::Reuse { .. } => {
            let var = provider.key_env.as_deref().unwrap_or("VAR");
            let error = Error::invalid(format!("provider {} needs a key", provider.id))
                .hint("give it on standard input: --api-key-stdin")
                .hint(format!("take it from a variable: --api-key-env {var}"))
                .hint(format!("have it read at each run: --key-ref env:{var} or --key-ref 'command:...'"));
            Err(match &provider.key_url {
                Some(url) => error.hint(format!("get one at {url}")),
                None => error,
            })
        }
        KeyInput::Text { key } => {
            let key = clean_key(key.expose())?;
            warnings.extend(check_key_shape(provider, key.expose()));
            Ok(Taken::Store(key))
        }
        KeyInput::Env { var } if crate::base::env_names::env_name_allowed(&var) => Ok(Taken::Ready(Credential::Env { var })),
        KeyInput::Env { var } => {
            Err(Error::invalid(format!("{var:?} is not the name of a variable that can hold a key")).hint("write --key-ref env:NAME"))
        }
        KeyInput::Command { argv } if argv.is_empty() => Err(Error::invalid("the key command is empty")),
        KeyInput::Command { argv } => Ok(Taken::Ready(Credential::Command { argv })),
    }
}

/// The key that another profile has for this provider, if its owner agreed to send it to these hosts.
pub(crate) fn shared(app: &App, provider: &ProviderId, alias: &str, hosts: &[String]) -> Result<Credential> {
    let other = app.profiles.find(alias)?;
    let extra = other.proxy.iter().flat_map(|p| &p.keys).find(|k| k.provider == *provider);
    let (credential, approved) = match extra {
        _ if other.provider == *provider => (&other.credential, &other.approved_hosts),
        Some(extra) => (&extra.credential, &extra.approved_hosts),
        None => {
            return Err(Error::refused(format!("the key of profile {alias} belongs to provider {}, not to {provider}", other.provider))
                .hint("list profiles with their providers: clown profiles list"));
        }
    };
    // Sharing a key must not be a way around the owner's agreement.
    if let Some(host) = hosts.iter().find(|h| !approved.contains(h)) {
        return Err(Error::refused(format!("the key of profile {alias} would go to {host}, which its owner has not agreed to"))
            .hint(format!("if that is right: clown providers approve {provider} --profile {alias}")));
    }
    match credential {
        Credential::None => Err(Error::invalid(format!("profile {alias} has no key"))),
        some => Ok(some.clone()),
    }
}

/// Puts a key into the store in force and gives the reference to it.
pub(crate) fn store(app: &App, caller: &Caller, provider: &ProviderId, alias: &Alias, key: &Secret) -> Result<Credential> {
    store_as(app, caller, &format!("{provider}/{alias}"), key)
}

/// The same under a name of which this is the beginning.
pub(crate) fn store_as(app: &App, caller: &Caller, begins: &str, key: &Secret) -> Result<Credential> {
    let store = app.seams.vault.store(&caller.env)?;
    let name = new_name(begins);
    store.set(&name, key)?;
    Ok(Credential::Stored { store: store.kind().to_owned(), key: name })
}

/// Name of a key that is about to be stored.
pub(crate) fn new_name(begins: &str) -> String {
    format!("{begins}-{}", short_id())
}

pub(crate) fn short_id() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(8).collect()
}

/// Removes a stored key unless a profile on disk refers to it. `Ok(true)` when it is gone.
pub(crate) fn release(app: &App, caller: &Caller, credential: &Credential) -> Result<bool> {
    let Credential::Stored { store, key } = credential else { return Ok(false) };
    let (profiles, problems) = app.profiles.list()?;
    let extras = |p: &Profile| p.proxy.iter().flat_map(|s| &s.keys).any(|k| k.credential == *credential);
    let shared = profiles.iter().any(|p| p.credential == *credential || extras(p));
    // A profile that cannot be read may refer to it.
    if shared || !problems.is_empty() || super::mcp::uses(app, &profiles, credential)? {
        return Ok(false);
    }
    app.seams.vault.store_of_kind(store, &caller.env)?.delete(key)?;
    Ok(true)
}

/// A key for a run: held by clown, or to be fetched by the client.
pub(crate) enum ForRun {
    None,
    Held(Secret),
    Client(KeySource),
}

pub(crate) fn for_run(app: &App, env: &BTreeMap<String, String>, profile: &Profile, resolved: &Resolved) -> Result<ForRun> {
    if !resolved.needs_key() {
        return Ok(ForRun::None);
    }
    match &profile.credential {
        Credential::Stored { store, key } => match app.seams.vault.store_of_kind(store, env)?.get(key)? {
            Some(key) => Ok(ForRun::Held(key)),
            None => Err(Error::secrets(format!("the key of profile {} is not in the {} any more", profile.alias, store_name(store)))
                .hint(format!("give it again: clown profiles edit {} --api-key-stdin", profile.alias))),
        },
        Credential::Env { var } => Ok(ForRun::Client(KeySource::Env { var: var.clone() })),
        Credential::Command { argv } => Ok(ForRun::Client(KeySource::Command { argv: argv.clone() })),
        Credential::None => {
            Err(Error::secrets(format!("profile {} has no key, and provider {} needs one", profile.alias, profile.provider))
                .hint(format!("give it one: clown profiles edit {} --api-key-stdin", profile.alias)))
        }
    }
}

/// The key goes only where its owner agreed.
pub(crate) fn check_hosts(profile: &Profile, resolved: &Resolved) -> Result<()> {
    if !resolved.needs_key() {
        return Ok(());
    }
    for host in resolved.hosts() {
        if !profile.approved_hosts.contains(&host) {
            return Err(Error::refused(format!(
                "provider {} would now send the key of profile {} to {host}; you agreed to {}",
                profile.provider,
                profile.alias,
                if profile.approved_hosts.is_empty() { "none".to_owned() } else { profile.approved_hosts.join(", ") }
            ))
            .hint(format!("if that is right: clown providers approve {} --profile {}", profile.provider, profile.alias))
            .hint(format!("see where the manifest comes from: clown providers inspect {}", profile.provider)));
        }
    }
    Ok(())
}

/// Where the key is and its masked form, for people.
pub(crate) fn describe(app: &App, caller: &Caller, credential: &Credential) -> String {
    match credential {
        Credential::None => "none".to_owned(),
        Credential::Env { var } => format!("read from ${var} at each run"),
        Credential::Command { argv } => format!("read from `{}` at each run", argv.join(" ")),
        Credential::Stored { store, key } => match app.seams.vault.store_of_kind(store, &caller.env).and_then(|s| s.get(key)) {
            Ok(Some(secret)) => format!("{} in the {}", secret.masked(), store_name(store)),
            Ok(None) => format!("missing from the {}", store_name(store)),
            Err(error) => format!("in the {}, which cannot be read: {error}", store_name(store)),
        },
    }
}
