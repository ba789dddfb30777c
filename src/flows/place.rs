//! A profile's home on disk: where, and made ready with links and files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::resolve::Resolved;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        fsx, os,
        paths::{Paths, REAL_HOME_VAR},
        secret::Secret,
    },
    manifests::Snapshot,
    profiles::{Bridge, Fill, PENDING, Real, apply_files, apply_pending, prepare, prepare_tmp},
    wire::{
        envelope::Caller,
        manifest::{AgentManifest, Isolation},
        profiles::Profile,
        scripts::Output,
    },
};

/// Base directories and the variables that move them.
pub(crate) const BASE_DIRS: &[(&str, &str)] =
    &[("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share"), ("XDG_STATE_HOME", ".local/state"), ("XDG_CACHE_HOME", ".cache")];

/// The caller's real home, also for a caller that is itself inside a profile.
pub(crate) fn user_home(caller: &Caller) -> Result<PathBuf> {
    let named = caller
        .env
        .get(REAL_HOME_VAR)
        .or_else(|| caller.env.get("HOME"))
        .or_else(|| caller.env.get("USERPROFILE"))
        .filter(|h| !h.is_empty())
        .map(PathBuf::from);
    let home = named.or_else(|| directories::BaseDirs::new().map(|b| b.home_dir().to_owned()));
    match home {
        Some(home) if home.is_absolute() => Ok(home),
        _ => Err(Error::invalid("no home directory is known for this user").hint("set HOME")),
    }
}

/// Makes the home of a profile ready for a run or at creation. Returns warnings.
pub(crate) fn ready(app: &App, snapshot: &Snapshot, caller: &Caller, profile: &Profile, resolved: &Resolved) -> Result<Vec<String>> {
    let home = Path::new(&profile.home);
    let spec = &resolved.agent.item.isolation;
    prepare(home, &spec.dirs)?;
    prepare_tmp(&app.paths.profile_tmp(&os::temp_dir(&app.runtime), &profile.agent, &profile.alias))?;
    let agents = snapshot.agents.values().flat_map(|a| a.item.isolation.isolated.iter().cloned());
    let isolated: BTreeSet<String> = agents.chain(spec.hidden.iter().cloned()).chain([Paths::PROXY_DIR.to_owned()]).collect();
    for (_, place) in shared(app, &resolved.agent.item) {
        fsx::create_private_dir(&place)?;
    }
    let moved =
        BASE_DIRS.iter().filter_map(|(var, below)| Some((*below, caller.env.get(*var).filter(|v| !v.is_empty()).map(PathBuf::from)?)));
    let real = Real { home: user_home(caller)?, moved: moved.filter(|(_, place)| place.is_absolute()).collect() };
    // A run from inside this very profile would link the home to itself.
    if real.home == home {
        return Ok(Vec::new());
    }
    let bridge = Bridge::new(&real, home, &isolated);
    let replaced = match profile.isolation {
        Isolation::HomeWrapper => bridge.build()?,
        Isolation::ConfigDir => {
            let own: Vec<&str> = BASE_DIRS.iter().map(|(_, below)| *below).filter(|below| spec.env.values().any(|v| v == below)).collect();
            if own.is_empty() { Vec::new() } else { bridge.build_below(&own)? }
        }
    };
    Ok(replaced.iter().map(|path| replaced_warning(home, path)).collect())
}

/// Directories that an agent's profiles have in common, by variable.
pub(crate) fn shared(app: &App, agent: &AgentManifest) -> impl Iterator<Item = (String, PathBuf)> {
    let base = app.paths.shared_dir(&agent.id);
    agent.isolation.shared.clone().into_iter().map(move |(var, below)| (var, base.join(below)))
}

pub(crate) fn replaced_warning(home: &Path, path: &str) -> String {
    format!(
        "{path} in the profile was a link to your home and is a file of its own now; compare it and remove {} to link it again",
        home.join(path).display()
    )
}

/// Writes the script's files. While an agent runs in the home nothing of its configuration is touched.
pub(crate) fn write_files(app: &App, profile: &Profile, output: &Output, key: Option<&Secret>, rekey: bool) -> Result<Vec<String>> {
    let home = Path::new(&profile.home);
    if output.files.is_empty() && !home.join(PENDING).exists() || live_sessions(app, profile.alias.as_str())? > 0 {
        return Ok(Vec::new());
    }
    let mut written = apply_files(home, &output.files, &Fill { key, rekey })?;
    written.extend(apply_pending(home)?);
    Ok(written)
}

pub(crate) fn live_sessions(app: &App, alias: &str) -> Result<usize> {
    Ok(app.sessions.live()?.iter().filter(|s| s.profile == alias).count())
}

/// Refuses a change that a running agent would not survive.
pub(crate) fn require_idle(app: &App, alias: &str, action: &str) -> Result<()> {
    match live_sessions(app, alias)? {
        0 => Ok(()),
        n => Err(Error::conflict(format!(
            "profile {alias} cannot be {action}: {n} of its sessions {} running",
            if n == 1 { "is" } else { "are" }
        ))
        .hint(format!("see them: clown sessions list --live --profile {alias}"))),
    }
}
