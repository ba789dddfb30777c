//! What all requests of a proxy share.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::watch;

use super::{meter::Meter, upstream::Upstream};
use crate::{
    base::error::{Error, Result},
    proxy::{
        config::{self, File},
        route::Table,
    },
};

pub(super) struct Engine {
    pub(super) port: u16,
    pub(super) upstream: Upstream,
    pub(super) meter: Arc<Meter>,
    config: PathBuf,
    /** Guards which configuration is in force; held for a clone only. */
    current: Mutex<Current>,
    turns: AtomicUsize,
    lots: AtomicUsize,
    stop: watch::Sender<bool>,
}

struct Current {
    table: Arc<Table>,
    /// blake3 of the file in force.
    hash: String,
    /// Why a newer file was not taken.
    mistake: Option<String>,
}

/// A configuration as it was read.
pub(super) struct Loaded {
    pub(super) table: Table,
    pub(super) host: String,
    pub(super) port: u16,
    hash: String,
}

/// Reads and checks a file. The message has file, line and key.
pub(super) fn load(path: &Path) -> Result<Loaded> {
    let text = std::fs::read_to_string(path).map_err(Error::reading(path))?;
    let wrong = |mistake: config::Mistake| {
        Error::invalid(format!("{}: {mistake}", path.display())).hint("mend it and try again; a running proxy keeps what it had")
    };
    let file: File = config::load(&text).map_err(wrong)?;
    let table = config::compile(&file, &|name| std::env::var(name).ok()).map_err(wrong)?;
    Ok(Loaded { table, host: file.server.host, port: file.server.port, hash: blake3::hash(text.as_bytes()).to_hex().to_string() })
}

impl Engine {
    pub(super) fn new(config: PathBuf, loaded: Loaded, port: u16) -> Self {
        let Loaded { table, hash, .. } = loaded;
        Self {
            port,
            upstream: Upstream::new(table.times.connect),
            meter: Arc::new(Meter::new()),
            config,
            current: Mutex::new(Current { table: Arc::new(table), hash, mistake: None }),
            turns: AtomicUsize::new(0),
            lots: AtomicUsize::new(0),
            stop: watch::Sender::new(false),
        }
    }

    fn with<T>(&self, see: impl FnOnce(&mut Current) -> T) -> T {
        see(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.with(|c| c.table.clone())
    }

    /// Takes the file as it is now, or keeps what it has and remembers why.
    pub(super) fn reload(&self) {
        match load(&self.config) {
            Ok(loaded) => {
                self.with(|c| *c = Current { table: Arc::new(loaded.table), hash: loaded.hash, mistake: None });
                tracing::info!("the configuration was read again");
            }
            Err(error) => {
                tracing::error!(%error, "the configuration was not taken");
                self.with(|c| c.mistake = Some(error.to_string()));
            }
        }
    }

    pub(super) fn health(&self) -> serde_json::Value {
        let (hash, mistake) = self.with(|c| (c.hash.clone(), c.mistake.clone()));
        let mut health = serde_json::json!({ "status": "ok", "pid": std::process::id(), "config": hash, "version": env!("CARGO_PKG_VERSION"), "times": self.meter.times.seen() });
        if let (Some(object), Some(mistake)) = (health.as_object_mut(), mistake) {
            object.insert("config_error".into(), mistake.into());
        }
        health
    }

    /// Which of several keys begins: always the same for one conversation, each in turn without one.
    pub(super) fn turn(&self, affinity: &str, keys: usize) -> usize {
        if keys < 2 {
            return 0;
        }
        if affinity.is_empty() {
            return self.turns.fetch_add(1, Ordering::Relaxed) % keys;
        }
        blake3::hash(affinity.as_bytes()).as_bytes().first().map_or(0, |b| usize::from(*b) % keys)
    }

    /// Requests without a session are spread one by one.
    pub(super) fn lot(&self) -> String {
        self.lots.fetch_add(1, Ordering::Relaxed).to_string()
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Ends the streams that are still open.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }
}
