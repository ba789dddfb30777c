//! All instances, for code that waits.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use super::{
    health,
    instance::{Ask, Instance},
    ports::Range,
    state::{self, Launch, Seen},
    supervise::House,
};
use crate::{
    base::{
        error::{Error, Result},
        fsx,
        secret::Secret,
    },
    wire::metrics::Spread,
};

/// What the end of the daemon leaves them: one that does not end by itself takes five seconds.
const LAST: Duration = Duration::from_secs(7);
/// An instance that does not tell its figures at once is left out of them.
const TELL: Duration = Duration::from_secs(1);

pub struct Instances {
    dir: PathBuf,
    house: Arc<dyn House>,
    /// By alias. Guards the map; never held while anything is waited for.
    tasks: Mutex<BTreeMap<String, Task>>,
}

#[derive(Clone)]
struct Task {
    asks: mpsc::Sender<Ask>,
    seen: Arc<Mutex<Seen>>,
}

/// A port that is kept for a profile, and the key that opens what will serve there.
pub struct Held {
    pub port: u16,
    pub master: Secret,
}

impl Instances {
    /// `dir` keeps a file for each.
    pub fn new(dir: PathBuf, house: Arc<dyn House>) -> Self {
        Self { dir, house, tasks: Mutex::default() }
    }

    /// The port of a profile's instance: where it runs, or kept until it does.
    pub fn hold(&self, alias: &str, range: Range) -> Result<Held> {
        let (port, master) = self.ask(alias, |to| Ask::Hold(range, to))??;
        Ok(Held { port, master })
    }

    /// Runs this on the port held before; what runs is changed as little as possible. Returns when it
    /// serves.
    pub fn launch(&self, alias: &str, launch: Launch, anew: bool) -> Result<()> {
        self.ask(alias, |to| Ask::Launch(Box::new(launch), anew, to))?
    }

    /// Whether there was one.
    pub fn stop(&self, alias: &str) -> Result<bool> {
        if self.task(alias).is_none() {
            return Ok(false);
        }
        self.ask(alias, Ask::Stop)
    }

    /// Stops it and forgets its port.
    pub fn forget(&self, alias: &str) -> Result<()> {
        self.stop(alias)?;
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(alias);
        fsx::remove(&state::file(&self.dir, alias))
    }

    pub fn seen(&self, alias: &str) -> Seen {
        match self.task(alias) {
            Some(task) => task.seen.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            None => Seen::stopped(state::read(&self.dir, alias).port),
        }
    }

    /// How long requests of a running instance took, by outcome; empty when it does not tell. Waits.
    pub fn times(&self, alias: &str) -> BTreeMap<String, Spread> {
        let (Some(port), Ok(runtime)) = (self.seen(alias).port, self.house.runtime()) else { return BTreeMap::new() };
        runtime.block_on(health::ask(port, TELL)).map(|health| health.times).unwrap_or_default()
    }

    /// Aliases of instances that were looked after in this life of the daemon.
    pub fn known(&self) -> Vec<String> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Takes over what an earlier daemon left running. Aliases that had something running, and whether
    /// it still does.
    pub fn adopt(&self) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        for alias in state::known(&self.dir) {
            let stored = state::read(&self.dir, &alias);
            let (Some(run), Some(port)) = (stored.running, stored.port) else { continue };
            let taken = self.ask(&alias, |to| Ask::Adopt(Box::new(run), port, to)).unwrap_or(false);
            found.push((alias, taken));
        }
        found
    }

    /// Starts again what ended while no daemon was there, at its own port.
    pub fn revive(&self, alias: &str) -> Result<()> {
        self.ask(alias, Ask::Revive)?
    }

    /// Stops all of them at once.
    pub async fn shutdown(&self) {
        let tasks: Vec<Task> = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner)).into_values().collect();
        let mut ends = tokio::task::JoinSet::new();
        for task in tasks {
            ends.spawn(async move {
                let (to, answer) = oneshot::channel();
                if task.asks.send(Ask::Stop(to)).await.is_ok() {
                    let _ = answer.await;
                }
            });
        }
        if tokio::time::timeout(LAST, ends.join_all()).await.is_err() {
            tracing::error!("some proxies were left running");
        }
    }

    fn task(&self, alias: &str) -> Option<Task> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).get(alias).cloned()
    }

    /// Asks a task, which is made at the first question, and waits for its answer.
    fn ask<T>(&self, alias: &str, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T> {
        let gone = || Error::conflict("the daemon ends").hint("try again");
        let task = self.task(alias).map_or_else(|| self.begin(alias), Ok)?;
        let (to, answer) = oneshot::channel();
        task.asks.blocking_send(ask(to)).map_err(|_| gone())?;
        answer.blocking_recv().map_err(|_| gone())
    }

    fn begin(&self, alias: &str) -> Result<Task> {
        let runtime = self.house.runtime()?;
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = tasks.get(alias) {
            return Ok(task.clone());
        }
        let (asks, asked) = mpsc::channel(16);
        let seen = Arc::new(Mutex::new(Seen::stopped(state::read(&self.dir, alias).port)));
        let task = Task { asks, seen: Arc::clone(&seen) };
        runtime.spawn(Instance::new(alias.to_owned(), Arc::clone(&self.house), self.dir.clone(), seen, asked).run());
        tasks.insert(alias.to_owned(), task.clone());
        Ok(task)
    }
}
