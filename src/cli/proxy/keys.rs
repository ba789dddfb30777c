//! `clown proxy key`, and keys that only this process can fetch.

use argh::{ArgsInfo, FromArgs};

use super::routing::changed;
use crate::{
    base::{
        error::{Error, Result},
        secret::reference,
    },
    cli::{connect::Daemon, create::key_input, output::Output, prompt, table::Table},
    wire::{
        profiles::KeyInput,
        proxy::{AddKey, Instance, Keys, NeededKey, RemoveKey, ShowRouting},
        secret::KeyText,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Manage keys of a proxy: for targets of other providers, or more of the same to take turns.
#[argh(subcommand, name = "key", example = "clown proxy key list work")]
pub(super) struct Key {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Add a key of a provider. With it you agree that it goes to the provider's host.
#[argh(
    subcommand,
    name = "add",
    usage = "<alias> <provider> [<options>]",
    example = "clown proxy key add work zai --api-key-env ZAI_API_KEY\nclown proxy key add work openai --from other"
)]
struct AddArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// whose key it is (see: clown providers list)
    #[argh(positional)]
    provider: String,
    /// read the key from standard input
    #[argh(switch)]
    api_key_stdin: bool,
    /// take the key from this variable now
    #[argh(option, arg_name = "var")]
    api_key_env: Option<String>,
    /// store no key, read it at each run: env:NAME or 'command:program args'
    #[argh(option, arg_name = "source")]
    key_ref: Option<String>,
    /// share the key that another profile has for this provider
    #[argh(option, arg_name = "profile")]
    from: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// List the keys of a profile's proxy, masked.
#[argh(subcommand, name = "list", example = "clown proxy key list work")]
struct ListArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a key, by its number in the list.
#[argh(subcommand, name = "remove", example = "clown proxy key remove work 1")]
struct RemoveArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// number of the key
    #[argh(positional)]
    number: usize,
}

impl Key {
    pub fn run(self, daemon: &mut Daemon, output: Output) -> Result<()> {
        match self.command {
            Command::Add(args) => {
                let mut key = key_input(args.api_key_stdin, args.api_key_env.as_deref(), args.key_ref.as_deref(), args.from.as_deref())?;
                if key == KeyInput::Absent && prompt::possible() && !output.json {
                    key = KeyInput::Text { key: KeyText::new(prompt::key(&format!("Key for {} (not shown)", args.provider))?) };
                }
                if key == KeyInput::Absent {
                    return Err(Error::usage("clown proxy key add needs a key")
                        .hint("use one of --api-key-stdin, --api-key-env VAR, --key-ref SOURCE, --from PROFILE"));
                }
                let routing = daemon.call(&AddKey { alias: args.alias, provider: args.provider, key })?;
                changed(&routing, output, "Added.");
            }
            Command::Remove(args) => {
                let routing = daemon.call(&RemoveKey { alias: args.alias, number: args.number })?;
                changed(&routing, output, "Removed.");
            }
            Command::List(args) => {
                let routing = daemon.call(&ShowRouting { alias: args.alias })?;
                output.data(&routing.keys, || {
                    let mut table = Table::new(&["number", "provider", "key", "goes to"]);
                    for row in &routing.keys {
                        let number = if row.number == 0 { "own".to_owned() } else { row.number.to_string() };
                        table.row([number, row.provider.to_string(), row.key.clone(), row.approved_hosts.join(", ")]);
                    }
                    if routing.keys.is_empty() { String::new() } else { table.render() }
                });
                if routing.keys.is_empty() {
                    output.say(&format!("No keys. Add one: clown proxy key add {} PROVIDER --api-key-stdin", routing.alias));
                }
            }
        }
        Ok(())
    }
}

/// Fetches the keys that a proxy waits for and brings them; it runs when this returns. Nothing to
/// bring is `None`.
pub(crate) fn bring(daemon: &mut Daemon, alias: &str, needs: &[NeededKey]) -> Result<Option<Instance>> {
    if needs.is_empty() {
        return Ok(None);
    }
    let mut keys = std::collections::BTreeMap::new();
    for need in needs {
        let key = reference::fetch(&need.source, |name| std::env::var_os(name))?;
        keys.insert(need.name.clone(), KeyText::new(key.expose().to_owned()));
    }
    Ok(Some(daemon.call(&Keys { alias: alias.to_owned(), keys })?.instance))
}
