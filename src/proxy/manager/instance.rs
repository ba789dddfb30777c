//! The task of one instance. It alone changes anything of it.

use std::{
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    engine::{self, Program},
    ports::{self, Range},
    state::{Launch, Seen, StoredRun},
    supervise::{House, Running, blocking},
};
use crate::{
    base::{
        error::{Error, Result},
        fsx, random,
        secret::Secret,
    },
    wire::proxy::State,
};

mod upkeep;

/// From the hold of a port to the record of the session that it is for, at most.
const SOON: Duration = Duration::from_secs(5);

pub(super) enum Ask {
    /// Take a port and keep it.
    Hold(Range, oneshot::Sender<Result<(u16, Secret)>>),
    /// Run this; with `true`, after ending what runs.
    Launch(Box<Launch>, bool, oneshot::Sender<Result<()>>),
    /// Watch what an earlier daemon started.
    Adopt(Box<StoredRun>, u16, oneshot::Sender<bool>),
    /// Start again what ended while no daemon was there.
    Revive(oneshot::Sender<Result<()>>),
    Stop(oneshot::Sender<bool>),
}

pub(super) struct Instance {
    pub alias: String,
    pub house: Arc<dyn House>,
    pub dir: PathBuf,
    /// What others see; guards a copy.
    pub seen: Arc<Mutex<Seen>>,
    pub asks: mpsc::Receiver<Ask>,
    listener: Option<TcpListener>,
    port: Option<u16>,
    master: Option<String>,
    launch: Option<Launch>,
    running: Option<Running>,
    adopted: Option<StoredRun>,
    guard: Option<Box<dyn Send + Sync>>,
    streak: u32,
    again: Option<Instant>,
    misses: u32,
    used: Instant,
    next_look: Instant,
}

impl Instance {
    pub fn new(alias: String, house: Arc<dyn House>, dir: PathBuf, seen: Arc<Mutex<Seen>>, asks: mpsc::Receiver<Ask>) -> Self {
        let port = seen.lock().unwrap_or_else(PoisonError::into_inner).port;
        let (used, next_look) = (Instant::now(), Instant::now());
        Self {
            alias,
            house,
            dir,
            seen,
            asks,
            listener: None,
            port,
            master: None,
            launch: None,
            running: None,
            adopted: None,
            guard: None,
            streak: 0,
            again: None,
            misses: 0,
            used,
            next_look,
        }
    }

    /// Until nobody can ask any more.
    pub async fn run(mut self) {
        loop {
            let (running, again) = (&mut self.running, self.again);
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.answer(ask).await,
                    None => break,
                },
                how = async { match running { Some(r) => r.ended().await, None => std::future::pending().await } } => self.lost(&how).await,
                () = async { match again { Some(at) => tokio::time::sleep_until(at).await, None => std::future::pending().await } } => self.start_again().await,
                () = tokio::time::sleep_until(self.next_look), if self.guard.is_some() => self.look().await,
            }
        }
        self.stop().await;
    }

    async fn answer(&mut self, ask: Ask) {
        // A run that holds the port opens its record a moment later.
        self.used = Instant::now() + SOON;
        // Nobody may wait for the answer any more.
        match ask {
            Ask::Hold(range, to) => {
                let held = self.hold(range).await;
                let _ = to.send(held);
            }
            Ask::Launch(launch, anew, to) => {
                let launched = self.launch(*launch, anew).await;
                let _ = to.send(launched);
            }
            Ask::Adopt(run, port, to) => {
                let _ = to.send(self.adopt(*run, port).await);
            }
            Ask::Revive(to) => {
                let _ = to.send(self.revive());
            }
            Ask::Stop(to) => {
                let _ = to.send(self.stop().await);
            }
        }
    }

    fn see(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> State {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).state
    }

    async fn hold(&mut self, range: Range) -> Result<(u16, Secret)> {
        if self.running.is_none() && self.listener.is_none() {
            let preferred = self.port;
            let (listener, port) = blocking(move || ports::bind(range, preferred)).await??;
            (self.listener, self.port) = (Some(listener), Some(port));
        }
        let port = self.port.ok_or_else(|| Error::defect("an instance runs without a port"))?;
        if self.guard.is_none() {
            self.guard = Some(self.house.guard(format!("proxy of {}", self.alias)));
            self.see(|s| *s = Seen { state: State::Starting, ..Seen::stopped(Some(port)) });
            self.plan_look().await;
        }
        let master = match &self.master {
            Some(master) => master.clone(),
            None => self.master.insert(random::hex()?).clone(),
        };
        Ok((port, Secret::new(master)))
    }

    async fn launch(&mut self, launch: Launch, anew: bool) -> Result<()> {
        if self.port != Some(launch.port) || self.guard.is_none() {
            return Err(Error::conflict(format!("the proxy of {} was stopped meanwhile", self.alias)).hint("try again"));
        }
        if anew && self.running.is_some() {
            self.end_running().await;
        }
        let result = match (&self.running, &self.launch) {
            (None, _) => {
                self.streak = 0;
                self.start(launch, 0).await.inspect(|()| self.house.changed("proxy/started", &self.alias))
            }
            (Some(_), Some(before)) if before.program == launch.program && launch.keeps_keys(before) => {
                if before.text == launch.text {
                    Ok(())
                } else {
                    self.reload(launch).await
                }
            }
            // An earlier daemon's engine: keys read from the same place are taken for the same.
            (Some(_), None)
                if self.adopted.as_ref().is_some_and(|a| a.engine == launch.program.to_string() && a.key_mark == launch.key_mark) =>
            {
                self.reload(launch).await
            }
            (Some(_), _) => self.replace(launch).await,
        };
        if result.is_err() && self.running.is_none() {
            let why = result.as_ref().err().map(ToString::to_string);
            self.give_up(State::Failed, why).await;
        }
        result
    }

    /// Starts an engine on the port that is held.
    async fn start(&mut self, launch: Launch, restarts: u32) -> Result<()> {
        self.again = None;
        if self.listener.is_none() {
            self.listener = Some(ports::bind_again(launch.port)?);
        }
        write_config(&launch).await?;
        let master = Secret::new(self.master.clone().unwrap_or_default());
        if !hands_over(&launch) {
            // It binds the port itself: ours goes at the last moment.
            self.listener = None;
        }
        let child = engine::spawn(&launch, &master, self.listener.as_ref())?;
        let running = Running::ready(child, &launch, false).await?;
        self.up(running, launch, restarts).await;
        Ok(())
    }

    async fn up(&mut self, running: Running, launch: Launch, restarts: u32) {
        let since = self.house.now();
        (self.misses, self.adopted) = (0, None);
        self.see(|s| {
            s.state = State::Running;
            s.pid = Some(running.process.pid);
            s.engine = Some(launch.program.to_string());
            s.since = Some(since);
            s.restarts = restarts;
            s.problem = None;
        });
        tracing::info!(alias = %self.alias, pid = running.process.pid, port = launch.port, engine = %launch.program, "a proxy runs");
        (self.running, self.launch) = (Some(running), Some(launch));
        self.note();
        self.plan_look().await;
        self.keep().await;
    }

    /// The launch in force, for those who ask whether it is theirs.
    fn note(&self) {
        let mark = self.launch.as_ref().map(|l| l.mark.clone());
        self.see(|s| s.mark = mark);
    }

    /// Another file, same keys.
    async fn reload(&mut self, launch: Launch) -> Result<()> {
        if !hands_over(&launch) {
            let keys = launch.keys.or_else(|| self.launch.take().and_then(|before| before.keys));
            let launch = Launch { keys, ..launch };
            // What a program of other make does with a signal is not known.
            self.end_running().await;
            return self.start(launch, 0).await.inspect(|()| self.house.changed("proxy/reloaded", &self.alias));
        }
        write_config(&launch).await?;
        if let Some(running) = &self.running {
            running.reload(&launch).await?;
        }
        let keys = launch.keys.or_else(|| self.launch.take().and_then(|before| before.keys));
        let launch = Launch { keys, ..launch };
        self.launch = Some(launch);
        self.note();
        self.keep().await;
        self.house.changed("proxy/reloaded", &self.alias);
        Ok(())
    }

    /// Other keys: a new engine on the same port, and only then the end of the old one.
    async fn replace(&mut self, launch: Launch) -> Result<()> {
        if launch.keys.is_none() {
            return Err(Error::conflict("its keys are read anew").hint(format!("start it: clown proxy restart {}", self.alias)));
        }
        if !hands_over(&launch) || self.listener.is_none() {
            self.end_running().await;
            return self.start(launch, 0).await.inspect(|()| self.house.changed("proxy/reloaded", &self.alias));
        }
        write_config(&launch).await?;
        let master = Secret::new(self.master.clone().unwrap_or_default());
        let child = engine::spawn(&launch, &master, self.listener.as_ref())?;
        let new = Running::ready(child, &launch, true).await?;
        let old = self.running.take();
        self.up(new, launch, 0).await;
        if let Some(old) = old {
            // Streams under way get their five seconds, and nobody waits for that.
            tokio::spawn(old.end());
        }
        self.house.changed("proxy/reloaded", &self.alias);
        Ok(())
    }

    async fn end_running(&mut self) {
        if let Some(running) = self.running.take() {
            running.end().await;
        }
    }
}

/// Whether the engine can be given the port itself.
fn hands_over(launch: &Launch) -> bool {
    cfg!(unix) && launch.program == Program::Embedded
}

async fn write_config(launch: &Launch) -> Result<()> {
    let (path, text) = (launch.config.clone(), launch.text.clone());
    blocking(move || {
        // The file is written, not what a link there leads to.
        if std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) {
            fsx::remove(&path)?;
        }
        fsx::write_atomic(&path, text.as_bytes(), fsx::Mode::Private)
    })
    .await?
}
