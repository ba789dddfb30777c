//! `clown run`: the daemon plans, this process starts the agent with the terminal it already has.

use std::{collections::BTreeMap, process::Command};

use argh::{ArgsInfo, FromArgs};

use super::{bind, connect::Daemon, output::Output, pre::UNNAMED, proxy::bring, scripts::agreeing};
use crate::{
    base::{
        child_env,
        error::{Error, Result},
        secret::reference,
    },
    wire::{
        bindings::Which,
        runs::{Begin, Ended, Exit, Started},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Run the agent of a profile here. Everything behind the profile's name goes to the agent.
///
/// Without a name the directory chooses: see clown bind and clown which.
#[argh(
    subcommand,
    name = "run",
    usage = "[<alias>] [--] [<arguments of the agent>]",
    example = "clown run work\nclown run work -p \"explain this repository\"\nclown run -- -p \"with the profile of this directory\""
)]
pub(super) struct Run {
    /// name of the profile; without one, the directory's
    #[argh(positional)]
    alias: String,
    /// arguments for the agent
    #[argh(positional, greedy)]
    args: Vec<String>,
}

impl Run {
    /// The agent's own exit code; when a signal ended it, this process ends by the same.
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        let begin = if self.alias == UNNAMED {
            let choice = daemon.call(&Which::default())?;
            bind::begin(&mut daemon, output, choice, self.args)?
        } else {
            Begin { alias: self.alias, args: self.args, env: BTreeMap::new() }
        };
        begin_here(daemon, output, &begin)
    }
}

/// Runs it in this process's place, with its terminal.
pub(super) fn begin_here(mut daemon: Daemon, output: Output, begin: &Begin) -> Result<i32> {
    let mut plan = agreeing(&mut daemon, output, begin)?;
    for warning in &plan.warnings {
        output.warn(warning);
    }
    reference::fill(&mut plan.env, |name| std::env::var_os(name)).iter().for_each(|missing| output.warn(missing));
    let proxy = bring(&mut daemon, &begin.alias, &plan.proxy_needs);
    let key = || plan.env.key.as_ref().map(|source| reference::fetch(source, |name| std::env::var_os(name))).transpose();
    let prepared = proxy.and_then(|_| key());
    let prepared = prepared.and_then(|key| child_env::apply(std::env::vars_os(), &plan.env, key.as_ref()));
    let spawned = prepared.and_then(|env| {
        let mut command = Command::new(&plan.program);
        command.args(&plan.args).env_clear().envs(env);
        process::start(&mut command).map_err(|e| Error::io(format!("cannot run {}", plan.program)).cause(e))
    });
    let session = plan.session;
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let _ = daemon.call(&Ended { session, exit: Exit::NotStarted, pid: None });
            return Err(error);
        }
    };
    // The agent runs from here on; nothing below may stop it or change what it says.
    let _ = daemon.call(&Started { session: session.clone(), pid: child.pid() });
    // A connection would keep the daemon from ending at once when told to.
    daemon.hang_up();
    let exit = child.wait();
    if let Err(error) = daemon.call(&Ended { session, exit, pid: Some(child.pid()) }) {
        output.warn(&format!("the session's record was not closed: {error}"));
    }
    match exit {
        Exit::Code(code) => Ok(code),
        Exit::Signal(signal) => {
            child.restore_terminal();
            process::die_by(signal);
            Ok(128 + signal)
        }
        Exit::Unknown | Exit::NotStarted => Ok(1),
    }
}

#[cfg(unix)]
mod process {
    use std::{
        io::{self, IsTerminal, Write},
        process::{Child, Command},
    };

    use rustix::{
        process::{Pid, Signal, WaitOptions, kill_process, waitpid},
        termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
    };
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
        iterator::{SignalsInfo, exfiltrator::WithOrigin},
        low_level::siginfo::{Cause, Sent},
    };

    use crate::wire::runs::Exit;

    pub struct Agent {
        child: Child,
        /// Settings of the terminal before the agent changed them.
        terminal: Option<Termios>,
    }

    /// Handlers are set before the agent starts; they end with this process and are not inherited.
    pub fn start(command: &mut Command) -> io::Result<Agent> {
        let mut signals = SignalsInfo::<WithOrigin>::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP])?;
        let terminal = tcgetattr(io::stdin()).ok();
        let child = command.spawn()?;
        let pid = pid_of(&child)?;
        std::thread::spawn(move || {
            for info in &mut signals {
                // The terminal sends to the agent as well; what a process sends only reaches us.
                let from_process = matches!(info.cause, Cause::Sent(Sent::User | Sent::TKill | Sent::Queue));
                if let (true, Some(signal)) = (from_process, Signal::from_named_raw(info.signal)) {
                    let _ = kill_process(pid, signal);
                }
            }
        });
        Ok(Agent { child, terminal })
    }

    fn pid_of(child: &Child) -> io::Result<Pid> {
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("no pid"))
    }

    impl Agent {
        pub fn pid(&self) -> u32 {
            self.child.id()
        }

        /// Until the agent ends. When it stops itself, so does this process, so that the shell gets
        /// its terminal back; continued, both go on.
        pub fn wait(&mut self) -> Exit {
            let Ok(pid) = pid_of(&self.child) else { return Exit::Unknown };
            loop {
                match waitpid(Some(pid), WaitOptions::UNTRACED) {
                    Ok(Some((_, status))) => {
                        if let Some(code) = status.exit_status() {
                            return Exit::Code(code);
                        }
                        if let Some(signal) = status.terminating_signal() {
                            return Exit::Signal(signal);
                        }
                        if status.stopped() {
                            let _ = kill_process(rustix::process::getpid(), Signal::STOP);
                            let _ = kill_process(pid, Signal::CONT);
                        }
                    }
                    Err(rustix::io::Errno::INTR) | Ok(None) => {}
                    Err(_) => return Exit::Unknown,
                }
            }
        }

        /// An agent ended by a signal leaves the terminal as it was using it.
        pub fn restore_terminal(&self) {
            if let Some(terminal) = &self.terminal {
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
            }
            if io::stdout().is_terminal() {
                // Alternate screen, mouse, focus, paste, keyboard modes, cursor, colours.
                let reset = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2026l\x1b[?2031l\x1b[<u\x1b[>4;0m\x1b[?25h\x1b[0m";
                let mut out = io::stdout().lock();
                let _ = out.write_all(reset.as_bytes()).and_then(|()| out.flush());
            }
        }
    }

    /// Ends this process as the signal would.
    pub fn die_by(signal: i32) {
        // A core file of the launcher helps nobody.
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

#[cfg(windows)]
mod process {
    use std::{
        io,
        process::{Child, Command},
    };

    use crate::wire::runs::Exit;

    pub struct Agent(Child);

    pub fn start(command: &mut Command) -> io::Result<Agent> {
        command.spawn().map(Agent)
    }

    impl Agent {
        pub fn pid(&self) -> u32 {
            self.0.id()
        }

        pub fn wait(&mut self) -> Exit {
            self.0.wait().ok().and_then(|s| s.code()).map_or(Exit::Unknown, Exit::Code)
        }

        pub fn restore_terminal(&self) {}
    }

    pub fn die_by(_signal: i32) {}
}
