//! One engine process, from its start to its end.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    runtime::Handle,
    time::Instant,
};

use super::{
    engine::Program,
    health::{self, Health},
    logfile,
    state::{Launch, Look},
};
use crate::{
    base::{
        error::{Error, Result},
        os,
    },
    wire::sessions::Process,
};

/// What an instance needs of the house around it. All but `runtime` and `changed` may block.
pub trait House: Send + Sync {
    fn runtime(&self) -> Result<Handle>;
    /// Keeps the daemon alive while held.
    fn guard(&self, what: String) -> Box<dyn Send + Sync>;
    /// Tells that an instance changed; the change is done.
    fn changed(&self, topic: &str, alias: &str);
    fn now(&self) -> String;
    fn look(&self, alias: &str) -> Look;
    /// What to run for a profile, without a client to ask for keys.
    fn launch(&self, alias: &str, port: u16) -> Result<Launch>;
}

/// From the start of a process to its first answer.
const READY: Duration = Duration::from_secs(10);
/// From the word to end until the end is made.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a file to come into force.
const RELOAD: Duration = Duration::from_secs(5);
/// One health call.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// Between two looks, where nothing tells when something is so.
const PAUSE: Duration = Duration::from_millis(10);

/// A live engine. It outlives the daemon unless it is ended.
pub(super) struct Running {
    pub process: Process,
    /// Absent for one that an earlier daemon started.
    child: Option<Child>,
    pub since: Instant,
}

impl Running {
    pub fn adopted(process: Process) -> Self {
        Self { process, child: None, since: Instant::now() }
    }

    /// Takes a process that was just started and waits until it serves the port.
    pub async fn ready(mut child: Child, launch: &Launch, shares: bool) -> Result<Self> {
        let pid = child.id().unwrap_or_default();
        let process = Process { pid, started: os::process_start(pid) };
        let line = child.stdout.take();
        let deadline = Instant::now() + READY;
        let ready = async {
            if launch.program == Program::Embedded {
                // Its own word, since others may serve the same port at this moment.
                let mut text = String::new();
                if let Some(stdout) = line {
                    let read = BufReader::new(stdout).read_line(&mut text).await;
                    if read.is_err() || !text.starts_with("listening on ") {
                        return std::future::pending().await;
                    }
                }
                if shares {
                    return Ok(());
                }
                let left = deadline.saturating_duration_since(Instant::now());
                let answer = health::ask(launch.port, left).await.map_err(|e| silent(launch).cause(e))?;
                return if answer.pid == Some(pid) { Ok(()) } else { Err(stranger(launch)) };
            }
            loop {
                let answers = match health::ask(launch.port, ANSWER).await {
                    Ok(_) => true,
                    // Something accepts, and speaks another way.
                    Err(e) => e.kind() != std::io::ErrorKind::ConnectionRefused,
                };
                if answers {
                    let port = launch.port;
                    let ours = tokio::task::spawn_blocking(move || os::listens_at(pid, port)).await.ok().flatten();
                    return if ours == Some(false) { Err(stranger(launch)) } else { Ok(()) };
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let failed = tokio::select! {
            biased;
            ready = ready => match ready {
                Ok(()) => return Ok(Self { process, child: Some(child), since: Instant::now() }),
                Err(error) => error,
            },
            status = child.wait() => {
                let how = status.map(|s| s.to_string()).unwrap_or_default();
                let error = Error::io(format!("the proxy engine ended as soon as it was started ({how})"));
                return Err(told(error, launch));
            }
            () = tokio::time::sleep_until(deadline) => silent(launch),
        };
        Self { process, child: Some(child), since: Instant::now() }.end().await;
        Err(told(failed, launch))
    }

    /// Returns when it ended, with how, where that is known.
    pub async fn ended(&mut self) -> String {
        match &mut self.child {
            Some(child) => child.wait().await.map(|s| s.to_string()).unwrap_or_default(),
            None => {
                os::gone(self.process).await;
                "it ended".to_owned()
            }
        }
    }

    /// Ends it: in good order, or by force after five seconds.
    pub async fn end(mut self) {
        if !os::alive(self.process) {
            return;
        }
        os::tell(self.process.pid, os::Word::End);
        if tokio::time::timeout(PATIENCE, self.ended()).await.is_err() && os::alive(self.process) {
            tracing::warn!(pid = self.process.pid, "a proxy engine did not end when told to");
            os::kill_group(self.process.pid);
            self.ended().await;
        }
    }

    /// Whether it answers, and is the one that does.
    pub async fn well(&self, port: u16) -> Option<Health> {
        let health = health::ask(port, ANSWER).await.ok()?;
        health.pid.is_none_or(|pid| pid == self.process.pid).then_some(health)
    }

    /// Has it read its file again, and waits until that is in force.
    pub async fn reload(&self, launch: &Launch) -> Result<()> {
        let wanted = blake3::hash(launch.text.as_bytes()).to_hex();
        os::tell(self.process.pid, os::Word::Reload);
        let deadline = Instant::now() + RELOAD;
        loop {
            if let Some(health) = self.well(launch.port).await {
                if health.config.as_deref() == Some(wanted.as_str()) {
                    return Ok(());
                }
                if let Some(why) = health.config_error {
                    return Err(Error::invalid(format!("the proxy does not take its new configuration: {why}")));
                }
            }
            if Instant::now() > deadline {
                return Err(Error::io("the proxy did not take its new configuration"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn silent(launch: &Launch) -> Error {
    Error::io(format!("the proxy engine {} does not answer at port {}", launch.program, launch.port))
}

fn stranger(launch: &Launch) -> Error {
    Error::conflict(format!("another program answers at port {}", launch.port)).hint("try again: another port is taken then")
}

fn told(error: Error, launch: &Launch) -> Error {
    let error = match logfile::last_line(&launch.log) {
        Some(line) => error.hint(format!("its log ends with: {line}")),
        None => error,
    };
    error.hint(format!("see {}", launch.log.display()))
}

/// Work on files, away from the runtime's threads.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::defect("work on a proxy's files was given up"))
}

/// A question to the house, away from the runtime's threads.
pub(super) async fn ask_house<T: Send + 'static>(
    house: &Arc<dyn House>,
    alias: &str,
    ask: impl FnOnce(&dyn House, &str) -> T + Send + 'static,
) -> Result<T> {
    let (house, alias) = (Arc::clone(house), alias.to_owned());
    blocking(move || ask(&*house, &alias)).await
}
