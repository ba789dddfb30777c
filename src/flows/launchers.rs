//! Launchers on PATH, and what becomes of them with their profiles.

use std::path::{Path, PathBuf};

use super::place;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        os,
    },
    launchers::Store,
    wire::{
        envelope::Caller,
        ids::Alias,
        launchers::{Install, Installed, Launcher, Launchers, List, Row, State, Target, Uninstall},
        profiles::Profile,
    },
};

pub fn install(app: &App, ask: Install, caller: &Caller) -> Result<Installed> {
    let (usual, target) = match ask.target {
        Target::Profile { alias } => {
            let profile = app.profiles.find(&alias)?;
            (usual_name(&profile), Target::Profile { alias: profile.alias.to_string() })
        }
        Target::Agent { id } => {
            let snapshot = app.manifests.snapshot();
            let agent = &snapshot.agent(&id)?.item;
            let program = agent.binaries.first().cloned().unwrap_or_else(|| agent.id.to_string());
            (program, Target::Agent { id: agent.id.to_string() })
        }
    };
    // A name of a command is checked like one of a profile: it becomes a file.
    let name = Alias::parse(ask.name.as_deref().unwrap_or(&usual))?.to_string();
    let dir = match ask.bin_dir {
        Some(dir) => PathBuf::from(dir),
        None => place::user_home(caller)?.join(".local").join("bin"),
    };
    for path in [dir.as_path(), Path::new(&ask.program)] {
        if !path.is_absolute() {
            return Err(Error::invalid(format!("{} is no absolute path", path.display())).hint("give the whole path"));
        }
    }
    let path = Store::place(&dir, &name);
    let text =
        path.to_str().ok_or_else(|| Error::invalid(format!("{} is not valid UTF-8", path.display())).hint("choose another --bin-dir"))?;
    if text.contains(|c: char| c.is_control() || c == '"') || ask.program.contains(|c: char| c.is_control() || c == '"') {
        return Err(Error::invalid("a path of a launcher holds no quotation mark and no line break").hint("choose another --bin-dir"));
    }
    let launcher = Launcher { name, path: text.to_owned(), program: ask.program, target };
    app.launchers.install(&launcher)?;
    let mut warnings = Vec::new();
    let first = first_on_path(caller, &launcher);
    let found = first.as_deref() == Some(Path::new(&launcher.path));
    if !found {
        warnings.push(match first {
            Some(other) => format!("{} comes first on your PATH; put {} before it", other.display(), dir.display()),
            None => format!("{} is not on your PATH; add it: export PATH=\"{}:$PATH\"", dir.display(), dir.display()),
        });
    }
    Ok(Installed { launcher, found, warnings })
}

pub fn uninstall(app: &App, ask: Uninstall, _caller: &Caller) -> Result<Launcher> {
    app.launchers.uninstall(&ask.name)
}

pub fn list(app: &App, _ask: List, caller: &Caller) -> Result<Launchers> {
    let state = |launcher: &Launcher| {
        let path = Path::new(&launcher.path);
        match std::fs::symlink_metadata(path) {
            Err(_) => State::Missing,
            Ok(meta) if !meta.is_file() || !crate::base::launcher::is_launcher(path) => State::Foreign,
            Ok(_) if first_on_path(caller, launcher).as_deref() != Some(path) => State::NotOnPath,
            Ok(_) => State::Ready,
        }
    };
    let rows = app.launchers.list()?.into_iter().map(|launcher| Row { state: state(&launcher), launcher });
    Ok(Launchers { launchers: rows.collect() })
}

/// Removes the launchers of a profile that is no more; what is to be told of it.
pub(crate) fn forget(app: &App, alias: &str) -> Vec<String> {
    let listed = app.launchers.list().unwrap_or_default();
    let own = listed.iter().filter(|launcher| launcher.runs(alias));
    own.map(|launcher| match app.launchers.uninstall(&launcher.name) {
        Ok(gone) => format!("its launcher was removed: {}", gone.path),
        Err(error) => error.to_string(),
    })
    .collect()
}

/// Launchers of a renamed profile run it under its new name, and one with the usual name is renamed as well.
pub(crate) fn rename(app: &App, before: &Profile, after: &Profile) -> Vec<String> {
    let listed = app.launchers.list().unwrap_or_default();
    let own = listed.into_iter().filter(|launcher| launcher.runs(before.alias.as_str()));
    own.flat_map(|old| {
        let target = Target::Profile { alias: after.alias.to_string() };
        let dir = Path::new(&old.path).parent().unwrap_or(Path::new("/"));
        let name = if old.name == usual_name(before) { usual_name(after) } else { old.name.clone() };
        let path = Store::place(dir, &name).to_string_lossy().into_owned();
        let new = Launcher { name, path, target: target.clone(), ..old.clone() };
        let moved = app.launchers.install(&new);
        match moved {
            Ok(()) if new.name != old.name => {
                let _ = app.launchers.uninstall(&old.name);
                vec![format!("Its launcher is called {} now.", new.name)]
            }
            Ok(()) => Vec::new(),
            Err(error) => {
                // The new name is taken; the old one goes on, for the renamed profile.
                let kept = app.launchers.install(&Launcher { target, ..old.clone() });
                let said = format!("Its launcher is still called {}: {error}", old.name);
                std::iter::once(said).chain(kept.err().map(|e| e.to_string())).collect()
            }
        }
    })
    .collect()
}

fn usual_name(profile: &Profile) -> String {
    format!("{}-{}", profile.agent, profile.alias)
}

/// The program that the caller's PATH leads to under a launcher's name.
fn first_on_path(caller: &Caller, launcher: &Launcher) -> Option<PathBuf> {
    let path = caller.env.get("PATH").map(String::as_str).unwrap_or_default();
    let file = Path::new(&launcher.path).file_name()?;
    os::path_dirs(path).into_iter().map(|dir| dir.join(file)).find(|p| os::is_executable(p))
}
