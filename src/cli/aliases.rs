//! `clown aliases`: launchers on PATH.

use std::{
    path::{Path, PathBuf},
    process::Command as Program,
};

use argh::{ArgsInfo, FromArgs};

use super::{bind, connect::Daemon, output::Output, run, table::Table};
use crate::{
    base::{
        error::{Error, Result},
        launcher::is_launcher,
        os,
    },
    wire::{
        agents::Inspect,
        bindings::Which,
        launchers::{Install, Installed, List, State, Target, Uninstall},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Put small launchers on PATH: one for a profile, or one in an agent's own name.
#[argh(subcommand, name = "aliases", example = "clown aliases install work\nclown aliases list")]
pub(super) struct Aliases {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Install(InstallArgs),
    Uninstall(UninstallArgs),
    List(ListArgs),
    Exec(ExecArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Install a launcher for a profile, or for an agent: that one runs the profile its directory is bound to, else the agent itself.
#[argh(
    subcommand,
    name = "install",
    usage = "[<alias>] [--agent <id>] [<options>]",
    example = "clown aliases install work\nclown aliases install --agent claude"
)]
struct InstallArgs {
    /// name of the profile
    #[argh(positional)]
    alias: Option<String>,
    /// an agent in place of a profile
    #[argh(option, arg_name = "id")]
    agent: Option<String>,
    /// name of the command (default: agent-alias, or the agent's program)
    #[argh(option)]
    name: Option<String>,
    /// directory on PATH (default: ~/.local/bin)
    #[argh(option, arg_name = "dir")]
    bin_dir: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a launcher. A file that is not clown's stays.
#[argh(subcommand, name = "uninstall", example = "clown aliases uninstall claude-work")]
struct UninstallArgs {
    /// name of the command
    #[argh(positional)]
    name: String,
}

#[derive(FromArgs, ArgsInfo)]
/// List launchers, and whether they are in place.
#[argh(subcommand, name = "list", example = "clown aliases list")]
struct ListArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Run what an agent's launcher runs: the directory's profile, else the agent.
#[argh(
    subcommand,
    name = "exec",
    usage = "[--launcher <file>] <agent> [--] [<arguments>]",
    example = "clown aliases exec claude -- --version"
)]
struct ExecArgs {
    /// the launcher's file, which is not the agent
    #[argh(option, arg_name = "file")]
    launcher: Option<String>,
    /// agent id
    #[argh(positional)]
    agent: String,
    /// arguments for the agent
    #[argh(positional, greedy)]
    args: Vec<String>,
}

impl Aliases {
    pub fn run(self, output: Output) -> Result<i32> {
        match self.command {
            Command::Install(args) => {
                let target = match (args.alias, args.agent) {
                    (Some(alias), None) => Target::Profile { alias },
                    (None, Some(id)) => Target::Agent { id },
                    _ => {
                        return Err(Error::usage("clown aliases install needs a profile or --agent, and not both")
                            .hint("for example: clown aliases install work"));
                    }
                };
                let mut daemon = Daemon::needed(output)?;
                install(&mut daemon, output, target, args.name, args.bin_dir).map(|installed| output.data(&installed, String::new))?;
            }
            Command::Uninstall(args) => {
                let gone = Daemon::needed(output)?.call(&Uninstall { name: args.name })?;
                output.data(&gone, String::new);
                output.say(&format!("Removed: {}", gone.path));
            }
            Command::List(_) => list(output)?,
            Command::Exec(args) => return exec(args, output),
        }
        Ok(0)
    }
}

/// Installs a launcher and says so.
pub(super) fn install(
    daemon: &mut Daemon,
    output: Output,
    target: Target,
    name: Option<String>,
    bin_dir: Option<String>,
) -> Result<Installed> {
    let program = std::env::current_exe().map_err(|e| Error::io("clown's own program is not found").cause(e))?;
    let program = program.to_str().ok_or_else(|| Error::invalid("the path of clown is not valid UTF-8"))?.to_owned();
    let installed = daemon.call(&Install { target, name, bin_dir: bind::absolute(bin_dir)?, program })?;
    output.say(&format!("Installed: {}", installed.launcher.path));
    installed.warnings.iter().for_each(|warning| output.warn(warning));
    Ok(installed)
}

fn list(output: Output) -> Result<()> {
    let listed = Daemon::needed(output)?.call(&List {})?;
    output.data(&listed, || {
        if listed.launchers.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["command", "runs", "state", "file"]);
        for row in &listed.launchers {
            let runs = match &row.launcher.target {
                Target::Profile { alias } => format!("profile {alias}"),
                Target::Agent { id } => format!("{id}, by directory"),
            };
            let state = match row.state {
                State::Ready => "",
                State::Missing => "missing",
                State::Foreign => "another file is there",
                State::NotOnPath => "not on PATH",
            };
            table.row([row.launcher.name.clone(), runs, state.to_owned(), row.launcher.path.clone()]);
        }
        table.render()
    });
    if listed.launchers.is_empty() {
        output.say("No launchers. Install one: clown aliases install ALIAS");
    }
    Ok(())
}

fn exec(args: ExecArgs, output: Output) -> Result<i32> {
    let launcher = args.launcher.as_deref().map(Path::new);
    let named = launcher.and_then(|l| Some(l.file_stem()?.to_str()?.to_owned())).unwrap_or_else(|| args.agent.clone());
    // A binding that cannot be read must not end in another account.
    let past = |error: Error| match real_program(std::slice::from_ref(&named), launcher) {
        Some(real) => error.hint(format!("to run the agent without clown: {}", real.display())),
        None => error,
    };
    let mut daemon = Daemon::needed(output)?;
    let choice = daemon.call(&Which::default()).map_err(past)?;
    if choice.profile.is_some() && (choice.agent.is_none() || choice.agent.as_deref() == Some(args.agent.as_str())) {
        let begin = bind::begin(&mut daemon, output, choice, args.args).map_err(past)?;
        return run::begin_here(daemon, output, &begin);
    }
    let detail = daemon.call(&Inspect { id: args.agent })?;
    drop(daemon);
    let Some(real) = real_program(&detail.manifest.binaries, launcher) else {
        return Err(Error::not_found(format!("{} is not installed: nothing but the launcher is on PATH", detail.manifest.name))
            .hint(format!("install it: {}", detail.manifest.install.hint)));
    };
    become_program(Program::new(&real).args(args.args)).map_err(|e| Error::io(format!("cannot run {}", real.display())).cause(e))
}

/// The agent itself: no launcher, and behind the launcher's own directory on PATH, so that a program
/// that called the launcher is not called by it.
fn real_program(names: &[String], launcher: Option<&Path>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = os::path_dirs(&path);
    let own = launcher.and_then(Path::parent);
    let behind = own.and_then(|own| dirs.iter().position(|dir| dir == own)).map_or(0, |at| at + 1);
    let files = names.iter().flat_map(|name| os::program_names(name));
    files.flat_map(|file| dirs.iter().skip(behind).map(move |dir| dir.join(&file))).find(|p| os::is_executable(p) && !is_launcher(p))
}

#[cfg(unix)]
fn become_program(program: &mut Program) -> std::io::Result<i32> {
    Err(std::os::unix::process::CommandExt::exec(program))
}

#[cfg(not(unix))]
fn become_program(program: &mut Program) -> std::io::Result<i32> {
    program.status().map(|status| status.code().unwrap_or(1))
}
