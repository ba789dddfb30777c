//! `daemon-endpoint`: written by the daemon, read by every client.

use std::path::{Path, PathBuf};

use crate::{
    base::{
        error::{Error, Result},
        fsx, os,
        paths::{Paths, SOCKET_PATH_MAX},
    },
    wire::daemon::EndpointFile,
};

pub const STORED_VERSION: u32 = 1;

/// `None` when no daemon has written it, or what is there is none of ours.
pub fn read(paths: &Paths) -> Option<EndpointFile> {
    let bytes = std::fs::read(paths.endpoint_file()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub fn write(paths: &Paths, endpoint: &EndpointFile) -> Result<()> {
    let text = serde_json::to_vec_pretty(endpoint).map_err(|e| Error::io("cannot encode the endpoint").cause(e))?;
    fsx::write_atomic(&paths.endpoint_file(), &text, fsx::Mode::Private)
}

/// Removes the file, but not one that a successor wrote.
pub fn forget(paths: &Paths, ours: &EndpointFile) {
    if read(paths).as_ref() == Some(ours) {
        let _ = fsx::remove(&paths.endpoint_file());
    }
}

/// The path of an `ipc://` address.
pub fn path_of(address: &str) -> Option<PathBuf> {
    address.strip_prefix("ipc://").map(PathBuf::from)
}

pub fn address_of(path: &Path) -> String {
    format!("ipc://{}", path.display())
}

/// The events socket stands beside the calls socket.
pub fn events_path(calls: &Path) -> PathBuf {
    let mut name = calls.as_os_str().to_owned();
    name.push(".events");
    PathBuf::from(name)
}

/// Where clients look, best first: the endpoint file, else where a daemon would listen.
pub fn candidates(paths: &Paths) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if std::env::var_os(crate::base::paths::ENDPOINT_VAR).is_none_or(|v| v.is_empty())
        && let Some(path) = read(paths).and_then(|e| path_of(&e.ipc))
    {
        found.push(path);
    }
    if found.is_empty()
        && let Ok(runtime) = os::runtime_dir()
    {
        found = paths.socket_candidates(&runtime);
        // The well-known name may be another tree's daemon; only the file vouches for it.
        found.retain(|p| *p != os::well_known_socket());
    }
    found
}

/// Refuses a path that would be cut or mistaken by the system.
pub fn check_place(path: &Path) -> Result<()> {
    // The daemon and its clients have different working directories.
    if cfg!(unix) && !path.is_absolute() {
        return Err(Error::invalid(format!("the socket path {:?} is not absolute", path.display().to_string()))
            .hint("give CLOWN_DAEMON_ENDPOINT a path that begins with /"));
    }
    let longest = events_path(path).as_os_str().len();
    if longest > SOCKET_PATH_MAX {
        return Err(Error::invalid(format!("the socket path {} is too long: {longest} of {SOCKET_PATH_MAX} bytes", path.display()))
            .hint("choose a shorter path for CLOWN_DAEMON_ENDPOINT"));
    }
    Ok(())
}
