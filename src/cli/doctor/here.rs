//! What only the client sees: its own program, how it found its tree, and whether a daemon answers.

use std::path::PathBuf;

use crate::{
    base::{
        os,
        paths::{HOME_VAR, Paths},
        upkeep::failed,
    },
    ipc::{
        client::{Client, Lost},
        endpoint,
    },
    wire::{
        PROTOCOL,
        daemon::Status,
        doctor::{Finding, Level},
        error::Code,
    },
};

/// Which program this is, and which one the shell would start.
pub(super) fn program() -> Vec<Finding> {
    let version = env!("CARGO_PKG_VERSION");
    let own = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let shown = own.as_ref().map_or_else(|| "a file that was replaced".to_owned(), |p| p.display().to_string());
    let mut found = vec![Finding::new("program", Level::Ok, format!("clown {version} (protocol {PROTOCOL}) at {shown}"))];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = os::program_names("clown");
    let candidates = std::env::split_paths(&path).flat_map(|dir| names.iter().map(move |name| dir.join(name)).collect::<Vec<_>>());
    let first = candidates.filter(|file| os::is_executable(file)).find_map(|file| std::fs::canonicalize(file).ok());
    match (first, own) {
        (Some(first), Some(own)) if first != own => {
            let what = format!("the clown your shell finds first is another one, {}", first.display());
            found.push(Finding::new("program", Level::Warning, what).fix("remove one of them, or change the order of PATH"));
        }
        (None, Some(own)) => {
            let dir = own.parent().map(|dir| dir.display().to_string()).unwrap_or_default();
            found.push(Finding::new("program", Level::Note, "clown is not on your PATH").fix(format!("add {dir} to PATH")));
        }
        _ => {}
    }
    found
}

pub(super) fn tree(paths: &Paths) -> Finding {
    let moved = std::env::var_os(HOME_VAR).is_some_and(|v| !v.is_empty());
    let xdg = std::env::var_os("XDG_CONFIG_HOME").is_some_and(|v| !v.is_empty());
    let why = match (moved, xdg) {
        (true, _) => "because CLOWN_HOME says so",
        (false, true) => "because XDG_CONFIG_HOME says so",
        (false, false) => "the usual place",
    };
    let there = if paths.root().is_dir() { "" } else { "; it is made by the first command that needs it" };
    Finding::new("tree", Level::Ok, format!("everything is in {}, {why}{there}", paths.root().display()))
}

/// A connection, when a daemon answers.
pub(super) fn daemon(paths: &Paths) -> (Option<Client>, Vec<Finding>) {
    let mut found = sockets(paths);
    let mut client = match Client::connect(paths) {
        Ok(client) => client,
        Err(error) if error.code() == Code::Unreachable => {
            found.push(Finding::new("daemon", Level::Note, "none runs; commands that need one start it"));
            return (None, found);
        }
        Err(error) => {
            found.push(failed("daemon", &error));
            return (None, found);
        }
    };
    let status = match client.call(&Status {}).map_err(Lost::into_error) {
        Ok(status) => status,
        Err(error) => {
            found.push(failed("daemon", &error));
            return (None, found);
        }
    };
    found.push(Finding::new("daemon", Level::Ok, format!("process {} answers at {}", status.pid, status.endpoint)));
    if let Some((ours, theirs)) = client.other_version() {
        let what = format!("the daemon is clown {theirs}, this is {ours}");
        found.push(Finding::new("daemon", Level::Warning, what).fix("clown daemon stop; the next command starts this one"));
    }
    if status.defects > 0 {
        let what = format!("{} calls ended in a mistake of clown's own", status.defects);
        found.push(Finding::new("daemon", Level::Warning, what).fix("see what it says of defects: clown daemon logs"));
    }
    if status.heals > 0 {
        let what = format!("its listener was opened again {} times", status.heals);
        found.push(Finding::new("daemon", Level::Note, what));
    }
    (Some(client), found)
}

/// Places where other users could come between.
fn sockets(paths: &Paths) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Err(error) = os::runtime_dir() {
        found.push(failed("socket", &error));
    }
    let file = endpoint::read(paths);
    let sockets = file.iter().flat_map(|file| [&file.ipc, &file.events]).filter_map(|address| endpoint::path_of(address));
    found.extend(sockets.filter_map(|path: PathBuf| {
        let mode = os::mode(&path).filter(|mode| mode & 0o077 != 0)?;
        let what = format!("other users may open the daemon's socket {} (mode {mode:04o})", path.display());
        Some(Finding::new("socket", Level::Warning, what).fix("renew it: clown daemon stop, then clown daemon start"))
    }));
    found
}

/// What needs a daemon.
pub(super) fn unseen() -> Finding {
    let what = "settings, keys, ports, registry, prices, agents and profiles were not looked at, because no daemon answers";
    Finding::new("daemon", Level::Note, what).fix("clown daemon start, then clown doctor")
}
