//! `clown plugins`, and the record that `clown hooks log` shows too.

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, ago},
    table::Table,
};
use crate::{
    base::error::Result,
    wire::{
        audit::{self, Kind, Outcome},
        ids::PluginName,
        plugins::{Disable, Enable, List, State},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Let executables of your own hear of events, and have a say before a run.
///
/// A plugin is an executable in plugins.d of clown's directory. It gets an event as JSON on standard input. Asked before a run
/// (pre_run), it refuses it by another exit code than 0, or by printing a JSON object with the reason as its "veto".
#[argh(
    subcommand,
    name = "plugins",
    example = "clown plugins list\nclown plugins enable notify --event session/ended\nclown plugins enable guard --event pre_run"
)]
pub(super) struct Plugins {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Enable(EnableArgs),
    Disable(DisableArgs),
    Log(LogArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// List plugins, and whether they run.
#[argh(subcommand, name = "list", example = "clown plugins list")]
struct ListArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Let a plugin run as its file is now. A changed file asks again.
#[argh(
    subcommand,
    name = "enable",
    example = "clown plugins enable notify --event 'session/*'\nclown plugins enable guard --event pre_run --timeout-ms 2000"
)]
struct EnableArgs {
    /// file name of the plugin
    #[argh(positional)]
    name: String,
    /// topic of events, such as session/ended, session/* or *, or pre_run; may be repeated (default: those of before)
    #[argh(option, arg_name = "topic")]
    event: Vec<String>,
    /// time for one event in milliseconds (default: 5000)
    #[argh(option, arg_name = "ms")]
    timeout_ms: Option<u64>,
    /// memory of all its processes in MiB (default: 256)
    #[argh(option, arg_name = "mib")]
    memory_mb: Option<u64>,
}

#[derive(FromArgs, ArgsInfo)]
/// Let a plugin run no more. Its file stays.
#[argh(subcommand, name = "disable", example = "clown plugins disable notify")]
struct DisableArgs {
    /// file name of the plugin
    #[argh(positional)]
    name: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Show what plugins did, newest first.
#[argh(subcommand, name = "log", example = "clown plugins log notify")]
struct LogArgs {
    /// file name of a plugin (default: all)
    #[argh(positional)]
    name: Option<String>,
    /// how many lines (default: 50)
    #[argh(option, arg_name = "n")]
    limit: Option<usize>,
}

impl Plugins {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(_) => {
                let listed = daemon.call(&List {})?;
                output.data(&listed, || {
                    if listed.plugins.is_empty() {
                        return String::new();
                    }
                    let mut table = Table::new(&["plugin", "state", "events", "file"]);
                    for row in &listed.plugins {
                        let events = row.enabled.as_ref().map(|e| e.events.join(" ")).unwrap_or_default();
                        table.row([row.name.to_string(), word(row.state).to_owned(), events, row.file.clone()]);
                    }
                    table.render()
                });
                if listed.plugins.is_empty() {
                    output.say(&format!("No plugins. Put an executable into {}", listed.dir));
                }
            }
            Command::Enable(args) => {
                let EnableArgs { name, event, timeout_ms, memory_mb } = args;
                let row = daemon.call(&Enable { name: PluginName::parse(&name)?, events: event, timeout_ms, memory_mb })?;
                output.data(&row, String::new);
                output.say(&format!("{name} is enabled as its file is now."));
            }
            Command::Disable(args) => {
                let done = daemon.call(&Disable { name: PluginName::parse(&args.name)? })?;
                output.data(&done, String::new);
                output.say(&format!("{} is disabled.", args.name));
            }
            Command::Log(args) => {
                let list = audit::List { kind: Some(Kind::Plugin), name: args.name, profile: None, limit: args.limit };
                show_log(&mut daemon, output, &list)?;
            }
        }
        Ok(0)
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Off => "off",
        State::On => "on",
        State::Changed => "changed: enable it again",
        State::Missing => "its file is gone",
        State::Unusable => "no executable that only you can write",
    }
}

/// Lines of the record of commands.
pub(super) fn show_log(daemon: &mut Daemon, output: Output, list: &audit::List) -> Result<()> {
    let log = daemon.call(list)?;
    output.data(&log, || {
        if log.lines.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["when", "event", "ran", "profile", "outcome", "took", "message"]);
        for line in &log.lines {
            let outcome = match line.outcome {
                Outcome::Ok => "ok",
                Outcome::Failed => "failed",
                Outcome::TimedOut => "took too long",
                Outcome::TooMuch => "took too much",
                Outcome::NotAgreed => "not agreed to",
                Outcome::Vetoed => "refused the run",
                Outcome::Dropped => "events dropped",
            };
            table.row([
                ago(&line.time),
                line.event.clone(),
                line.name.clone(),
                line.profile.clone().unwrap_or_default(),
                outcome.to_owned(),
                format!("{} ms", line.ms),
                line.message.clone(),
            ]);
        }
        table.render()
    });
    if log.lines.is_empty() {
        output.say("Nothing ran yet.");
    }
    Ok(())
}
