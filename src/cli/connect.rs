//! A daemon for a command: found, or started by the one process that holds the start-up lock.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use super::output::Output;
use crate::{
    base::{
        child_env,
        error::{Error, Result},
        fsx, os,
        paths::{HOME_VAR, Paths, REAL_HOME_VAR},
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
/// Others in the queue before us may each start a daemon that is killed again.
const QUEUE_LIMIT: Duration = Duration::from_secs(60);
/// A daemon that ends waits at most 5 s for calls under way.
const END_LIMIT: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How often, and after how long not any more, a call begins anew when the daemon goes away.
const TRIES: usize = 8;
const KEEP_TRYING: Duration = Duration::from_secs(30);

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
    HOME_VAR,
    crate::base::paths::ENDPOINT_VAR,
];

/// A connection that finds or starts a daemon, and does so again when it went away.
pub(super) struct Daemon {
    paths: Paths,
    client: Option<Client>,
    output: Output,
    /// Whether the user was told of the daemon's other version.
    told: bool,
}

impl Daemon {
    /// For commands that need a daemon.
    pub fn needed(output: Output) -> Result<Self> {
        Ok(Self { paths: Paths::from_env()?, client: None, output, told: false })
    }

    /// One call. It is sent again only when that cannot run it twice.
    pub fn call<C: Call>(&mut self, call: &C) -> Result<C::Reply> {
        let id = uuid::Uuid::new_v4().to_string();
        let start = Instant::now();
        let mut tries = 0;
        let mut replaced = false;
        loop {
            tries += 1;
            // A daemon may be killed at any moment, also while it starts.
            let again = tries < TRIES && start.elapsed() < KEEP_TRYING;
            let client = match self.client.take().map_or_else(|| connect_or_start(&self.paths), Ok) {
                Ok(client) => self.client.insert(client),
                Err(error) if error.code() == Code::Unreachable && again => continue,
                Err(error) => return Err(error),
            };
            match client.call_as(call, &id) {
                Ok(reply) => {
                    self.compare_versions();
                    return Ok(reply);
                }
                Err(lost) if is_protocol_mismatch(&lost) && !replaced => {
                    self.replace_daemon(lost)?;
                    replaced = true;
                }
                Err(Lost::Unanswered(error)) if C::EFFECT == Effect::Once => {
                    self.client = None;
                    return Err(error.hint("whether it was done is not known; look before you try again"));
                }
                Err(Lost::Unanswered(_)) if again => self.client = None,
                Err(lost) => return Err(lost.into_error()),
            }
        }
    }

    /// Ends the connection; the next call makes a new one. For commands that wait long in between.
    pub fn hang_up(&mut self) {
        self.client = None;
    }

    fn compare_versions(&mut self) {
        let Some((ours, theirs)) = self.client.as_ref().and_then(Client::other_version) else { return };
        if !std::mem::replace(&mut self.told, true) {
            self.output.say(&format!("The daemon is clown {theirs}, this is {ours}. To renew it: clown daemon stop"));
        }
    }

    /// A daemon of another protocol: ended when idle, left alone with a reason when busy.
    fn replace_daemon(&mut self, mismatch: Lost) -> Result<()> {
        let Some(mut client) = self.client.take() else { return Err(mismatch.into_error()) };
        let pid = match client.hello() {
            Ok(hello) => hello.pid,
            // Another client ended it just now.
            Err(error) if error.code() == Code::Unreachable => return Ok(()),
            Err(_) => return Err(mismatch.into_error()),
        };
        match client.call(&Stop { only_if_idle: true }) {
            Ok(_) | Err(Lost::Unanswered(_)) => {}
            Err(Lost::Failed(busy)) if busy.code() == Code::Conflict => return Err(mismatch.into_error().hint(busy.to_string())),
            Err(_) => return Err(mismatch.into_error()),
        }
        drop(client);
        self.output.say("Replacing the daemon of another version.");
        wait_ended(&self.paths, pid)
    }
}

/// Waits until the daemon `pid` is gone with all it held. Another may have its place by then.
pub(super) fn wait_ended(paths: &Paths, pid: u32) -> Result<()> {
    let locking = fsx::begin_lock(&paths.daemon_lock())?;
    let start = Instant::now();
    while start.elapsed() < END_LIMIT {
        if locking.within(LOOK_AGAIN).map_err(Error::writing(&paths.daemon_lock()))?.is_some() {
            return Ok(());
        }
        if Client::connect(paths).and_then(|mut c| c.hello()).is_ok_and(|h| h.pid != pid) {
            return Ok(());
        }
    }
    Err(Error::conflict(format!("the daemon {pid} was told to end and has not ended yet")).hint("see what it does: clown daemon logs"))
}

/// The right to start a daemon; given back when dropped.
pub(super) fn startup_lock(paths: &Paths) -> Result<std::fs::File> {
    let path = paths.startup_lock();
    if let Some(lock) = fsx::begin_lock(&path)?.within(QUEUE_LIMIT).map_err(Error::writing(&path))? {
        return Ok(lock);
    }
    Err(Error::conflict(format!("another clown has been starting the daemon for {} s", QUEUE_LIMIT.as_secs()))
        .hint(format!("it may be stopped; see which process holds {}", path.display())))
}

/// Whether a daemon may be started after this failure to connect: nobody is there, or somebody who
/// is not ours, and then the new daemon finds another place or says why it cannot.
pub(super) fn nobody_of_ours(error: &Error) -> bool {
    matches!(error.code(), Code::Unreachable | Code::Refused)
}

fn connect_or_start(paths: &Paths) -> Result<Client> {
    match Client::connect(paths) {
        Err(error) if nobody_of_ours(&error) => {}
        other => return other,
    }
    let _lock = startup_lock(paths)?;
    // Whoever held the lock before may have started it.
    match Client::connect(paths) {
        Err(error) if nobody_of_ours(&error) => {}
        other => return other,
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
    let log = fsx::open_log(&log_file).map_err(Error::writing(&log_file))?;
    let program = os::own_program().map_err(|e| Error::io("clown's own program is not found").cause(e))?;
    let mut command = Command::new(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, "clown");
    // The tree is named for people who look at a list of processes.
    command.args(["daemon", "--ready", "--tree"]).arg(paths.root()).args(options).env_clear();
    command.envs(child_env::MEMORY_VARS.iter().copied());
    command.envs(DAEMON_VARS.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if std::env::var_os(HOME_VAR).is_some_and(|v| !v.is_empty()) {
        // A relative one means our working directory, not the daemon's.
        command.env(HOME_VAR, paths.root());
    }
    if let Some(home) = std::env::var_os(REAL_HOME_VAR) {
        // Called from inside a profile: the daemon outlives it and belongs to the user.
        command.env("HOME", home).env_remove("TMPDIR");
    }
    command.current_dir(if cfg!(unix) { "/" } else { "." });
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    command.spawn().map_err(|e| Error::unreachable("the daemon cannot be started").cause(e))
}
