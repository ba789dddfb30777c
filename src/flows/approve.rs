//! The owner agrees that keys go to the hosts a provider's manifest names now.

use super::resolve::resolve;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        url::approval_host,
    },
    providers::choose_endpoint,
    wire::{
        envelope::Caller,
        ids::ProviderId,
        profiles::Profile,
        providers::{Approval, Approve, Approved},
    },
};

/// Whether the profile's proxy has a key of this provider.
fn has_extra(profile: &Profile, provider: &ProviderId) -> bool {
    profile.proxy.iter().flat_map(|p| &p.keys).any(|k| k.provider == *provider)
}

pub fn approve(app: &App, ask: Approve, _caller: &Caller) -> Result<Approved> {
    let snapshot = app.manifests.snapshot();
    let provider = snapshot.provider(&ask.id)?.item.id.clone();
    let _lock = app.profiles.lock()?;
    let chosen = match &ask.alias {
        Some(alias) => {
            let profile = app.profiles.find(alias)?;
            if profile.provider != provider && !has_extra(&profile, &provider) {
                return Err(Error::invalid(format!("profile {alias} uses provider {}, not {provider}", profile.provider))
                    .hint("list profiles with their providers: clown profiles list"));
            }
            vec![profile]
        }
        None => app.profiles.list()?.0.into_iter().filter(|p| p.provider == provider || has_extra(p, &provider)).collect(),
    };
    let mut changes = Vec::new();
    for mut profile in chosen {
        let resolved = resolve(&snapshot, &profile)?;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if profile.provider == provider {
            after = if resolved.needs_key() { resolved.hosts() } else { Vec::new() };
            before = std::mem::replace(&mut profile.approved_hosts, after.clone());
        }
        let extra = profile.proxy.iter_mut().flat_map(|p| &mut p.keys).filter(|k| k.provider == provider);
        for key in extra {
            let own = (profile.provider == provider).then_some(profile.endpoint.as_deref()).flatten();
            let choice = choose_endpoint(&resolved.agent.item, &snapshot.provider(provider.as_str())?.item, own)?;
            let hosts: Vec<String> = choice.and_then(|c| approval_host(&c.endpoint.base_url)).into_iter().collect();
            before.extend(std::mem::replace(&mut key.approved_hosts, hosts.clone()));
            after.extend(hosts);
        }
        if after == before {
            continue;
        }
        app.profiles.replace(&profile)?;
        app.bus.publish("profile/changed", profile.alias.as_str());
        changes.push(Approval { alias: profile.alias.to_string(), before, after });
    }
    Ok(Approved { changes })
}
