//! A daemon for a command: found, or started by the one process that holds the start-up lock.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::output::Output;
use crate::{
    base::{
        error::{Error, Result},
        fsx, os,
        paths::{Paths, REAL_HOME_VAR},
    },
    ipc::client::{Client, Lost, is_protocol_mismatch},
    wire::{
        Call, Effect,
        daemon::{StartReport, Stop},
        error::Code,
    },
};

/// A starting daemon waits at most 10 s for one that is ending.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Variables a daemon may have of whoever starts it; nothing else gets in.
const DAEMON_VARS: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "SYSTEMROOT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "TEMP",
    "TMP",
    crate::base::paths::HOME_VAR,
    crate::base::paths::ENDPOINT_VAR,
];

/// A connection that finds or starts a daemon, and does so again when it went away.
pub(super) struct Daemon {
    paths: Paths,
    client: Option<Client>,
    output: Output,
}

impl Daemon {
    /// For commands that need a daemon.
    pub fn needed(output: Output) -> Result<Self> {
        Ok(Self { paths: Paths::from_env()?, client: None, output })
    }

    /// One call. It is sent again only when that cannot run it twice.
    pub fn call<C: Call>(&mut self, call: &C) -> Result<C::Reply> {
        let id = uuid::Uuid::new_v4().to_string();
        let mut tries = 0;
        loop {
            tries += 1;
            let client = match self.client.as_mut() {
                Some(client) => client,
                None => self.client.insert(connect_or_start(&self.paths)?),
            };
            match client.call_as(call, &id) {
                Ok(reply) => return Ok(reply),
                Err(lost) if is_protocol_mismatch(&lost) && tries == 1 => {
                    self.replace_daemon(lost)?;
                }
                Err(Lost::Failed(error)) => return Err(error),
                Err(Lost::NotSent(_)) if tries < 4 => self.client = None,
                Err(Lost::Unanswered(_)) if tries < 4 && C::EFFECT != Effect::Once => self.client = None,
                Err(Lost::Unanswered(error)) if C::EFFECT == Effect::Once => {
                    return Err(error.hint("whether it was done is not known; look before you try again"));
                }
                Err(lost) => return Err(lost.into_error()),
            }
        }
    }

    /// A daemon of another protocol: ended when idle, left alone with a reason when busy.
    fn replace_daemon(&mut self, mismatch: Lost) -> Result<()> {
        let Some(client) = self.client.as_mut() else { return Err(mismatch.into_error()) };
        match client.call(&Stop { only_if_idle: true }) {
            Ok(_) => {
                self.output.say("Replacing the daemon of another version.");
                self.client = None;
                Ok(())
            }
            Err(Lost::Failed(busy)) if busy.code() == Code::Conflict => Err(mismatch.into_error().hint(busy.to_string())),
            Err(_) => Err(mismatch.into_error()),
        }
    }
}

fn connect_or_start(paths: &Paths) -> Result<Client> {
    match Client::connect(paths) {
        Err(error) if error.code() == Code::Unreachable => {}
        other => return other,
    }
    let lock = fsx::open_lock(&paths.startup_lock())?;
    lock.lock().map_err(Error::writing(&paths.startup_lock()))?;
    // Whoever held the lock before may have started it.
    if let Ok(client) = Client::connect(paths) {
        return Ok(client);
    }
    start(paths, &[])?;
    Client::connect(paths)
}

/// Starts a daemon and waits for the one line that tells how it went.
pub(super) fn start(paths: &Paths, options: &[String]) -> Result<StartReport> {
    let mut child = spawn(paths, options)?;
    let log = paths.log_file().display().to_string();
    let failed = |why: &str| Error::unreachable(format!("the daemon did not start: {why}")).hint(format!("its log: {log}"));
    let stdout = child.stdout.take().ok_or_else(|| failed("no pipe"))?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let _ = send.send(read.map(|_| line));
    });
    let line = match receive.recv_timeout(START_LIMIT) {
        Ok(Ok(line)) => line,
        Ok(Err(error)) => return Err(failed("its report was not read").cause(error)),
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(&format!("it said nothing for {} s", START_LIMIT.as_secs())));
        }
    };
    match serde_json::from_str(&line) {
        Ok(StartReport::Failed { failure }) => {
            let _ = child.wait();
            Err(failure.into())
        }
        Ok(report) => Ok(report),
        Err(_) => {
            let status = child.wait().map(|s| s.to_string()).unwrap_or_default();
            Err(failed(&format!("it ended at once ({status})")))
        }
    }
}

fn spawn(paths: &Paths, options: &[String]) -> Result<Child> {
    let log_file = paths.log_file();
    if let Some(dir) = log_file.parent() {
        fsx::create_private_dir(dir)?;
    }
    let mut log = OpenOptions::new();
    log.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut log, 0o600);
    let log = log.open(&log_file).map_err(Error::writing(&log_file))?;
    let program = os::own_program().map_err(|e| Error::io("clown's own program is not found").cause(e))?;
    let mut command = Command::new(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, "clown");
    command.args(["daemon", "--ready"]).args(options).env_clear();
    command.envs(DAEMON_VARS.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if let Some(home) = std::env::var_os(REAL_HOME_VAR) {
        // Called from inside a profile: the daemon outlives it and belongs to the user.
        command.env("HOME", home).env_remove("TMPDIR");
    }
    command.current_dir(if cfg!(unix) { "/" } else { "." });
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    command.spawn().map_err(|e| Error::unreachable("the daemon cannot be started").cause(e))
}
