//! The registry: what the user set up, what a sync brings, and who is told.

mod prices;
mod refresh;

pub use refresh::{Refresh, settle};

use std::path::{Path, PathBuf};

use super::trust::check_entry;
use crate::{
    app::App,
    base::error::{Error, Result},
    registry::{Registry, Settings},
    wire::{
        envelope::Caller,
        error::Code,
        registry::{
            Channel, Diff, Differences, Inspect, Lint, Linted, Pin, Progress, Source, State, Sync, SyncProgress, Synced, Verified, Verify,
        },
    },
};

const URL_VAR: &str = "CLOWN_REGISTRY_URL";
const CHANNEL_VAR: &str = "CLOWN_REGISTRY_CHANNEL";

/// From the call, else the caller's environment, else config.toml.
pub(crate) fn settings(app: &App, caller: &Caller, channel: Option<Channel>) -> Result<Settings> {
    let set = |key: &str| app.config.text(key).map(|text| Some(text).filter(|t| !t.is_empty()));
    let var = |name: &str| caller.env.get(name).filter(|v| !v.is_empty()).cloned();
    let channel = match (channel, var(CHANNEL_VAR)) {
        (Some(channel), _) => channel,
        (None, Some(word)) => Channel::parse(&word)
            .ok_or_else(|| Error::invalid(format!("{CHANNEL_VAR} cannot be {word:?}")).hint("use one of: stable, beta, nightly"))?,
        (None, None) => Channel::parse(&app.config.text("registry.channel")?).unwrap_or_default(),
    };
    let threshold = u32::try_from(app.config.number("registry.threshold")?).ok().filter(|n| *n > 0);
    Ok(Settings {
        url: var(URL_VAR).map_or_else(|| set("registry.url"), |url| Ok(Some(url)))?,
        channel,
        trusted_keys: app.config.words("registry.trusted_keys")?,
        threshold,
        ca_file: set("registry.ca_file")?.map(PathBuf::from),
    })
}

fn offline(app: &App) -> Result<bool> {
    Ok(app.config.text("registry.offline")? == "on")
}

pub fn sync(app: &App, ask: Sync, caller: &Caller) -> Result<Synced> {
    let settings = settings(app, caller, ask.channel)?;
    let outcome = take(app, &settings, ask.force, ask.offline || offline(app)?).map_err(stays);
    app.refresh.told(&outcome);
    app.refresh.again();
    outcome
}

/// The registry into force, then the prices.
fn take(app: &App, settings: &Settings, force: bool, offline: bool) -> Result<Synced> {
    let prices_url = prices::source(app)?.filter(|_| !offline);
    let mut synced = match (&settings.url, &prices_url) {
        (None, Some(_)) => only_prices(settings.channel),
        _ => app.registry.sync(settings, force, offline, &|kind, id, bytes| check_entry(app, kind, id, bytes))?,
    };
    if synced.changed {
        app.bus.publish("registry/updated", &synced.commit);
    }
    if let Some(url) = prices_url {
        let _way = app.registry.progress.prices();
        let (prices, bytes) = prices::take(app, settings, &url);
        synced.requests += 1;
        synced.bytes += bytes;
        if prices.changed {
            app.bus.publish("registry/prices", &prices.models.to_string());
        }
        synced.prices = Some(prices);
    }
    Ok(synced)
}

/// Of a home without a registry.
fn only_prices(channel: Channel) -> Synced {
    Synced {
        commit: String::new(),
        channel,
        version: 0,
        artifacts: 0,
        source: Source::Network,
        changed: false,
        new: 0,
        kept: 0,
        removed: 0,
        bytes: 0,
        requests: 0,
        expires: String::new(),
        pinned: None,
        notes: vec!["no registry is set up, so only prices were asked for; set one: clown config set registry.url URL".into()],
        prices: None,
    }
}

fn stays(error: Error) -> Error {
    match error.code() {
        Code::Io => error.or_hint("what was here stays in force; check it without network: clown registry sync --offline"),
        Code::InvalidInput => error.or_hint("see and change what is set up: clown config list, clown config set registry.url URL"),
        _ => error.or_hint("what was here stays in force; tell whoever publishes this registry"),
    }
}

pub fn diff(app: &App, ask: Diff, caller: &Caller) -> Result<Differences> {
    if offline(app)? {
        return Err(Error::refused("registry.offline is on, and a diff asks the registry").hint("clown config unset registry.offline"));
    }
    app.registry.differences(&settings(app, caller, ask.channel)?, &|kind, id, bytes| check_entry(app, kind, id, bytes)).map_err(stays)
}

pub fn progress(app: &App, _ask: Progress, _caller: &Caller) -> Result<SyncProgress> {
    Ok(app.registry.progress.now())
}

pub fn inspect(app: &App, _ask: Inspect, caller: &Caller) -> Result<State> {
    state(app, &settings(app, caller, None)?)
}

fn state(app: &App, settings: &Settings) -> Result<State> {
    let mut state = app.registry.state(settings)?;
    state.refresh_hours = app.config.number("registry.refresh_hours")?;
    state.last_error = app.refresh.last_error();
    if let Some(lock) = prices::lock(app) {
        (state.prices_synced, state.prices) = (Some(lock.synced), lock.models);
    }
    Ok(state)
}

pub fn pin(app: &App, ask: Pin, caller: &Caller) -> Result<State> {
    let settings = settings(app, caller, None)?;
    let before = app.registry.state(&settings)?.lock.map(|lock| lock.commit);
    app.registry.pin(&settings, ask.reference.as_deref(), &|kind, id, bytes| check_entry(app, kind, id, bytes)).map_err(stays)?;
    let state = state(app, &settings)?;
    if let Some(lock) = &state.lock
        && before.as_ref() != Some(&lock.commit)
    {
        app.bus.publish("registry/updated", &lock.commit);
    }
    Ok(state)
}

pub fn verify(app: &App, _ask: Verify, caller: &Caller) -> Result<Verified> {
    app.registry.verify(&settings(app, caller, None)?)
}

pub fn lint(app: &App, ask: Lint, _caller: &Caller) -> Result<Linted> {
    Registry::lint(Path::new(&ask.dir), &|kind, id, bytes| check_entry(app, kind, id, bytes))
}
