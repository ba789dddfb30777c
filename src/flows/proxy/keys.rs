//! Keys besides the profile's own: for targets of other providers, or to take turns.

use super::change::change;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        url::approval_host,
    },
    flows::{
        keys::{self, Taken},
        resolve::resolve,
    },
    providers::choose_endpoint,
    wire::{
        envelope::Caller,
        manifest::{AuthScheme, ProviderKind},
        profiles::{Credential, KeyInput},
        proxy::{AddKey, ExtraKey, RemoveKey, Routing},
    },
};

pub fn add_key(app: &App, ask: AddKey, caller: &Caller) -> Result<Routing> {
    let snapshot = app.manifests.snapshot();
    let profile = app.profiles.find(&ask.alias)?;
    let resolved = resolve(&snapshot, &profile)?;
    let provider = snapshot.provider(&ask.provider)?.item.clone();
    let wanted = if provider.id == profile.provider { profile.endpoint.as_deref() } else { None };
    let choice = match provider.kind {
        ProviderKind::Remote => choose_endpoint(&resolved.agent.item, &provider, wanted)?,
        _ => None,
    };
    let Some(endpoint) = choice.map(|c| c.endpoint).filter(|e| e.auth != AuthScheme::None) else {
        return Err(Error::invalid(format!("provider {} takes no key", provider.id)));
    };
    let hosts: Vec<String> = approval_host(&endpoint.base_url).into_iter().collect();
    let mut warnings = Vec::new();
    let taken = match ask.key {
        KeyInput::Reuse { alias } => Taken::Ready(keys::shared(app, &provider.id, &alias, &hosts)?),
        input => keys::take_for(&provider, input, &mut warnings)?,
    };
    let (credential, stored) = match taken {
        Taken::Ready(credential) => (credential, false),
        Taken::Store(key) => (keys::store(app, caller, &provider.id, &profile.alias, &key)?, true),
    };
    let extra = ExtraKey { provider: provider.id.clone(), credential: credential.clone(), approved_hosts: hosts };
    let changed = change(app, caller, &ask.alias, |settings, profile| {
        let same = |c: &Credential| *c == credential;
        if same(&profile.credential) || settings.keys.iter().any(|k| same(&k.credential)) {
            return Err(Error::exists(format!("profile {} has this key already", profile.alias)));
        }
        settings.keys.push(extra);
        Ok(())
    });
    match changed {
        Ok(mut routing) => {
            routing.warnings.splice(0..0, warnings);
            Ok(routing)
        }
        Err(error) => {
            if stored {
                let _ = keys::release(app, caller, &credential);
            }
            Err(error)
        }
    }
}

pub fn remove_key(app: &App, ask: RemoveKey, caller: &Caller) -> Result<Routing> {
    let mut gone = None;
    let mut routing = change(app, caller, &ask.alias, |settings, profile| {
        let at = ask.number.checked_sub(1).filter(|at| *at < settings.keys.len()).ok_or_else(|| {
            let error = Error::not_found(format!("profile {} has no extra key {}", profile.alias, ask.number))
                .hint(format!("list them: clown proxy key list {}", profile.alias));
            if ask.number == 0 { error.hint("key 0 is the profile's own: clown profiles edit changes it") } else { error }
        })?;
        gone = Some(settings.keys.remove(at).credential);
        Ok(())
    })?;
    if let Some(credential) = gone
        && let Err(error) = keys::release(app, caller, &credential)
    {
        routing.warnings.push(format!("the key could not be removed from its store: {error}"));
    }
    Ok(routing)
}
