//! `clown service`

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::{output::Output, table::fields};
use crate::{
    base::{
        error::{Error, Result},
        fsx, os,
        paths::Paths,
        seams::{Spawn, SpawnSpec, SystemSpawn},
        service::{MARK, Manager, Service as Unit},
    },
    ipc::client::{Client, Lost},
    wire::{daemon::Stop, error::Code},
};

/// A manager starts the daemon before it answers.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(FromArgs, ArgsInfo)]
/// Have the daemon run from login on, kept alive by systemd or launchd.
#[argh(subcommand, name = "service", example = "clown service install\nclown service status")]
pub(super) struct Service {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Install(InstallArgs),
    Uninstall(UninstallArgs),
    Status(StatusArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Write a service of yours that runs the daemon, and start it. Sessions that run go on.
#[argh(subcommand, name = "install", example = "clown service install\nclown service install --print")]
struct InstallArgs {
    /// print the file and where it would be; write and start nothing
    #[argh(switch)]
    print: bool,
    /// only write the file
    #[argh(switch)]
    no_start: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Stop the service and remove its file. Sessions that run go on.
#[argh(subcommand, name = "uninstall", example = "clown service uninstall")]
struct UninstallArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Tell whether the service is installed, and runs.
#[argh(subcommand, name = "status", example = "clown service status --json")]
struct StatusArgs {}

/// The document of each command.
#[derive(Serialize)]
struct State {
    manager: &'static str,
    name: String,
    file: String,
    installed: bool,
    /// Whether the file is what `install` would write now.
    current: bool,
    /// As the manager says; absent when it does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<String>,
}

impl Service {
    pub fn run(self, output: Output) -> Result<i32> {
        let paths = Paths::from_env()?;
        let unit = Unit::here(&paths)?;
        match self.command {
            Command::Install(args) => install(&paths, &unit, &args, output),
            Command::Uninstall(_) => uninstall(&unit, output),
            Command::Status(_) => status(&unit, output),
        }
    }
}

fn install(paths: &Paths, unit: &Unit, args: &InstallArgs, output: Output) -> Result<i32> {
    #[derive(Serialize)]
    struct Printed<'a> {
        file: &'a str,
        text: &'a str,
    }
    let (text, file) = (unit.text()?, unit.file.display().to_string());
    if args.print {
        output.data(&Printed { file: &file, text: &text }, || text.clone());
        output.say(&format!("This would be {file}."));
        return Ok(0);
    }
    let before = ours(unit)?;
    if !args.no_start {
        make_room(paths)?;
    }
    fsx::write_atomic(&unit.file, text.as_bytes(), fsx::Mode::Shared)?;
    if !args.no_start
        && let Err(error) = start(unit)
    {
        // As it was before.
        match before {
            Some(bytes) => fsx::write_atomic(&unit.file, &bytes, fsx::Mode::Shared)?,
            None => fsx::remove(&unit.file)?,
        }
        let _ = reload(unit);
        return Err(error.hint("write the file only, and start it yourself: clown service install --no-start"));
    }
    output.data(&state(unit)?, String::new);
    output.say(&format!("Wrote {file}."));
    match (args.no_start, unit.manager) {
        (true, Manager::Systemd) => {
            output.say(&format!("Start it: systemctl --user daemon-reload && systemctl --user enable --now {}", unit.name))
        }
        (true, Manager::Launchd) => output.say(&format!("Start it: launchctl bootstrap gui/{} {file}", os::uid())),
        (false, Manager::Systemd) => output.say("The daemon runs, from login to logout; to keep it after logout: loginctl enable-linger"),
        (false, Manager::Launchd) => output.say("The daemon runs, from login to logout."),
    }
    Ok(0)
}

/// The file as it is; refuses one that somebody else wrote.
fn ours(unit: &Unit) -> Result<Option<Vec<u8>>> {
    let before = fsx::read_optional(&unit.file)?;
    match &before {
        Some(bytes) if !String::from_utf8_lossy(bytes).contains(MARK) => {
            Err(Error::exists(format!("{} is there and was not written by clown", unit.file.display())).hint("move it away and try again"))
        }
        _ => Ok(before),
    }
}

/// There is one daemon for a tree: one that a command started must end first, and only an idle one is asked to.
fn make_room(paths: &Paths) -> Result<()> {
    let mut client = match Client::connect(paths) {
        Ok(client) => client,
        Err(error) if error.code() == Code::Unreachable => return Ok(()),
        Err(error) => return Err(error),
    };
    let pid = client.hello()?.pid;
    client.call(&Stop { only_if_idle: true }).map_err(|lost| {
        Lost::into_error(lost).hint("or write the file now and have it start at the next login: clown service install --no-start")
    })?;
    drop(client);
    super::connect::wait_ended(paths, pid)
}

/// The service that runs this tree's daemon now.
pub(super) fn running(paths: &Paths) -> Option<Unit> {
    let unit = Unit::here(paths).ok()?;
    let active = state(&unit).ok()?.active;
    (active.as_deref() == Some("active")).then_some(unit)
}

pub(super) fn start(unit: &Unit) -> Result<()> {
    reload(unit)?;
    match unit.manager {
        Manager::Systemd => {
            tell("systemctl", &["--user", "enable", &unit.name])?;
            tell("systemctl", &["--user", "restart", &unit.name])?;
        }
        Manager::Launchd => {
            let file = unit.file.display().to_string();
            // An older one of this name would be in the way; most often there is none.
            let _ = tell("launchctl", &["bootout", &format!("gui/{}/{}", os::uid(), unit.name)]);
            tell("launchctl", &["bootstrap", &format!("gui/{}", os::uid()), &file])?;
        }
    }
    Ok(())
}

fn reload(unit: &Unit) -> Result<()> {
    match unit.manager {
        Manager::Systemd => tell("systemctl", &["--user", "daemon-reload"]).map(drop),
        Manager::Launchd => Ok(()),
    }
}

fn uninstall(unit: &Unit, output: Output) -> Result<i32> {
    if ours(unit)?.is_none() {
        output.data(&state(unit)?, String::new);
        output.say(&format!("It is not installed: there is no {}.", unit.file.display()));
        return Ok(0);
    }
    let stopped = match unit.manager {
        Manager::Systemd => tell("systemctl", &["--user", "disable", "--now", &unit.name]),
        Manager::Launchd => tell("launchctl", &["bootout", &format!("gui/{}/{}", os::uid(), unit.name)]),
    };
    fsx::remove(&unit.file)?;
    match stopped.and_then(|_| reload(unit)) {
        Ok(()) => {}
        // The file is what would start it again; what runs can be stopped by other means.
        Err(error) => output.warn(&format!("the service was not stopped: {error}; if it runs: clown daemon stop")),
    }
    output.data(&state(unit)?, String::new);
    output.say(&format!("Removed {}.", unit.file.display()));
    Ok(0)
}

fn status(unit: &Unit, output: Output) -> Result<i32> {
    let state = state(unit)?;
    output.data(&state, || {
        fields(&[
            ("manager", state.manager.to_owned()),
            ("installed", if state.installed { "yes" } else { "no" }.to_owned()),
            ("file", state.file.clone()),
            ("changed", if state.installed && !state.current { "yes; renew it: clown service install".to_owned() } else { String::new() }),
            ("runs", state.active.clone().unwrap_or_default()),
            ("at login", state.enabled.clone().unwrap_or_default()),
        ])
    });
    if !state.installed {
        output.say("Install it: clown service install");
    }
    Ok(0)
}

fn state(unit: &Unit) -> Result<State> {
    let there = fsx::read_optional(&unit.file)?;
    let asked = |args: &[&str]| ask("systemctl", args).ok().map(|(_, said)| said).filter(|said| !said.is_empty());
    let (active, enabled) = match unit.manager {
        _ if there.is_none() => (None, None),
        Manager::Systemd => (asked(&["--user", "is-active", &unit.name]), asked(&["--user", "is-enabled", &unit.name])),
        Manager::Launchd => {
            let loaded = ask("launchctl", &["print", &format!("gui/{}/{}", os::uid(), unit.name)]).ok();
            (loaded.map(|(code, _)| if code == Some(0) { "active" } else { "inactive" }.to_owned()), None)
        }
    };
    Ok(State {
        manager: unit.manager.name(),
        name: unit.name.clone(),
        file: unit.file.display().to_string(),
        installed: there.is_some(),
        current: there.is_some_and(|bytes| unit.text().is_ok_and(|text| text.as_bytes() == bytes)),
        active,
        enabled,
    })
}

/// Exit code and the first line of what it said.
fn ask(program: &str, args: &[&str]) -> Result<(Option<i32>, String)> {
    let ran = spawn(program, args)?;
    Ok((ran.code, String::from_utf8_lossy(&ran.stdout).lines().next().unwrap_or_default().trim().to_owned()))
}

fn tell(program: &str, args: &[&str]) -> Result<()> {
    let ran = spawn(program, args)?;
    if ran.code == Some(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
    let why = match (ran.timed_out, said.is_empty()) {
        (true, _) => format!("it did not end within {} s", PATIENCE.as_secs()),
        (false, true) => ran.code.map_or_else(|| "a signal ended it".to_owned(), |code| format!("it ended with {code}")),
        (false, false) => said,
    };
    Err(Error::io(format!("{program} {} failed: {why}", args.join(" "))))
}

fn spawn(program: &str, args: &[&str]) -> Result<crate::base::seams::Ran> {
    let spec = SpawnSpec {
        program: program.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        env: std::env::vars_os().collect(),
        cwd: None,
        stdin: Vec::new(),
        timeout: PATIENCE,
        max_output: 64 * 1024,
    };
    SystemSpawn.run(&spec).map_err(|e| Error::unsupported(format!("{program} cannot be started")).cause(e))
}
