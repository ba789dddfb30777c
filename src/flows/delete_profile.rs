//! Deletes a profile, its key when nobody else uses it, and its home when asked.

use std::path::Path;

use super::{keys, launchers, lifecycle, mcp, place};
use crate::{
    app::App,
    base::{error::Result, os},
    profiles::purge,
    wire::{
        envelope::Caller,
        profiles::{Delete, Deleted},
    },
};

pub fn delete(app: &App, ask: Delete, caller: &Caller) -> Result<Deleted> {
    let _lock = app.profiles.lock()?;
    let profile = app.profiles.find(&ask.alias)?;
    place::require_idle(app, profile.alias.as_str(), "deleted")?;
    let mut warnings = Vec::new();
    app.proxies.forget(profile.alias.as_str())?;
    app.profiles.delete(&profile.alias)?;
    let mut release = |credential| {
        keys::release(app, caller, credential).unwrap_or_else(|error| {
            warnings.push(format!("the key could not be removed from its store: {error}"));
            false
        })
    };
    let key_deleted = release(&profile.credential);
    for extra in profile.proxy.iter().flat_map(|p| &p.keys) {
        release(&extra.credential);
    }
    warnings.extend(lifecycle::before_home_goes(app, &profile, caller));
    warnings.extend(mcp::forget(app, caller, &profile));
    let home = Path::new(&profile.home);
    let mut kept_home = home.exists().then(|| profile.home.clone());
    if ask.purge {
        match purge(home) {
            Ok(()) => kept_home = None,
            Err(error) => warnings.push(format!("the home could not be removed: {error}")),
        }
    }
    let _ = std::fs::remove_dir_all(app.paths.profile_tmp(&os::temp_dir(&app.runtime), &profile.agent, &profile.alias));
    app.usage.changed();
    if let Err(error) = app.budgets.remove(profile.alias.as_str(), None) {
        warnings.push(format!("its budgets were not removed: {error}"));
    }
    warnings.extend(launchers::forget(app, profile.alias.as_str()));
    app.bus.publish("profile/deleted", profile.alias.as_str());
    Ok(Deleted { kept_home, key_deleted, warnings })
}
