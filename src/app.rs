//! The rooms, built once, and what the process around them offers.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak, atomic::AtomicU64},
};

use crate::{
    agents::Detector,
    audit::Audit,
    base::{
        error::Result,
        fetch::SystemFetch,
        paths::Paths,
        seams::{Seams, SystemClock, SystemSpawn},
        secret::vault::SystemVault,
    },
    config::ConfigFile,
    events::Bus,
    launchers,
    manifests::Manifests,
    mcp, plugins,
    profiles::Store,
    providers::offline,
    proxy::manager::Instances,
    registry::Registry,
    router::Tally,
    scripting::{Approvals, Scripts},
    sessions::Sessions,
    usage::{
        budgets::Budgets,
        logs::Logs,
        pricing::{Override, Overrides, Prices},
        service::Usage,
        watch::Watch,
    },
    wire::{daemon::StatusReply, http::Link, runs::Exit, sessions::Session},
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
    /// Lets a browser in, once.
    fn login_link(&self) -> Result<Link>;
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
        let fetch = Arc::new(SystemFetch::default());
        let seams = Seams { clock: clock.clone(), spawn, vault: Arc::new(vault), fetch };
        Self { bus: Arc::new(Bus::new(clock)), tokens: Arc::default(), seams }
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
    pub approvals: Approvals,
    pub launchers: launchers::Store,
    pub mcp: mcp::Store,
    pub audit: Audit,
    pub plugins: plugins::Store,
    pub lanes: plugins::Lanes,
    pub sessions: Sessions,
    pub bus: Arc<Bus>,
    pub tokens: Arc<Tokens>,
    pub host: Arc<dyn Host>,
    /// What became of calls.
    pub tally: Tally,
    pub proxies: Instances,
    pub registry: Registry,
    /// When the registry is asked next, and why the last try failed.
    pub refresh: Arc<crate::flows::registry::Refresh>,
    pub usage: Usage,
    /// What the file of prices looked like when it was read, and why the user's own prices are not used.
    prices_read: Mutex<(FileMark, Option<String>)>,
    pub budgets: Budgets,
    /// Levels that were told of, by profile and whether it is the month's. Held for a look only.
    pub levels: Mutex<HashMap<(String, bool), u8>>,
    /// The sums that were told of last.
    pub told: AtomicU64,
    /// Opened with the first question about usage, and only in a daemon.
    pub watch: OnceLock<Option<Watch>>,
    /// For work that outlives a call; set in a daemon.
    pub me: OnceLock<Weak<App>>,
    house: Arc<crate::flows::proxy::Rooms>,
}

impl App {
    pub fn new(paths: Paths, runtime: PathBuf, ground: Ground, host: Arc<dyn Host>) -> Self {
        let Ground { seams, bus, tokens } = ground;
        let house = Arc::<crate::flows::proxy::Rooms>::default();
        let config = ConfigFile::new(paths.config_file());
        let mark = file_mark(&paths.prices_file());
        let (prices, prices_problem) = prices(&paths, &config);
        Self {
            usage: Usage::new(Box::new(Logs::new(paths.usage_dir())), prices),
            prices_read: Mutex::new((mark, prices_problem)),
            budgets: Budgets::new(paths.budgets_file()),
            levels: Mutex::default(),
            told: AtomicU64::new(0),
            watch: OnceLock::new(),
            me: OnceLock::new(),
            registry: Registry::new(&paths, Arc::clone(&seams.fetch), Arc::clone(&seams.clock), {
                let bus = Arc::clone(&bus);
                Box::new(move || bus.publish("registry/progress", "sync"))
            }),
            refresh: Default::default(),
            proxies: Instances::new(paths.proxies_dir(), house.clone()),
            house,
            config,
            manifests: Manifests::new(&paths),
            detector: Detector::new(paths.clone(), Arc::clone(&seams.spawn)),
            profiles: Store::new(paths.clone()),
            scripts: Scripts::new(Arc::clone(&seams.spawn)),
            approvals: Approvals::new(paths.approvals_file(), paths.approvals_dir()),
            launchers: launchers::Store::new(paths.launchers_file(), paths.moved_to()),
            mcp: mcp::Store::new(paths.mcp_file()),
            audit: Audit::new(paths.audit_file()),
            plugins: plugins::Store::new(paths.plugins_dir(), paths.plugins_file()),
            lanes: plugins::Lanes::default(),
            sessions: Sessions::new(paths.sessions_file(), {
                let host = Arc::clone(&host);
                Box::new(move |job| host.later(job))
            }),
            bus,
            tally: Tally::default(),
            tokens,
            paths,
            runtime,
            seams,
            host,
        }
    }

    /// Lets proxies reach the rooms, and takes over those that an earlier daemon left.
    pub fn settle(self: &Arc<Self>) {
        let _ = self.me.set(Arc::downgrade(self));
        crate::flows::registry::settle(self);
        crate::flows::plugins::settle(self);
        self.house.settle(self);
        crate::flows::proxy::adopt(self);
    }

    /// Undoes an import that a daemon was killed in. Before anybody reads.
    pub fn recover(&self) -> Result<()> {
        crate::flows::moving::recover(self)
    }

    /// Where figures are sent and how often; `None`: nowhere.
    pub fn metrics_export(&self) -> Result<Option<(String, std::time::Duration)>> {
        crate::flows::otel::settings(self)
    }

    /// Sends the figures once; waits.
    pub fn export_metrics(&self, endpoint: &str) -> Result<()> {
        crate::flows::otel::export(self, endpoint)
    }

    /// Closes a session that the process watch saw ending.
    pub fn close_session(&self, id: &str, exit: Exit) -> Result<()> {
        crate::flows::run_profile::close(self, id, exit)
    }

    /// Takes the prices of the registry's file when it is another one than before.
    pub fn look_for_prices(&self) {
        let mut read = self.prices_read.lock().unwrap_or_else(PoisonError::into_inner);
        // Before reading: a change meanwhile is seen at the next look.
        let mark = file_mark(&self.paths.prices_file());
        if read.0 != mark {
            let (prices, problem) = prices(&self.paths, &self.config);
            *read = (mark, problem);
            self.usage.set_prices(prices);
        }
    }

    pub fn prices_problem(&self) -> Option<String> {
        self.prices_read.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    pub fn now(&self) -> String {
        crate::base::seams::rfc3339(&*self.seams.clock)
    }
}

/// Size, time, and on Unix the number of a file; absent when it is.
type FileMark = Option<(u64, Option<std::time::SystemTime>, u64)>;

fn file_mark(path: &std::path::Path) -> FileMark {
    let meta = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((meta.len(), meta.modified().ok(), number))
}

/// A mistake in the user's own prices leaves the table's. The models inside clown cost nothing.
fn prices(paths: &Paths, config: &ConfigFile) -> (Prices, Option<String>) {
    let file = paths.prices_file();
    let free: Overrides = offline::MODELS.iter().map(|&model| (model.to_owned(), Override::default())).collect();
    let own = config.table::<Overrides>("usage", "prices").map(Option::unwrap_or_default).map_err(|e| e.to_string());
    match own.and_then(|own| Prices::new(Some(&file), &free.clone().into_iter().chain(own).collect())) {
        Ok(prices) => (prices, None),
        Err(problem) => {
            tracing::warn!(%problem, "the prices in config.toml are not used");
            (Prices::new(Some(&file), &free).expect("no price of the user's own is wrong"), Some(problem))
        }
    }
}
