//! The owner agrees that keys go to the hosts a provider's manifest names now.

use super::resolve::resolve;
use crate::{
    app::App,
    base::error::{Error, Result},
    wire::{
        envelope::Caller,
        providers::{Approval, Approve, Approved},
    },
};

pub fn approve(app: &App, ask: Approve, _caller: &Caller) -> Result<Approved> {
    let snapshot = app.manifests.snapshot();
    let provider = snapshot.provider(&ask.id)?.item.id.clone();
    let _lock = app.profiles.lock()?;
    let chosen = match &ask.alias {
        Some(alias) => {
            let profile = app.profiles.find(alias)?;
            if profile.provider != provider {
                return Err(Error::invalid(format!("profile {alias} uses provider {}, not {provider}", profile.provider))
                    .hint("list profiles with their providers: clown profiles list"));
            }
            vec![profile]
        }
        None => app.profiles.list()?.0.into_iter().filter(|p| p.provider == provider).collect(),
    };
    let mut changes = Vec::new();
    for mut profile in chosen {
        let resolved = resolve(&snapshot, &profile)?;
        let after = if resolved.needs_key() { resolved.hosts() } else { Vec::new() };
        if after == profile.approved_hosts {
            continue;
        }
        let before = std::mem::replace(&mut profile.approved_hosts, after.clone());
        app.profiles.replace(&profile)?;
        app.bus.publish("profile/changed", profile.alias.as_str());
        changes.push(Approval { alias: profile.alias.to_string(), before, after });
    }
    Ok(Approved { changes })
}
