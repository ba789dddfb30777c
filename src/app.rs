//! The rooms, built once, and what the process around them offers.

use std::{path::PathBuf, sync::Arc};

use crate::{
    agents::Detector,
    base::{
        error::Result,
        paths::Paths,
        seams::{Seams, SystemClock, SystemSpawn},
        secret::vault::SystemVault,
    },
    config::ConfigFile,
    events::Bus,
    manifests::Manifests,
    profiles::Store,
    proxy::manager::Instances,
    scripting::Scripts,
    sessions::Sessions,
    wire::{daemon::StatusReply, runs::Exit, sessions::Session},
};

pub use crate::providers::Tokens;

/// What only the daemon's process can do.
pub trait Host: Send + Sync {
    /// Port of the local model's server, opened at first need.
    fn offline_port(&self) -> Result<u16>;
    /// Watches the process of a live session; closes the record when it ends.
    fn watch(&self, session: &Session);
    fn status(&self) -> StatusReply;
    /// What tasks run on; there is none outside of a daemon.
    fn runtime(&self) -> Result<tokio::runtime::Handle>;
    /// Keeps the daemon alive until dropped.
    fn guard(&self, what: String) -> Box<dyn Send + Sync>;
    /// Runs work that nobody waits for; the daemon stays until it is done.
    fn later(&self, job: Box<dyn FnOnce() + Send>);
    /// Begins an orderly end.
    fn stop(&self);
    fn set_log_level(&self, level: &str) -> Result<()>;
}

/// What the rooms are built on.
pub struct Ground {
    pub seams: Seams,
    pub bus: Arc<Bus>,
    pub tokens: Arc<Tokens>,
}

impl Ground {
    /// The real clock, processes and key stores.
    pub fn system(paths: &Paths) -> Self {
        let spawn = Arc::new(SystemSpawn);
        let config = ConfigFile::new(paths.config_file());
        let vault =
            SystemVault { spawn: spawn.clone(), keys_file: paths.keys_file(), backend: Box::new(move || config.text("secrets.backend")) };
        let clock = Arc::new(SystemClock);
        Self { bus: Arc::new(Bus::new(clock.clone())), tokens: Arc::default(), seams: Seams { clock, spawn, vault: Arc::new(vault) } }
    }
}

pub struct App {
    pub paths: Paths,
    /// The 0700 directory for sockets and profiles' TMPDIRs.
    pub runtime: PathBuf,
    pub seams: Seams,
    pub config: ConfigFile,
    pub manifests: Manifests,
    pub detector: Detector,
    pub profiles: Store,
    pub scripts: Scripts,
    pub sessions: Sessions,
    pub bus: Arc<Bus>,
    pub tokens: Arc<Tokens>,
    pub host: Arc<dyn Host>,
    pub proxies: Instances,
    house: Arc<crate::flows::proxy::Rooms>,
}

impl App {
    pub fn new(paths: Paths, runtime: PathBuf, ground: Ground, host: Arc<dyn Host>) -> Self {
        let Ground { seams, bus, tokens } = ground;
        let house = Arc::<crate::flows::proxy::Rooms>::default();
        Self {
            proxies: Instances::new(paths.proxies_dir(), house.clone()),
            house,
            config: ConfigFile::new(paths.config_file()),
            manifests: Manifests::new(&paths),
            detector: Detector::new(paths.detections_file(), Arc::clone(&seams.spawn)),
            profiles: Store::new(paths.clone()),
            scripts: Scripts::new(Arc::clone(&seams.spawn)),
            sessions: Sessions::new(paths.sessions_file(), {
                let host = Arc::clone(&host);
                Box::new(move |job| host.later(job))
            }),
            bus,
            tokens,
            paths,
            runtime,
            seams,
            host,
        }
    }

    /// Lets proxies reach the rooms, and takes over those that an earlier daemon left.
    pub fn settle(self: &Arc<Self>) {
        self.house.settle(self);
        crate::flows::proxy::adopt(self);
    }

    /// Closes a session that the process watch saw ending.
    pub fn close_session(&self, id: &str, exit: Exit) -> Result<()> {
        crate::flows::run_profile::close(self, id, exit)
    }

    pub fn now(&self) -> String {
        crate::base::seams::rfc3339(&*self.seams.clock)
    }
}
