//! `clown daemon`

use std::io::Write;

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::{
    connect, logfile,
    output::{Output, ago},
    table::fields,
};
use crate::{
    base::{error::Result, paths::Paths},
    ipc::client::Client,
    wire::{
        daemon::{LogLevel, StartReport, Status, StatusReply, Stop},
        error::{Code, exit},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Run or manage the daemon that owns clown's state. Other commands start it when they need it.
#[argh(subcommand, name = "daemon", example = "clown daemon --stay-alive\nclown daemon status")]
pub(super) struct Daemon {
    /// never end for idleness; for a service manager
    #[argh(switch)]
    stay_alive: bool,
    /// seconds without work until it ends; 0 is never
    #[argh(option, arg_name = "seconds")]
    idle_timeout: Option<u64>,
    /// report on stdout and leave the terminal (used by clown itself)
    #[argh(switch, hidden_help)]
    ready: bool,
    /// the tree it serves; only shown in lists of processes, CLOWN_HOME decides (used by clown itself)
    #[argh(option, hidden_help)]
    #[expect(dead_code, reason = "for people who look at a list of processes")]
    tree: Option<String>,
    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Start(StartArgs),
    Status(StatusArgs),
    Stop(StopArgs),
    Logs(LogsArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Start the daemon in the background.
#[argh(subcommand, name = "start", example = "clown daemon start --idle-timeout 0")]
struct StartArgs {
    /// never end for idleness
    #[argh(switch)]
    stay_alive: bool,
    /// seconds without work until it ends; 0 is never
    #[argh(option, arg_name = "seconds")]
    idle_timeout: Option<u64>,
}

#[derive(FromArgs, ArgsInfo)]
/// Tell whether a daemon runs, and what keeps it alive. Starts none.
#[argh(subcommand, name = "status", example = "clown daemon status --json")]
struct StatusArgs {}

#[derive(FromArgs, ArgsInfo)]
/// End the daemon. Running agents go on; their records are closed by the next daemon.
#[argh(subcommand, name = "stop", example = "clown daemon stop")]
struct StopArgs {
    /// only when no session is running
    #[argh(switch)]
    if_idle: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Print the daemon's log, or change its level.
#[argh(subcommand, name = "logs", example = "clown daemon logs -f")]
struct LogsArgs {
    /// go on printing as the log grows
    #[argh(switch, short = 'f')]
    follow: bool,
    /// last lines to print (default 50)
    #[argh(option, short = 'n', default = "50")]
    lines: usize,
    /// set the level instead: error, warn, info, debug, trace
    #[argh(option)]
    level: Option<String>,
}

/// A daemon to run in this process.
pub struct Foreground<'a> {
    pub stay_alive: bool,
    pub idle_timeout: Option<u64>,
    /// Started by a client: leave its terminal.
    pub ready: bool,
    /// Gets the outcome of the start, once.
    pub report: &'a dyn Fn(&StartReport),
}

/// One line on the pipe the client reads, then stdout leads nowhere.
fn report_to_pipe(report: &StartReport) {
    let mut out = std::io::stdout().lock();
    let line = serde_json::to_string(report).unwrap_or_default() + "\n";
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    let _ = crate::base::os::close_stdout();
}

fn report_to_people(report: &StartReport, output: Output) {
    // A failure is told once, by whoever ends the program.
    if !matches!(report, StartReport::Failed { .. }) {
        output.data(report, String::new);
    }
    match report {
        StartReport::Ready { pid, endpoint } => output.say(&format!("The daemon runs as process {pid} at {endpoint}.")),
        StartReport::AlreadyRunning { pid } => {
            output.say(&format!("A daemon runs already{}.", pid.map(|p| format!(" as process {p}")).unwrap_or_default()))
        }
        StartReport::Failed { .. } => {}
    }
}

impl Daemon {
    pub fn run(self, output: Output, run_daemon: &dyn Fn(&Foreground<'_>) -> Result<()>) -> Result<i32> {
        let paths = Paths::from_env()?;
        match self.command {
            None => {
                let ready = self.ready;
                let report = |report: &StartReport| if ready { report_to_pipe(report) } else { report_to_people(report, output) };
                let foreground = Foreground { stay_alive: self.stay_alive, idle_timeout: self.idle_timeout, ready, report: &report };
                match run_daemon(&foreground) {
                    // The pipe has the failure already.
                    Err(_) if ready => Ok(exit::FAILURE),
                    other => other.map(|()| exit::SUCCESS),
                }
            }
            Some(Command::Start(args)) => start(&paths, &args, output),
            Some(Command::Status(_)) => status(&paths, output),
            Some(Command::Stop(args)) => stop(&paths, args.if_idle, output),
            Some(Command::Logs(args)) => logs(&paths, &args, output),
        }
    }
}

fn start(paths: &Paths, args: &StartArgs, output: Output) -> Result<i32> {
    let mut options = Vec::new();
    if args.stay_alive {
        options.push("--stay-alive".to_owned());
    }
    if let Some(seconds) = args.idle_timeout {
        options.extend(["--idle-timeout".to_owned(), seconds.to_string()]);
    }
    let _lock = connect::startup_lock(paths)?;
    let report = match Client::connect(paths).and_then(|mut c| c.hello()) {
        Ok(hello) => StartReport::AlreadyRunning { pid: Some(hello.pid) },
        Err(error) if connect::nobody_of_ours(&error) => connect::start(paths, &options)?,
        Err(error) => return Err(error),
    };
    report_to_people(&report, output);
    Ok(exit::SUCCESS)
}

/// `{"running":false}` or `{"running":true, ...}`
#[derive(Serialize)]
struct Seen {
    running: bool,
    #[serde(flatten)]
    status: Option<StatusReply>,
}

fn status(paths: &Paths, output: Output) -> Result<i32> {
    let status = match Client::connect(paths) {
        Ok(mut client) => Some(client.call(&Status {}).map_err(crate::ipc::client::Lost::into_error)?),
        Err(error) if error.code() == Code::Unreachable => None,
        Err(error) => return Err(error),
    };
    let seen = Seen { running: status.is_some(), status };
    output.data(&seen, || match &seen.status {
        None => "not running\n".to_owned(),
        Some(s) => fields(&[
            ("process", s.pid.to_string()),
            ("version", format!("{} (protocol {})", s.version, s.protocol)),
            ("started", ago(&s.started)),
            ("endpoint", s.endpoint.clone()),
            ("events", s.events.clone()),
            ("http", s.http.clone().or_else(|| s.http_problem.as_ref().map(|p| format!("off: {p}"))).unwrap_or_default()),
            ("home", s.home.clone()),
            ("log", s.log.clone()),
            ("idle timeout", if s.idle_timeout == 0 { "never".into() } else { format!("{} s", s.idle_timeout) }),
            ("held by", s.guards.join("\n")),
            ("calls", s.calls.to_string()),
            ("defects", if s.defects == 0 { String::new() } else { s.defects.to_string() }),
            ("heals", if s.heals == 0 { String::new() } else { s.heals.to_string() }),
        ]),
    });
    Ok(if seen.running { exit::SUCCESS } else { exit::UNREACHABLE })
}

fn stop(paths: &Paths, only_if_idle: bool, output: Output) -> Result<i32> {
    #[derive(Serialize)]
    struct Stopped {
        stopped: bool,
    }
    let mut client = match Client::connect(paths) {
        Ok(client) => client,
        Err(error) if error.code() == Code::Unreachable => {
            output.data(&Stopped { stopped: false }, String::new);
            output.say("No daemon is running.");
            return Ok(exit::SUCCESS);
        }
        Err(error) => return Err(error),
    };
    let pid = client.hello()?.pid;
    client.call(&Stop { only_if_idle }).map_err(crate::ipc::client::Lost::into_error)?;
    drop(client);
    connect::wait_ended(paths, pid)?;
    output.data(&Stopped { stopped: true }, String::new);
    output.say("The daemon ended.");
    Ok(exit::SUCCESS)
}

#[derive(Serialize)]
struct Level<'a> {
    level: &'a str,
}

fn logs(paths: &Paths, args: &LogsArgs, output: Output) -> Result<i32> {
    if let Some(level) = &args.level {
        let mut client = Client::connect(paths)?;
        client.call(&LogLevel { level: level.clone() }).map_err(crate::ipc::client::Lost::into_error)?;
        output.data(&Level { level }, String::new);
        output.say(&format!("The daemon logs at level {level} until it ends."));
        return Ok(exit::SUCCESS);
    }
    logfile::show(&paths.log_file(), args.lines, args.follow, "There is no log yet: no daemon has run.", output)
}
