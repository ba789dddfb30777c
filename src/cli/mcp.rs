//! `clown mcp`

use std::{collections::BTreeMap, io::BufRead};

use argh::{ArgsInfo, FromArgs};

use super::{connect::Daemon, create::key_input, output::Output, prompt, table::Table};
use crate::{
    base::error::{Error, Result},
    wire::{
        ids::McpName,
        mcp::{Add, List, Place, Remove, Row, Server, Value},
        profiles::{Credential, KeyInput},
        secret::KeyText,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Tell MCP servers to clown once; every agent that takes such gets them at each run.
///
/// No configuration file of an agent is changed: the servers come with the run.
#[argh(
    subcommand,
    name = "mcp",
    example = "clown mcp add files npx -y @modelcontextprotocol/server-filesystem /srv\nclown mcp add docs --url https://docs.example/mcp --secret Authorization\nclown mcp list"
)]
pub(super) struct Mcp {
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
/// Add a server: a program with its arguments, or an address. Options stand before the name.
#[argh(
    subcommand,
    name = "add",
    usage = "[<options>] <name> [--] [<program> [<arguments>]]",
    example = "clown mcp add --profile work --secret GITHUB_TOKEN github github-mcp-server stdio\nclown mcp add --ref API_KEY=env:MY_KEY notes node notes.js\nclown mcp add --url https://docs.example/mcp --secret Authorization docs"
)]
struct AddArgs {
    /// only for this profile (default: for all)
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
    /// address of the server, in place of a program
    #[argh(option, arg_name = "url")]
    url: Option<String>,
    /// the address speaks the older SSE transport
    #[argh(switch)]
    sse: bool,
    /// variable of the program, as NAME=VALUE; may be repeated
    #[argh(option, arg_name = "name=value")]
    env: Vec<String>,
    /// header for the address, as NAME=VALUE; may be repeated
    #[argh(option, arg_name = "name=value")]
    header: Vec<String>,
    /// variable or header with a key, which is asked for, or read from a line of standard input, and kept in the key store; may be repeated
    #[argh(option, arg_name = "name")]
    secret: Vec<String>,
    /// variable or header with a key that is read at each run: NAME=env:VARIABLE or 'NAME=command:program args'; may be repeated
    #[argh(option, arg_name = "name=source", long = "ref")]
    reference: Vec<String>,
    /// let the agent use its tools without asking
    #[argh(switch)]
    allow: bool,
    /// keep values that look like keys readable
    #[argh(switch)]
    plain: bool,
    /// take the place of a server of this name
    #[argh(switch)]
    replace: bool,
    /// name of the server
    #[argh(positional)]
    name: String,
    /// program and its arguments
    #[argh(positional, greedy)]
    program: Vec<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// List servers; keys are not shown.
#[argh(subcommand, name = "list", example = "clown mcp list --profile work")]
struct ListArgs {
    /// those that a run of this profile gets
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a server and the keys kept for it.
#[argh(subcommand, name = "remove", example = "clown mcp remove docs\nclown mcp remove --profile work github")]
struct RemoveArgs {
    /// of this profile (default: the one for all)
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
    /// name of the server
    #[argh(positional)]
    name: String,
}

impl Mcp {
    pub fn run(self, output: Output) -> Result<i32> {
        match self.command {
            Command::Add(args) => add(args, output)?,
            Command::List(args) => list(args, output)?,
            Command::Remove(args) => {
                let name = McpName::parse(&args.name)?;
                let removed = Daemon::needed(output)?.call(&Remove { name, profile: args.profile })?;
                output.data(&removed, String::new);
                removed.warnings.iter().for_each(|warning| output.warn(warning));
                output.say("Removed. A session that runs keeps it until its end.");
            }
        }
        Ok(0)
    }
}

fn add(args: AddArgs, output: Output) -> Result<()> {
    let name = McpName::parse(&args.name)?;
    let mut program = args.program.into_iter();
    let mut values = BTreeMap::new();
    for (flag, item) in args.env.iter().map(|e| ("--env", e)).chain(args.header.iter().map(|h| ("--header", h))) {
        let (name, value) = pair(flag, item)?;
        values.insert(name.to_owned(), Value::Plain(value.to_owned()));
    }
    for item in &args.reference {
        let (name, source) = pair("--ref", item)?;
        let credential = match key_input(false, None, Some(source), None)? {
            KeyInput::Env { var } => Credential::Env { var },
            KeyInput::Command { argv } => Credential::Command { argv },
            _ => return Err(Error::usage(format!("{source:?} is not a source of a key"))),
        };
        values.insert(name.to_owned(), Value::Secret(credential));
    }
    let place = match (args.url, program.next()) {
        (None, Some(command)) if args.header.is_empty() && !args.sse => Place::Stdio { command, args: program.collect(), env: values },
        (Some(url), None) if args.env.is_empty() && args.sse => Place::Sse { url, headers: values },
        (Some(url), None) if args.env.is_empty() => Place::Http { url, headers: values },
        (Some(_), Some(_)) => {
            return Err(Error::usage("a server is a program or an address, not both").hint("leave out --url or the program"));
        }
        (None, None) => {
            return Err(Error::usage("the server's program or address is missing")
                .hint(format!("a program: clown mcp add {name} PROGRAM ARGUMENTS"))
                .hint(format!("an address: clown mcp add --url URL {name}")));
        }
        (None, Some(_)) => return Err(Error::usage("--header and --sse belong to an address").hint("give variables of a program by --env")),
        (Some(_), None) => return Err(Error::usage("--env belongs to a program").hint("give headers of an address by --header")),
    };
    let mut secrets = BTreeMap::new();
    for of in args.secret {
        secrets.insert(of.clone(), KeyText::new(secret(&of)?));
    }
    let server = Server { place, allow: args.allow };
    let add = Add { name, profile: args.profile, server, secrets, plain: args.plain, replace: args.replace };
    let added = Daemon::needed(output)?.call(&add)?;
    output.data(&added, String::new);
    added.warnings.iter().for_each(|warning| output.warn(warning));
    match &added.row.profile {
        Some(alias) => output.say(&format!("Added. Runs of {alias} have it from now on.")),
        None => output.say("Added. Runs of all profiles have it from now on."),
    }
    Ok(())
}

fn pair<'a>(flag: &str, item: &'a str) -> Result<(&'a str, &'a str)> {
    item.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Error::usage(format!("{flag} {item:?} is not NAME=VALUE")).hint(format!("write {flag} NAME=VALUE")))
}

/// One line: asked for on a terminal, otherwise the next of standard input.
fn secret(name: &str) -> Result<String> {
    if prompt::possible() {
        return prompt::key(&format!("Key for {name}"));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Error::invalid("the key was not read").cause(e))?;
    match line.trim() {
        "" => Err(Error::invalid(format!("standard input has no line with the key for {name}"))
            .hint("give one line for each --secret, in their order")),
        key => Ok(key.to_owned()),
    }
}

fn list(args: ListArgs, output: Output) -> Result<()> {
    let listed = Daemon::needed(output)?.call(&List { profile: args.profile })?;
    output.data(&listed, || {
        if listed.servers.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["name", "profile", "transport", "server", "values", "allowed", "not for"]);
        for row in &listed.servers {
            table.row([
                row.name.to_string(),
                row.profile.clone().unwrap_or_else(|| "all".to_owned()),
                row.server.place.transport().to_string(),
                shown(row),
                row.server.place.values().iter().map(|(name, value)| format!("{name}={}", source(value))).collect::<Vec<_>>().join(" "),
                if row.server.allow { "yes".to_owned() } else { String::new() },
                row.not_for.join(", "),
            ]);
        }
        table.render()
    });
    if listed.servers.is_empty() {
        output.say("No MCP servers. Add one: clown mcp add NAME PROGRAM ARGUMENTS");
    }
    Ok(())
}

fn shown(row: &Row) -> String {
    match &row.server.place {
        Place::Stdio { command, args, .. } => [command].into_iter().chain(args).map(String::as_str).collect::<Vec<_>>().join(" "),
        Place::Http { url, .. } | Place::Sse { url, .. } => url.clone(),
    }
}

fn source(value: &Value) -> String {
    match value {
        Value::Plain(text) => text.clone(),
        Value::Secret(Credential::None) => String::new(),
        Value::Secret(Credential::Stored { store, .. }) => format!("[in the {}]", crate::base::secret::store_name(store)),
        Value::Secret(Credential::Env { var }) => format!("[${var}]"),
        Value::Secret(Credential::Command { argv }) => format!("[{}]", argv.join(" ")),
    }
}
