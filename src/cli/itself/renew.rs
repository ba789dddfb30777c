//! A daemon of the former program: an idle one makes room for one of the new program, a busy one goes on.

use std::{path::Path, time::Duration};

use serde::Serialize;

use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
        seams::{Spawn, SpawnSpec, SystemSpawn},
        service::Service as Unit,
    },
    cli::{connect::wait_ended, output::Output, service},
    ipc::client::{Client, Lost},
    wire::daemon::Stop,
};

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Daemon {
    /// None ran.
    None,
    Restarted,
    /// It has work, and goes on as it is.
    Busy,
    /// It ended and was not started again; the next command does that.
    Ended,
}

/// Never fails: the program is in its place by now. `service`: what runs the daemon, if a service manager does.
pub(super) fn daemon(paths: &Paths, program: &Path, service: Option<Unit>, output: Output) -> Daemon {
    let Ok(mut client) = Client::connect(paths) else { return Daemon::None };
    let stopped = client.hello().and_then(|hello| {
        client.call(&Stop { only_if_idle: true }).map_err(Lost::into_error)?;
        Ok(hello.pid)
    });
    drop(client);
    let ended = match stopped {
        Ok(pid) => wait_ended(paths, pid),
        Err(error) => {
            output.say(&format!("The daemon goes on as it is: {error}. When it has nothing to do: clown daemon stop"));
            return Daemon::Busy;
        }
    };
    let started = ended.and_then(|()| match service {
        Some(unit) => service::start(&unit),
        None => start(program),
    });
    match started {
        Ok(()) => Daemon::Restarted,
        Err(error) => {
            output.warn(&format!("the daemon ended and was not started again: {error}; the next command starts it"));
            Daemon::Ended
        }
    }
}

fn start(program: &Path) -> Result<()> {
    let spec = SpawnSpec {
        program: program.to_owned(),
        args: ["daemon", "start", "--quiet"].map(str::to_owned).into(),
        env: std::env::vars_os().collect(),
        cwd: None,
        stdin: Vec::new(),
        timeout: PATIENCE,
        max_output: 64 * 1024,
    };
    let ran = SystemSpawn.run(&spec).map_err(|e| Error::io("the new program cannot be started").cause(e))?;
    match ran.code {
        Some(0) => Ok(()),
        _ => Err(Error::io(String::from_utf8_lossy(&ran.stderr).lines().next().unwrap_or("it said nothing").to_owned())),
    }
}
