//! `clown hooks`

use argh::{ArgsInfo, FromArgs};

use super::{connect::Daemon, output::Output, plugins::show_log, table::Table};
use crate::{
    base::error::{Error, Result},
    wire::{
        audit,
        hooks::{Add, Export, Hook, Hooks as Reply, Import, List, Remove},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Have the agent of a profile call a command or an address at its events.
///
/// Hooks are written into the agent's own settings in the profile's home, beside your own ones.
#[argh(
    subcommand,
    name = "hooks",
    example = "clown hooks add work PreToolUse --matcher Bash --command \"logger tool\"\nclown hooks list work"
)]
pub(super) struct Hooks {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
    Import(ImportArgs),
    Export(ExportArgs),
    Log(LogArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Add a hook.
#[argh(
    subcommand,
    name = "add",
    usage = "<alias> <event> (--command <line> | --url <url>) [<options>]",
    example = "clown hooks add work Stop --command \"notify-send done\"\nclown hooks add work PreToolUse --matcher Bash --url http://127.0.0.1:9000/tool --timeout 5"
)]
struct AddArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// event of the agent; clown hooks list names them
    #[argh(positional)]
    event: String,
    /// which of the event's subjects, as the agent matches them, such as Bash
    #[argh(option, arg_name = "pattern")]
    matcher: Option<String>,
    /// line for a shell; it gets the event as JSON on standard input
    #[argh(option, arg_name = "line")]
    command: Option<String>,
    /// address that gets the event as JSON by POST
    #[argh(option, arg_name = "url")]
    url: Option<String>,
    /// time limit in seconds (default: the agent's own)
    #[argh(option, arg_name = "seconds")]
    timeout: Option<u64>,
}

#[derive(FromArgs, ArgsInfo)]
/// List the hooks of a profile, and the events its agent knows.
#[argh(subcommand, name = "list", example = "clown hooks list work")]
struct ListArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a hook. Your own entries in the agent's settings stay.
#[argh(subcommand, name = "remove", example = "clown hooks remove work 3f9a01cc")]
struct RemoveArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// id of the hook, from clown hooks list
    #[argh(positional)]
    id: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Add all hooks of a file, or none: an export, or an agent's settings.json.
#[argh(subcommand, name = "import", example = "clown hooks import work hooks.json")]
struct ImportArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// the file; standard input when absent
    #[argh(positional)]
    file: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Print the hooks of a profile as a document for another.
#[argh(subcommand, name = "export", example = "clown hooks export work > hooks.json")]
struct ExportArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Show which commands of manifests and plugins ran.
#[argh(subcommand, name = "log", example = "clown hooks log --profile work")]
struct LogArgs {
    /// only for this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
    /// how many lines (default: 50)
    #[argh(option, arg_name = "n")]
    limit: Option<usize>,
}

impl Hooks {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(args) => show(output, &daemon.call(&List { alias: args.alias.clone() })?, &args.alias),
            Command::Add(args) => {
                let AddArgs { alias, event, matcher, command, url, timeout } = args;
                let reply = daemon.call(&Add { alias, hook: Hook { event, matcher, command, url, timeout } })?;
                changed(output, &reply, "Added.");
            }
            Command::Remove(args) => changed(output, &daemon.call(&Remove { alias: args.alias, id: args.id })?, "Removed."),
            Command::Import(args) => {
                let document = document(args.file.as_deref())?;
                changed(output, &daemon.call(&Import { alias: args.alias, document })?, "Imported.");
            }
            Command::Log(args) => {
                let list = audit::List { kind: None, profile: args.profile, name: None, limit: args.limit };
                show_log(&mut daemon, output, &list)?;
            }
            Command::Export(args) => {
                let document = daemon.call(&Export { alias: args.alias })?;
                output.data(&document, || serde_json::to_string_pretty(&document).unwrap_or_default() + "\n");
            }
        }
        Ok(0)
    }
}

fn document(file: Option<&str>) -> Result<serde_json::Value> {
    let text = match file {
        None => std::io::read_to_string(std::io::stdin().lock()).map_err(|e| Error::io("standard input cannot be read").cause(e))?,
        Some(file) => std::fs::read_to_string(file).map_err(Error::reading(std::path::Path::new(file)))?,
    };
    serde_json::from_str(&text).map_err(|e| {
        Error::invalid(format!("{} is no JSON", file.unwrap_or("standard input")))
            .cause(e)
            .hint("give what clown hooks export prints, or an agent's settings.json")
    })
}

fn changed(output: Output, reply: &Reply, done: &str) {
    output.data(reply, String::new);
    output.say(&match reply.later {
        true => format!("{done} A session is running: {} follows before the next run.", reply.file),
        false => format!("{done} {} is up to date.", reply.file),
    });
    reply.notes.iter().for_each(|note| output.say(note));
}

fn show(output: Output, reply: &Reply, alias: &str) {
    output.data(reply, || {
        if reply.hooks.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["id", "event", "matcher", "calls", "limit"]);
        for row in &reply.hooks {
            let hook = &row.hook;
            table.row([
                row.id.clone(),
                hook.event.clone(),
                hook.matcher.clone().unwrap_or_default(),
                hook.command.clone().or_else(|| hook.url.clone()).unwrap_or_default(),
                hook.timeout.map(|seconds| format!("{seconds} s")).unwrap_or_default(),
            ]);
        }
        table.render()
    });
    if reply.hooks.is_empty() {
        output.say(&format!("No hooks. Add one: clown hooks add {alias} EVENT --command LINE"));
    }
    output.say(&format!("Events of this agent: {}", reply.events.join(", ")));
    reply.notes.iter().for_each(|note| output.say(note));
}
