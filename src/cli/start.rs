//! From the arguments of the process to its exit code.

use argh::{ArgsInfo, EarlyExit, FromArgs};

use super::{
    Foreground,
    args::{Command, Top},
    output::{Output, write_stdout},
    pre,
};
use crate::{
    base::error::{Error, Result},
    wire::error::exit,
};

/// Parses and runs one command line; gives the exit code. `daemon` runs the daemon in this process.
pub fn main(argv: &[String], daemon: &dyn Fn(&Foreground<'_>) -> Result<()>) -> i32 {
    let info = Top::get_args_info();
    let (globals, rest) = pre::lift(argv, &info);
    let output = Output { json: globals.json, quiet: globals.quiet };
    if globals.version {
        let version = env!("CARGO_PKG_VERSION");
        output.data(&serde_json::json!({ "name": "clown", "version": version, "protocol": crate::wire::PROTOCOL }), || {
            format!("clown {version}\n")
        });
        return exit::SUCCESS;
    }
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    let top = match Top::from_args(&["clown"], &words) {
        Ok(top) => top,
        Err(EarlyExit { output: text, status: Ok(()), .. }) => {
            write_stdout(&text);
            return exit::SUCCESS;
        }
        Err(EarlyExit { output: text, .. }) => return output.fail(usage(&rest, &info, &text)),
    };
    let Some(command) = top.command else {
        let help = Top::from_args(&["clown"], &["--help"]).err().map(|e| e.output).unwrap_or_default();
        write_stdout(&help);
        return exit::SUCCESS;
    };
    match dispatch(command, output, daemon) {
        Ok(code) => code,
        Err(error) => output.fail(error),
    }
}

fn usage(words: &[String], info: &argh::CommandInfoWithArgs, text: &str) -> Error {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("Run ")).collect();
    let message = lines.join(" ");
    let message = message
        .strip_prefix("Unrecognized argument:")
        .map_or_else(|| lower_first(&message), |word| format!("there is no command or flag {}", word.trim()));
    let error = Error::usage(message);
    let error = match pre::suggest(words, info, text) {
        Some(near) => error.hint(format!("did you mean {near}")),
        None => error,
    };
    // Help of the deepest command that was understood.
    let mut at = info;
    let mut path = "clown".to_owned();
    for word in words {
        if let Some(command) = at.commands.iter().find(|c| c.name == word.as_str()) {
            at = &command.command;
            path = format!("{path} {word}");
        }
    }
    error.hint(format!("see {path} --help"))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn dispatch(command: Command, output: Output, run_daemon: &dyn Fn(&Foreground<'_>) -> Result<()>) -> Result<i32> {
    match command {
        Command::Run(run) => run.run(output),
        Command::Profiles(profiles) => profiles.run(output),
        Command::Agents(agents) => agents.run(output),
        Command::Providers(providers) => providers.run(output),
        Command::Sessions(sessions) => sessions.run(output),
        Command::Scripts(scripts) => scripts.run(output),
        Command::Config(config) => config.run(output),
        Command::Watch(watch) => watch.run(output),
        Command::Daemon(daemon) => daemon.run(output, run_daemon),
    }
}
