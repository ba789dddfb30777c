//! Which of its lives this process has: a child with one task, the daemon, or the command line.

use std::{io::Write, process::ExitCode};

use crate::{base::secret::keychain, cli, daemon, mcp, plugins, proxy::engine, scripting};

/// The whole program.
pub fn main() -> ExitCode {
    let mut argv = Vec::new();
    for word in std::env::args_os().skip(1) {
        match word.into_string() {
            Ok(word) => argv.push(word),
            Err(word) => {
                let _ = writeln!(std::io::stderr(), "error: the argument {word:?} is not valid UTF-8");
                return ExitCode::from(2);
            }
        }
    }
    let code = match argv.first().map(String::as_str) {
        Some(scripting::CHILD_COMMAND) => print(&scripting::child()),
        Some(mcp::CHILD_COMMAND) => mcp::launch(argv.get(1..).unwrap_or_default()),
        Some(plugins::CHILD_COMMAND) => print(&plugins::child(argv.get(1..).unwrap_or_default())),
        Some(keychain::CHILD_COMMAND) => print(keychain::child().bytes()),
        Some(cli::CHILD_COMMAND) => cli::child(),
        _ => cli::main(&argv, &cli::Lives { daemon: &run_daemon, engine: &run_engine }),
    };
    // Values beyond a byte exist on Windows; nothing else gives them.
    u8::try_from(code).map_or_else(|_| std::process::exit(code), ExitCode::from)
}

fn print(bytes: &[u8]) -> i32 {
    let mut out = std::io::stdout().lock();
    i32::from(out.write_all(bytes).and_then(|()| out.flush()).is_err())
}

/// `clown daemon`, handed to the command line, which imports no daemon.
fn run_daemon(foreground: &cli::Foreground) -> crate::base::error::Result<()> {
    let options = daemon::Options { stay_alive: foreground.stay_alive, idle_timeout: foreground.idle_timeout };
    if foreground.ready {
        crate::base::os::detach();
    }
    daemon::run(&options, |report| (foreground.report)(report))
}

/// `clown ultrallm`, handed over in the same way.
fn run_engine(ask: &cli::Engine<'_>) -> crate::base::error::Result<()> {
    match ask {
        cli::Engine::Check { config } => engine::check(config),
        cli::Engine::Serve { config, stdin, ready } => {
            let listener = if *stdin { engine::Listener::Stdin } else { engine::Listener::Own };
            engine::serve(config, listener, *ready)
        }
    }
}
