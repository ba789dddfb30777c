//! Edits, renames and clones profiles.

use std::path::Path;

use super::{
    create_profile::{self, apply_settings, fill, set_up},
    delete_profile,
    keys::{self, Taken},
    launchers, moving, place, proxy,
    resolve::resolve,
};
use crate::{
    app::App,
    base::error::{Error, Result},
    wire::{
        envelope::Caller,
        ids::Alias,
        profiles::{Create, Created, Credential, Delete, Duplicate, Edit, KeyInput, Profile, Rename, Settings},
    },
};

pub fn edit(app: &App, ask: Edit, caller: &Caller) -> Result<Created> {
    let lock = app.profiles.lock()?;
    let before = app.profiles.find(&ask.alias)?;
    let mut profile = before.clone();
    for name in &ask.unset {
        match name.as_str() {
            "model" => profile.model = None,
            "endpoint" => profile.endpoint = None,
            "args" => profile.args = Vec::new(),
            other => return Err(Error::invalid(format!("{other:?} cannot be unset")).hint("it is one of: model, endpoint, args")),
        }
    }
    let snapshot = app.manifests.snapshot();
    if let Some(provider) = &ask.provider {
        profile.provider = snapshot.provider(provider)?.item.id.clone();
        if profile.provider != before.provider {
            // Endpoint and model belong to the former provider unless they are given anew.
            profile.endpoint = None;
            profile.model = None;
            profile.credential = Credential::None;
        }
    }
    apply_settings(&mut profile, ask.settings)?;
    let resolved = resolve(&snapshot, &profile)?;
    let mut warnings = resolved.warnings.clone();
    let keep_key = matches!(ask.key, KeyInput::Absent) && (profile.credential != Credential::None || !resolved.needs_key());
    let mut stored = None;
    if !keep_key {
        match keys::take(app, &resolved, ask.key, &mut warnings)? {
            Taken::Ready(credential) => profile.credential = credential,
            Taken::Store(key) => stored = Some(key),
        }
    }
    // The owner chose this endpoint or gave this key just now: that is agreement. An edit of
    // anything else must not agree on the owner's behalf.
    let chose_host = ask.provider.is_some() || profile.endpoint != before.endpoint || !keep_key;
    if chose_host {
        profile.approved_hosts = if resolved.needs_key() { resolved.hosts() } else { Vec::new() };
    }
    if !resolved.needs_key() {
        profile.credential = Credential::None;
    }
    // A key that is about to be stored counts as there.
    proxy::check(app, &snapshot, &profile, &resolved)?;
    let output = set_up(app, &snapshot, &profile, &resolved)?;
    if let Some(key) = &stored {
        profile.credential = keys::store(app, caller, &profile.provider, &profile.alias, key)?;
    }
    let files = match finish(app, caller, &profile, &resolved, &output, stored.as_ref()) {
        Ok(files) => files,
        Err(error) => {
            if stored.is_some() {
                let _ = keys::release(app, caller, &profile.credential);
            }
            return Err(error);
        }
    };
    if before.credential != profile.credential
        && let Err(left) = keys::release(app, caller, &before.credential)
    {
        warnings.push(format!("the former key could not be removed: {left}"));
    }
    app.bus.publish("profile/changed", profile.alias.as_str());
    // A new engine may take its time.
    drop(lock);
    warnings.extend(proxy::refresh(app, caller, &profile));
    // Said again only when it has become so.
    let was = resolve(&snapshot, &before).is_ok_and(|r| r.proxy == resolved.proxy);
    let notes = resolved.proxy_note().filter(|_| !was).into_iter().collect();
    Ok(Created { profile, files, warnings, notes, dry_run: false })
}

fn finish(
    app: &App,
    caller: &Caller,
    profile: &Profile,
    resolved: &super::resolve::Resolved,
    output: &crate::wire::scripts::Output,
    key: Option<&crate::base::secret::Secret>,
) -> Result<Vec<String>> {
    let needs_fill = !output.files.is_empty();
    let rekey = key.is_some();
    let key = if needs_fill { fill(app, caller, profile, resolved, key)? } else { None };
    let files = place::write_files(app, profile, output, key.as_ref(), rekey)?;
    app.profiles.replace(profile)?;
    Ok(files)
}

/// The home moves with the name, so that both stay findable.
pub fn rename(app: &App, ask: Rename, _caller: &Caller) -> Result<Created> {
    let to = Alias::parse(&ask.to)?;
    let _lock = app.profiles.lock()?;
    let before = app.profiles.find(&ask.alias)?;
    if before.alias == to {
        return Ok(Created { profile: before, files: Vec::new(), warnings: Vec::new(), notes: Vec::new(), dry_run: false });
    }
    place::require_idle(app, before.alias.as_str(), "renamed")?;
    // It works in the home that is about to move.
    app.proxies.forget(before.alias.as_str())?;
    if app.profiles.exists(&to) {
        return Err(Error::exists(format!("a profile called {:?} exists already", to.as_str())).hint("choose another name"));
    }
    let old_home = Path::new(&before.home).to_owned();
    let new_home = old_home.with_file_name(to.as_str());
    if std::fs::symlink_metadata(&new_home).is_ok() {
        return Err(Error::exists(format!("{} exists already", new_home.display())).hint("move it away, or choose another name"));
    }
    let mut profile = before.clone();
    profile.alias = to;
    profile.home = new_home.to_string_lossy().into_owned();
    let moved = old_home.exists();
    if moved {
        std::fs::rename(&old_home, &new_home).map_err(Error::writing(&new_home))?;
    }
    let commit = app.profiles.create(&profile).and_then(|()| app.profiles.delete(&before.alias));
    if let Err(error) = commit {
        // Back to how it was, as far as it goes.
        let _ = app.profiles.delete(&profile.alias);
        if moved {
            let _ = std::fs::rename(&new_home, &old_home);
        }
        return Err(error);
    }
    app.usage.changed();
    app.budgets.rename(before.alias.as_str(), profile.alias.as_str())?;
    let notes = launchers::rename(app, &before, &profile);
    app.bus.publish("profile/deleted", before.alias.as_str());
    app.bus.publish("profile/created", profile.alias.as_str());
    Ok(Created { profile, files: Vec::new(), warnings: Vec::new(), notes, dry_run: false })
}

/// Same settings and key; a fresh home, or one with the transcripts.
pub fn duplicate(app: &App, ask: Duplicate, caller: &Caller) -> Result<Created> {
    let from = app.profiles.find(&ask.alias)?;
    let key = match &from.credential {
        Credential::None => KeyInput::Absent,
        _ => KeyInput::Reuse { alias: from.alias.to_string() },
    };
    let settings = Settings {
        endpoint: from.endpoint.clone(),
        model: from.model.clone(),
        isolation: Some(from.isolation),
        args: Some(from.args.clone()),
        env: from.env.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect(),
        preferences: from.preferences.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect(),
    };
    let create = Create {
        agent: from.agent.to_string(),
        alias: ask.to,
        provider: from.provider.to_string(),
        settings,
        key,
        proxy: false,
        template: None,
        dry_run: false,
    };
    let mut created = create_profile::create_with(
        app,
        create,
        create_profile::Beside { proxy: from.proxy.clone(), mcp: from.mcp.clone(), hooks: from.hooks.clone() },
        caller,
    )?;
    if ask.history {
        match moving::copy_history(app, &from, &created.profile) {
            Ok(files) => created.notes.push(format!("Copied {files} files of history.")),
            Err(error) => {
                let gone = delete_profile::delete(app, Delete { alias: created.profile.alias.to_string(), purge: true }, caller);
                return Err(match gone {
                    Ok(_) => error,
                    Err(left) => error.hint(format!("the new profile could not be removed again: {left}")),
                });
            }
        }
    }
    Ok(created)
}
