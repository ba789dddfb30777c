//! What is known of an instance: to others, and on disk.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::engine::Program;
use crate::{
    base::{
        error::{Error, Result},
        fsx,
        secret::Secret,
    },
    wire::{proxy::State, sessions::Process},
};

/// What to run.
pub struct Launch {
    pub program: Program,
    /// The file, and what belongs into it.
    pub config: PathBuf,
    pub text: String,
    pub log: PathBuf,
    /// Grows with each request.
    pub usage: PathBuf,
    /// The port that the text was made for.
    pub port: u16,
    /// Variables with keys; none: those that the running engine has.
    pub keys: Option<Vec<(String, Secret)>>,
    /// Of the variables and where their keys come from.
    pub key_mark: String,
    /// Of everything but the keys themselves.
    pub mark: String,
}

impl Launch {
    /// Whether an engine started with `before` has the keys that this one wants.
    pub(super) fn keeps_keys(&self, before: &Self) -> bool {
        let plain = |keys: &[(String, Secret)]| -> Vec<_> { keys.iter().map(|(_, k)| blake3::hash(k.expose().as_bytes())).collect() };
        let same = match (&self.keys, &before.keys) {
            (Some(new), Some(old)) => plain(new) == plain(old),
            _ => true,
        };
        same && self.key_mark == before.key_mark
    }

    /// Another of the same, for another try.
    pub(super) fn again(&self) -> Self {
        let again = |keys: &Vec<(String, Secret)>| keys.iter().map(|(n, k)| (n.clone(), Secret::new(k.expose().to_owned()))).collect();
        Self {
            program: self.program.clone(),
            config: self.config.clone(),
            text: self.text.clone(),
            log: self.log.clone(),
            usage: self.usage.clone(),
            port: self.port,
            keys: self.keys.as_ref().map(again),
            key_mark: self.key_mark.clone(),
            mark: self.mark.clone(),
        }
    }
}

/// How a profile uses its instance.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether a session is live.
    pub busy: bool,
    /// How long an unused one stays; none: for ever.
    pub idle: Option<Duration>,
}

/// An instance as others see it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub state: State,
    pub port: Option<u16>,
    pub pid: Option<u32>,
    pub engine: Option<String>,
    /// RFC 3339.
    pub since: Option<String>,
    pub restarts: u32,
    pub problem: Option<String>,
    /// Of the launch in force.
    pub mark: Option<String>,
}

impl Seen {
    pub(super) fn stopped(port: Option<u16>) -> Self {
        Self { state: State::Stopped, port, pid: None, engine: None, since: None, restarts: 0, problem: None, mark: None }
    }
}

/// `proxies/<alias>.json`, for the daemon after this one. 0600: the master key opens the instance to
/// this user's programs, and to nothing else.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Stored {
    pub version: u32,
    /// Kept while nothing runs, so that the address stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<StoredRun>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredRun {
    #[serde(flatten)]
    pub process: Process,
    pub master: String,
    /// `embedded`, or a path.
    pub engine: String,
    pub since: String,
    pub restarts: u32,
    pub mark: String,
    pub key_mark: String,
    pub log: PathBuf,
    pub usage: PathBuf,
}

pub(super) const STORED_VERSION: u32 = 1;

pub(super) fn file(dir: &Path, alias: &str) -> PathBuf {
    dir.join(format!("{alias}.json"))
}

/// A file that cannot be read says nothing: it holds only what can be found out again.
pub(super) fn read(dir: &Path, alias: &str) -> Stored {
    let bytes = fsx::read_optional(&file(dir, alias)).ok().flatten().unwrap_or_default();
    serde_json::from_slice(&bytes).ok().filter(|s: &Stored| s.version == STORED_VERSION).unwrap_or_default()
}

pub(super) fn write(dir: &Path, alias: &str, stored: &Stored) -> Result<()> {
    let text = zeroize::Zeroizing::new(serde_json::to_vec(stored).map_err(|e| Error::io("cannot encode a proxy's state").cause(e))?);
    fsx::write_atomic(&file(dir, alias), &text, fsx::Mode::Private)
}

/// Aliases that have a file.
pub(super) fn known(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter_map(|n| n.strip_suffix(".json").map(str::to_owned)).collect();
    names.sort();
    names
}
