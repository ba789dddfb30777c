//! skeleton

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
        seams::{Clock, Fetch},
    },
    wire::{
        manifest::Problem,
        registry::{Channel, Differences, Kind, Linted, State, Synced, Verified},
    },
};

/// Judges the content of an entry: kind, id, bytes.
pub type Check<'a> = &'a dyn Fn(Kind, &str, &[u8]) -> Result<(), Problem>;

/// What the user set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub url: Option<String>,
    pub channel: Channel,
    /// Public keys as `minisign` prints them; empty: the built-in root.
    pub trusted_keys: Vec<String>,
    /// Signatures needed; `None`: more than half of the keys.
    pub threshold: Option<u32>,
    /// PEM file of a certificate authority, besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// A file got under the registry's network rules; nobody vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    New { bytes: Vec<u8>, etag: Option<String> },
    Same,
}

pub struct Registry {
    #[expect(dead_code)]
    dir: PathBuf,
    #[expect(dead_code)]
    fetch: Arc<dyn Fetch>,
    #[expect(dead_code)]
    clock: Arc<dyn Clock>,
}

fn later<T>() -> Result<T> {
    Err(Error::unsupported("not there yet"))
}

impl Registry {
    pub fn new(paths: &Paths, fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Self {
        Self { dir: paths.registry_dir(), fetch, clock }
    }

    /// At the start of the daemon, before any call: removes what a killed sync left and mends locks that lag behind `current`.
    pub fn settle(&self, _settings: &Settings) -> Result<()> {
        Ok(())
    }

    /// Brings the channel's newest into force. Prices are the flow's; the reply has none.
    pub fn sync(&self, _settings: &Settings, _force: bool, _offline: bool, _check: Check<'_>) -> Result<Synced> {
        later()
    }

    /// What a sync would change. Writes nothing.
    pub fn differences(&self, _settings: &Settings, _check: Check<'_>) -> Result<Differences> {
        later()
    }

    /// What is there. No network; `refresh_hours`, `last_error` and the prices are the flow's to fill in.
    pub fn state(&self, _settings: &Settings) -> Result<State> {
        later()
    }

    /// Stays at a commit (or the version number of a held one of the channel); `None`: follows the channel again, from the next sync on.
    pub fn pin(&self, _settings: &Settings, _reference: Option<&str>, _check: Check<'_>) -> Result<()> {
        later()
    }

    /// Checks signatures and every artifact of `current` again.
    pub fn verify(&self, _settings: &Settings) -> Result<Verified> {
        later()
    }

    /// Checks a publisher's working tree.
    pub fn lint(_dir: &Path, _check: Check<'_>) -> Result<Linted> {
        later()
    }

    /// Gets a file under the same network rules, at most `max` bytes. Nothing vouches for its content.
    pub fn fetch_file(&self, _settings: &Settings, _url: &str, _etag: Option<&str>, _max: u64) -> Result<Fetched> {
        later()
    }
}
