//! The child between an agent and a server, for agents that hand on a variable only under its own name:
//! `clown __mcp NAME=VARIABLE.. -- PROGRAM ARGS..` gives the program each variable under the server's name for it.

use std::{io::Write, process::Command};

/// Hidden subcommand of the child.
pub const CHILD_COMMAND: &str = "__mcp";

/// Becomes the server; returns an exit code only when that failed.
pub fn launch(words: &[String]) -> i32 {
    let mut words = words.iter();
    let mut names = Vec::new();
    for word in words.by_ref() {
        match word.split_once('=') {
            Some(pair) => names.push(pair),
            None => break,
        }
    }
    let Some(program) = words.next() else {
        let _ = writeln!(std::io::stderr(), "error: no MCP server is named");
        return 2;
    };
    let mut command = Command::new(program);
    command.args(words);
    for (name, variable) in names {
        if let Some(value) = std::env::var_os(variable) {
            command.env(name, value).env_remove(variable);
        }
    }
    let failed = become_it(&mut command);
    let _ = writeln!(std::io::stderr(), "error: cannot run the MCP server {program}: {failed}");
    127
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(failed) => failed,
    }
}
