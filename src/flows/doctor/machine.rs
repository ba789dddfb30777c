//! Settings, key store, ports, registry, prices, logs of agents.

use std::time::Duration;

use super::{error, note, ok, warning};
use crate::{
    app::App,
    base::{os::ports, secret::store_name, upkeep::failed},
    config::SETTINGS,
    flows,
    wire::{doctor::Finding, envelope::Caller, registry, usage},
};

/// A locked keychain asks on the screen; nobody should wait for that here.
const KEYCHAIN_LIMIT: Duration = Duration::from_secs(5);
/// Vendors change prices more often than this.
const OLD_PRICES_DAYS: i64 = 30;

pub(super) fn settings(app: &App) -> Vec<Finding> {
    let file = app.paths.config_file();
    let listed = match app.config.list() {
        Ok(listed) => listed,
        Err(error) => return vec![failed("settings", &error)],
    };
    let wrong = SETTINGS.iter().filter_map(|known| Some((known.key, app.config.get(known.key).err()?)));
    let mut found: Vec<Finding> = Vec::new();
    let mut told = Vec::new();
    for (key, why) in wrong {
        found.push(error("settings", format!("{why} ({})", file.display())).fix(format!("clown config unset {key}")));
        told.push(format!("{key} "));
    }
    // A value that is wrong is listed there as well.
    let others = listed.warnings.iter().filter(|text| told.iter().all(|key| !text.starts_with(key.as_str())));
    found.extend(others.map(|text| warning("settings", format!("{text} ({})", file.display())).fix("clown config list")));
    let place = if file.exists() { file.display().to_string() } else { format!("{} is not there, so defaults hold", file.display()) };
    found.insert(0, ok("settings", place));
    found
}

pub(super) fn keys(app: &App, caller: &Caller) -> Vec<Finding> {
    let store = match app.seams.vault.store(&caller.env) {
        Ok(store) => store,
        Err(error) => return vec![failed("keys", &error)],
    };
    let name = store_name(store.kind());
    let mut found = vec![match store.reach(KEYCHAIN_LIMIT) {
        Ok(()) => ok("keys", format!("new keys go to the {name}, which answers")),
        Err(error) => failed("keys", &error),
    }];
    if store.kind() == "file" {
        let file = app.paths.keys_file();
        found.push(
            warning("keys", format!("keys are kept without encryption in {}, because secrets.backend is file", file.display()))
                .fix("give each key again after this, if the system has a keychain: clown config set secrets.backend keychain"),
        );
    }
    found
}

pub(super) fn ports(app: &App) -> Vec<Finding> {
    let number = |key: &str| app.config.number(key).ok().and_then(|n| u16::try_from(n).ok());
    let (Some(first), Some(last)) = (number("proxy.first_port"), number("proxy.last_port")) else {
        return vec![error("ports", "proxy.first_port and proxy.last_port are no ports").fix("clown config list")];
    };
    if first > last {
        return vec![
            error("ports", format!("proxy.first_port is {first}, and proxy.last_port {last} is before it")).fix("clown config list"),
        ];
    }
    let mine: Vec<(u16, String)> = app
        .profiles
        .list()
        .map(|(profiles, _)| profiles)
        .unwrap_or_default()
        .iter()
        .filter_map(|profile| {
            let seen = app.proxies.seen(profile.alias.as_str());
            seen.pid.and(seen.port).map(|port| (port, profile.alias.to_string()))
        })
        .collect();
    let taken = ports::taken(first, last);
    let all = usize::from(last - first) + 1;
    let others: Vec<&ports::Taken> = taken.iter().filter(|t| mine.iter().all(|(port, _)| *port != t.port)).collect();
    let what = format!("{} of the {all} ports for proxies, {first} to {last}, are free", all - taken.len());
    let change = "choose others: clown config set proxy.first_port N, clown config set proxy.last_port N";
    let mut found = vec![if taken.len() == all { error("ports", what).fix(change) } else { ok("ports", what) }];
    found.extend(mine.iter().map(|(port, alias)| ok("ports", format!("{port} is the proxy of profile {alias}"))));
    found.extend(others.iter().map(|taken| {
        let owner = match &taken.owner {
            Some((pid, name)) => format!("process {pid} ({name})"),
            None => "a process of another user".to_owned(),
        };
        note("ports", format!("{} is taken by {owner}; proxies take another", taken.port))
    }));
    found
}

pub(super) fn registry(app: &App, caller: &Caller) -> Vec<Finding> {
    let state = match flows::registry::inspect(app, registry::Inspect {}, caller) {
        Ok(state) => state,
        Err(error) => return vec![failed("registry", &error)],
    };
    let mut found = Vec::new();
    match (&state.url, &state.lock) {
        (_, Some(lock)) => {
            let what = format!("version {} of channel {}, taken {}", lock.version, state.channel, lock.synced);
            found.push(if state.expired {
                warning("registry", format!("{what}, expired {}", lock.expires)).fix("clown registry sync")
            } else {
                ok("registry", what)
            });
            if let Some(pinned) = &lock.pinned {
                found.push(note("registry", format!("it stays at {pinned}")).fix("clown registry pin --none"));
            }
        }
        (Some(url), None) => found.push(warning("registry", format!("nothing was taken from {url} yet")).fix("clown registry sync")),
        (None, None) => found.push(note("registry", "none is set up, so agents and providers are those built in and your own")),
    }
    if let Some(why) = &state.last_error {
        found.push(warning("registry", format!("the last try to ask it failed: {why}")).fix("clown registry sync"));
    }
    found.push(prices(app, &state));
    found
        .extend(app.prices_problem().map(|why| warning("prices", format!("your own prices are not used: {why}")).fix("clown config list")));
    found
}

fn prices(app: &App, state: &registry::State) -> Finding {
    let Some(synced) = &state.prices_synced else {
        return note("prices", "those built in are used; newer ones come with a sync").fix("clown registry sync");
    };
    let days = synced.parse::<jiff::Timestamp>().map_or(0, |then| (app.seams.clock.now().as_second() - then.as_second()) / 86_400);
    let what = format!("{} models have one, as of {synced}", state.prices);
    if days > OLD_PRICES_DAYS {
        warning("prices", format!("{what}, {days} days ago")).fix("clown registry sync")
    } else {
        ok("prices", what)
    }
}

pub(super) fn usage(app: &App, caller: &Caller) -> Vec<Finding> {
    let told = match flows::usage::doctor(app, usage::Doctor {}, caller) {
        Ok(told) => told,
        Err(error) => return vec![failed("usage", &error)],
    };
    let mut found = vec![ok("usage", format!("{} requests are known from {} places", told.requests, told.collectors.len()))];
    found.extend(
        told.problems.iter().map(|trouble| warning("usage", format!("{}: {}", trouble.file, trouble.what)).fix("clown usage doctor")),
    );
    found.extend(told.prices_problem.map(|why| warning("prices", why).fix("clown registry sync")));
    if !told.unpriced.is_empty() {
        found.push(note("usage", format!("no price is known for {}", told.unpriced.join(", "))).fix("clown registry sync"));
    }
    found.extend(told.elsewhere.iter().map(|e| {
        warning("usage", format!("{} is {}, where nobody looks for logs of {}", e.variable, e.dir, e.agent))
            .fix(format!("clown config set usage.roots {}", e.roots))
    }));
    found
}
