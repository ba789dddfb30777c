//! What happens to an instance by itself: ends, pauses, looks, and what is kept of it.

use std::{sync::PoisonError, time::Duration};

use tokio::time::Instant;

use super::Instance;
use crate::{
    base::{
        error::{Error, Result},
        os,
    },
    proxy::manager::{
        logfile, ports,
        state::{self, STORED_VERSION, Seen, Stored, StoredRun},
        supervise::{Running, ask_house, blocking},
    },
    wire::proxy::State,
};

/// Between two looks at a live engine.
const LOOK: Duration = Duration::from_secs(10);
/// Unanswered looks until it is taken for hung.
const MISSES: u32 = 3;
/// Pauses before it is started again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Ends in a row until it is given up, and how long a life must be not to count.
const TRIES: u32 = 8;
const HEALTHY: Duration = Duration::from_secs(60);

impl Instance {
    /// It ended, and nobody wanted that.
    pub(super) async fn lost(&mut self, how: &str) {
        let Some(running) = self.running.take() else { return };
        self.streak = if running.since.elapsed() >= HEALTHY { 1 } else { self.streak + 1 };
        tracing::warn!(alias = %self.alias, pid = running.process.pid, %how, streak = self.streak, "a proxy ended by itself");
        let why = format!("it ended by itself: {how}");
        self.pause(why).await;
    }

    /// Plans the next start, or gives up.
    async fn pause(&mut self, why: String) {
        if self.streak >= TRIES {
            return self.give_up(State::Failed, Some(format!("{why}; given up after {TRIES} times in a row"))).await;
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.streak.saturating_sub(1).min(16));
        self.again = Some(Instant::now() + doubled.min(LONGEST_PAUSE));
        self.see(|s| {
            s.state = State::Restarting;
            s.pid = None;
            s.problem = Some(why);
        });
        self.keep().await;
    }

    pub(super) async fn start_again(&mut self) {
        self.again = None;
        let restarts = self.seen.lock().unwrap_or_else(PoisonError::into_inner).restarts + 1;
        let launch = match (self.launch.take(), self.port) {
            (Some(launch), _) => Ok(launch),
            (None, Some(port)) => ask_house(&self.house, &self.alias, move |house, alias| house.launch(alias, port)).await.and_then(|l| l),
            (None, None) => Err(Error::defect("an instance has no port")),
        };
        let launch = match launch {
            Ok(launch) => launch,
            Err(error) => return self.give_up(State::Failed, Some(format!("it ended and cannot be started again: {error}"))).await,
        };
        // For the next try, if this one fails.
        let spare = launch.again();
        match self.start(launch, restarts).await {
            Ok(()) => self.house.changed("proxy/restarted", &self.alias),
            Err(error) => {
                tracing::warn!(alias = %self.alias, %error, "a proxy could not be started again");
                self.launch = Some(spare);
                self.streak += 1;
                self.see(|s| s.restarts = restarts);
                self.pause(error.to_string()).await;
            }
        }
    }

    /// What is due from time to time: is it well, is it used, is its log too long.
    pub(super) async fn look(&mut self) {
        if let (Some(running), Some(port)) = (&self.running, self.port) {
            match running.well(port).await {
                Some(health) => {
                    self.misses = 0;
                    let problem = health.config_error.map(|why| format!("its configuration on disk is not in force: {why}"));
                    self.see(|s| s.problem = problem);
                }
                None => self.misses += 1,
            }
            if self.misses >= MISSES {
                self.misses = 0;
                tracing::warn!(alias = %self.alias, "a proxy does not answer and is started again");
                self.end_running().await;
                self.streak += 1;
                self.pause("it did not answer".into()).await;
            }
        }
        let files = self.launch.as_ref().map(|l| (l.log.clone(), l.usage.clone()));
        let files = files.or_else(|| self.adopted.as_ref().map(|a| (a.log.clone(), a.usage.clone())));
        let spent = ask_house(&self.house, &self.alias, move |house, alias| {
            let mut quiet = None;
            if let Some((log, usage)) = files {
                if let Err(error) = logfile::cap(&log) {
                    tracing::warn!(%error, "a proxy's log cannot be kept small");
                }
                // Grows with each request, also of programs that are in no session.
                quiet = std::fs::metadata(usage).and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
            }
            (house.look(alias), quiet)
        });
        if let Ok((look, quiet)) = spent.await {
            if look.busy {
                self.used = Instant::now();
            }
            let unused = self.used.elapsed().min(quiet.unwrap_or(Duration::MAX));
            if look.idle.is_some_and(|limit| unused >= limit) {
                tracing::info!(alias = %self.alias, "a proxy that nobody uses is stopped");
                self.stop().await;
            }
        }
        self.plan_look().await;
    }

    pub(super) async fn plan_look(&mut self) {
        let idle = ask_house(&self.house, &self.alias, |house, alias| house.look(alias).idle).await.ok().flatten();
        self.next_look = Instant::now() + LOOK.min(idle.unwrap_or(LOOK)).max(FIRST_PAUSE);
    }

    pub(super) async fn adopt(&mut self, run: StoredRun, port: u16) -> bool {
        // Where the system does not tell processes of one pid apart, its answer must.
        let running = Running::adopted(run.process);
        let known = run.process.started.is_some_and(|s| s != 0);
        let same = os::alive(run.process) && (known || running.well(port).await.is_some_and(|h| h.pid == Some(run.process.pid)));
        if !same {
            // Sessions that still run have its address, and tokens made with this.
            (self.port, self.master) = (Some(port), Some(run.master));
            return false;
        }
        self.guard = Some(self.house.guard(format!("proxy of {}", self.alias)));
        (self.port, self.master) = (Some(port), Some(run.master.clone()));
        self.see(|s| {
            *s = Seen {
                state: State::Running,
                pid: Some(run.process.pid),
                engine: Some(run.engine.clone()),
                since: Some(run.since.clone()),
                restarts: run.restarts,
                mark: Some(run.mark.clone()),
                ..Seen::stopped(Some(port))
            };
        });
        (self.running, self.adopted) = (Some(running), Some(run));
        self.plan_look().await;
        true
    }

    pub(super) fn revive(&mut self) -> Result<()> {
        let port = self.port.ok_or_else(|| Error::conflict("its port is not known"))?;
        if self.guard.is_none() {
            self.listener = Some(ports::bind_again(port)?);
            self.guard = Some(self.house.guard(format!("proxy of {}", self.alias)));
            self.see(|s| *s = Seen { state: State::Restarting, ..Seen::stopped(Some(port)) });
            (self.again, self.next_look) = (Some(Instant::now()), Instant::now() + LOOK);
        }
        Ok(())
    }

    /// Whether there was anything to stop.
    pub(super) async fn stop(&mut self) -> bool {
        if self.guard.is_none() && self.state() != State::Failed {
            return false;
        }
        self.end_running().await;
        self.give_up(State::Stopped, None).await;
        true
    }

    /// Lets go of everything but the port's number.
    pub(super) async fn give_up(&mut self, state: State, problem: Option<String>) {
        (self.listener, self.launch, self.adopted, self.master, self.again) = (None, None, None, None, None);
        let port = self.port;
        self.see(|s| {
            let restarts = if state == State::Failed { s.restarts } else { 0 };
            *s = Seen { state, problem, restarts, ..Seen::stopped(port) };
        });
        self.keep().await;
        self.guard = None;
        self.house.changed(if state == State::Failed { "proxy/failed" } else { "proxy/stopped" }, &self.alias);
    }

    /// Writes down what the next daemon must know.
    pub(super) async fn keep(&self) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let run = match (&self.running, &self.launch) {
            (Some(running), Some(launch)) => Some(StoredRun {
                process: running.process,
                master: self.master.clone().unwrap_or_default(),
                engine: launch.program.to_string(),
                since: seen.since.unwrap_or_default(),
                restarts: seen.restarts,
                mark: launch.mark.clone(),
                key_mark: launch.key_mark.clone(),
                log: launch.log.clone(),
                usage: launch.usage.clone(),
            }),
            (Some(_), None) => self.adopted.clone(),
            (None, _) => None,
        };
        let stored = Stored { version: STORED_VERSION, port: self.port, running: run };
        let (dir, alias) = (self.dir.clone(), self.alias.clone());
        let written = blocking(move || state::write(&dir, &alias, &stored)).await.and_then(|w| w);
        if let Err(error) = written {
            tracing::error!(alias = %self.alias, %error, "the next daemon will not know this proxy");
        }
    }
}
