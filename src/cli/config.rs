//! `clown config`

use argh::{ArgsInfo, FromArgs};
use serde_json::Value;

use super::{connect::Daemon, output::Output, table::Table};
use crate::{
    base::error::{Error, Result},
    wire::config::{List, Set},
};

#[derive(FromArgs, ArgsInfo)]
/// Show and change clown's settings.
#[argh(subcommand, name = "config", example = "clown config set secrets.backend file")]
pub(super) struct Config {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Get(GetArgs),
    Set(SetArgs),
    Unset(UnsetArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// List all settings with their values.
#[argh(subcommand, name = "list", example = "clown config list")]
struct ListArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Print the value of one setting.
#[argh(subcommand, name = "get", example = "clown config get secrets.backend")]
struct GetArgs {
    /// name of the setting
    #[argh(positional)]
    key: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Change one setting. Names under preferences. are free and reach the set-up scripts.
#[argh(subcommand, name = "set", example = "clown config set daemon.idle_timeout 0")]
struct SetArgs {
    /// name of the setting
    #[argh(positional)]
    key: String,
    /// its new value
    #[argh(positional)]
    value: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Put the default of one setting back.
#[argh(subcommand, name = "unset", example = "clown config unset daemon.idle_timeout")]
struct UnsetArgs {
    /// name of the setting
    #[argh(positional)]
    key: String,
}

impl Config {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(_) => {
                let listed = daemon.call(&List {})?;
                output.data(&listed, || {
                    let mut table = Table::new(&["setting", "value", "default", "meaning"]);
                    for s in &listed.settings {
                        let default = if s.value == s.default { String::new() } else { plain(&s.default) };
                        table.row([s.key.clone(), plain(&s.value), default, s.help.clone()]);
                    }
                    table.render()
                });
                for warning in &listed.warnings {
                    output.warn(&format!("{}: {warning}", listed.file));
                }
            }
            Command::Get(args) => {
                let listed = daemon.call(&List {})?;
                let Some(setting) = listed.settings.iter().find(|s| s.key == args.key) else {
                    let error = Error::not_found(format!("there is no setting {:?}", args.key));
                    let known = listed.settings.iter().map(|s| s.key.as_str());
                    return Err(error.did_you_mean(&args.key, known).hint("list settings: clown config list"));
                };
                output.data(setting, || plain(&setting.value) + "\n");
            }
            Command::Set(args) => changed(&mut daemon, &Set { key: args.key, value: Some(args.value) }, output)?,
            Command::Unset(args) => changed(&mut daemon, &Set { key: args.key, value: None }, output)?,
        }
        Ok(0)
    }
}

fn changed(daemon: &mut Daemon, set: &Set, output: Output) -> Result<()> {
    let setting = daemon.call(set)?;
    output.data(&setting, String::new);
    output.say(&format!("{} is {}.", setting.key, if setting.value.is_null() { "not set".into() } else { plain(&setting.value) }));
    if let Some(note) = &setting.note {
        output.say(&format!("But {note}."));
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
