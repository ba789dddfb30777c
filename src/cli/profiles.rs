//! `clown profiles`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    create::{CreateArgs, key_input, settings, show},
    output::{Output, ago, write_stdout},
    prompt,
    proxy::bring,
    run::Run,
    table::{Table, fields},
};
use crate::{
    base::{
        error::{Error, Result},
        secret::{reference, store_name},
    },
    wire::{
        profiles::{Credential, Delete, Duplicate, Edit, Inspect, KeyInput, List, Profile, Rename, Settings},
        proxy::Use,
        runs::Env,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Make, show, change and run profiles.
#[argh(subcommand, name = "profiles", example = "clown profiles create claude work --provider offline")]
pub(super) struct Profiles {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Create(CreateArgs),
    List(ListArgs),
    Inspect(InspectArgs),
    Edit(EditArgs),
    Rename(RenameArgs),
    Clone(CloneArgs),
    Delete(DeleteArgs),
    Env(EnvArgs),
    Run(Run),
}

#[derive(FromArgs, ArgsInfo)]
/// List profiles.
#[argh(subcommand, name = "list", example = "clown profiles list --agent claude")]
struct ListArgs {
    /// only profiles of this agent
    #[argh(option, arg_name = "id")]
    agent: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Show one profile; keys are masked.
#[argh(subcommand, name = "inspect", example = "clown profiles inspect work")]
struct InspectArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Change a profile. What is not named stays.
#[argh(subcommand, name = "edit", usage = "<alias> [<options>]", example = "clown profiles edit work --model glm-5.2")]
struct EditArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// another provider; endpoint, model and key are then given anew
    #[argh(option, arg_name = "id")]
    provider: Option<String>,
    /// region of the provider, or a URL of your own
    #[argh(option, arg_name = "region|url")]
    endpoint: Option<String>,
    /// another model
    #[argh(option, arg_name = "name")]
    model: Option<String>,
    /// home-wrapper (own HOME) or config-dir (own settings only)
    #[argh(option, arg_name = "mode")]
    isolation: Option<String>,
    /// read a new key from standard input
    #[argh(switch)]
    api_key_stdin: bool,
    /// take a new key from this variable now
    #[argh(option, arg_name = "var")]
    api_key_env: Option<String>,
    /// store no key, read it at each run: env:NAME or 'command:program args'
    #[argh(option, arg_name = "source")]
    key_ref: Option<String>,
    /// share the key of another profile of the same provider
    #[argh(option, arg_name = "alias")]
    reuse_key: Option<String>,
    /// arguments for every run; replaces the former ones; may be repeated
    #[argh(option, arg_name = "arg")]
    arg: Vec<String>,
    /// variable for every run, as NAME=VALUE, or -NAME to remove it; may be repeated
    #[argh(option, arg_name = "name=value")]
    env: Vec<String>,
    /// preference for the agent's script, as NAME=VALUE, or -NAME; may be repeated
    #[argh(option, arg_name = "name=value")]
    pref: Vec<String>,
    /// clear one of: model, endpoint, args; may be repeated
    #[argh(option, arg_name = "name")]
    unset: Vec<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Give a profile another name; its home moves with it.
#[argh(subcommand, name = "rename", example = "clown profiles rename work old-work")]
struct RenameArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// new name
    #[argh(positional)]
    to: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Make a profile with the settings and key of another, and a fresh home.
#[argh(
    subcommand,
    name = "clone",
    usage = "<alias> <to> [--with-history]",
    example = "clown profiles clone work work2\nclown profiles clone work work2 --with-history"
)]
struct CloneArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// name of the new one
    #[argh(positional)]
    to: String,
    /// copy the agent's transcripts too; they are counted once
    #[argh(switch)]
    with_history: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Delete a profile. Its home is kept unless --purge is given.
#[argh(subcommand, name = "delete", example = "clown profiles delete work --purge --yes")]
struct DeleteArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// remove its home and everything in it
    #[argh(switch)]
    purge: bool,
    /// do not ask
    #[argh(switch, short = 'y')]
    yes: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Print the profile's environment for a shell. Keys are masked on a terminal and with --json.
#[argh(subcommand, name = "env", example = "eval \"$(clown profiles env work)\"\nclown profiles env work --shell fish | source")]
struct EnvArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// sh (default), fish or powershell
    #[argh(option, default = "String::from(\"sh\")")]
    shell: String,
}

impl Profiles {
    pub fn run(self, output: Output) -> Result<i32> {
        match self.command {
            Command::Create(args) => return args.run(output),
            Command::Run(run) => return run.run(output),
            Command::List(args) => list(args, output)?,
            Command::Inspect(args) => inspect(args, output)?,
            Command::Edit(args) => edit(args, output)?,
            Command::Rename(args) => show(&Daemon::needed(output)?.call(&Rename { alias: args.alias, to: args.to })?, output, "Renamed."),
            Command::Clone(args) => show(
                &Daemon::needed(output)?.call(&Duplicate { alias: args.alias, to: args.to, history: args.with_history })?,
                output,
                "Created.",
            ),
            Command::Delete(args) => delete(args, output)?,
            Command::Env(args) => env(args, output)?,
        }
        Ok(0)
    }
}

fn list(args: ListArgs, output: Output) -> Result<()> {
    let listed = Daemon::needed(output)?.call(&List { agent: args.agent })?;
    output.data(&listed, || {
        if listed.profiles.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["profile", "agent", "provider", "endpoint", "model", "running", "used"]);
        for row in &listed.profiles {
            table.row([
                row.alias.to_string(),
                row.agent.to_string(),
                row.provider.to_string(),
                row.endpoint.clone().unwrap_or_default(),
                row.model.clone().unwrap_or_default(),
                if row.running == 0 { String::new() } else { row.running.to_string() },
                row.last_used.as_deref().map(ago).unwrap_or_else(|| "never".into()),
            ]);
        }
        table.render()
    });
    if listed.profiles.is_empty() {
        output.say("No profiles. Make one: clown profiles create claude work --provider offline");
    }
    for problem in &listed.problems {
        output.warn(&problem.message);
    }
    Ok(())
}

fn inspect(args: InspectArgs, output: Output) -> Result<()> {
    let detail = Daemon::needed(output)?.call(&Inspect { alias: args.alias })?;
    output.data(&detail, || {
        let proxy = match detail.proxy {
            Use::Off => "",
            Use::Enabled => "enabled",
            Use::Needed => "needed: agent and provider have no format in common",
        };
        let model = detail.effective_model.clone().unwrap_or_else(|| "the agent decides".into());
        describe(
            &detail.profile,
            &[
                ("model", model),
                ("base url", detail.base_url.clone().unwrap_or_default()),
                ("key", detail.key.clone()),
                ("proxy", proxy.into()),
            ],
        )
    });
    for warning in &detail.warnings {
        output.warn(warning);
    }
    Ok(())
}

fn edit(args: EditArgs, output: Output) -> Result<()> {
    let key = key_input(args.api_key_stdin, args.api_key_env.as_deref(), args.key_ref.as_deref(), args.reuse_key.as_deref())?;
    let given = (!args.arg.is_empty()).then_some(args.arg);
    let settings = settings(args.endpoint, args.model, args.isolation.as_deref(), given, &args.env, &args.pref)?;
    if args.provider.is_none() && args.unset.is_empty() && key == KeyInput::Absent && settings == Settings::default() {
        return Err(Error::usage("nothing to change was named").hint("see clown profiles edit --help"));
    }
    let edited = Daemon::needed(output)?.call(&Edit { alias: args.alias, provider: args.provider, settings, key, unset: args.unset })?;
    show(&edited, output, "Changed.");
    Ok(())
}

fn delete(args: DeleteArgs, output: Output) -> Result<()> {
    let mut daemon = Daemon::needed(output)?;
    let detail = daemon.call(&Inspect { alias: args.alias.clone() })?;
    if !args.yes && prompt::possible() && !output.json {
        let home = if args.purge { format!(", its home {} and everything in it", detail.profile.home) } else { String::new() };
        if !prompt::confirm(&format!("Delete profile {}{home}?", args.alias))? {
            return Err(Error::conflict("cancelled; nothing was deleted"));
        }
    }
    let deleted = daemon.call(&Delete { alias: args.alias, purge: args.purge })?;
    output.data(&deleted, String::new);
    for warning in &deleted.warnings {
        output.warn(warning);
    }
    output.say("Deleted.");
    if let Some(home) = &deleted.kept_home {
        output.say(&format!("Its home is kept: {home}"));
    }
    Ok(())
}

/// A profile as `name  value` lines; `more` goes behind.
pub(super) fn describe(profile: &Profile, more: &[(&'static str, String)]) -> String {
    let credential = match &profile.credential {
        Credential::None => String::new(),
        Credential::Stored { store, .. } => format!("in the {}", store_name(store)),
        Credential::Env { var } => format!("read from ${var} at each run"),
        Credential::Command { argv } => format!("read from `{}` at each run", argv.join(" ")),
    };
    let pairs =
        |map: &std::collections::BTreeMap<String, String>| map.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("\n");
    let mut lines = vec![
        ("profile", profile.alias.to_string()),
        ("agent", profile.agent.to_string()),
        ("provider", profile.provider.to_string()),
        ("endpoint", profile.endpoint.clone().unwrap_or_default()),
        ("model", profile.model.clone().unwrap_or_default()),
        ("isolation", profile.isolation.to_string()),
        ("home", profile.home.clone()),
        ("key", credential),
        ("key goes to", profile.approved_hosts.join(", ")),
        ("args", profile.args.join(" ")),
        ("env", pairs(&profile.env)),
        ("preferences", pairs(&profile.preferences)),
        ("used", profile.last_used.as_deref().map(ago).unwrap_or_default()),
    ];
    for (name, value) in more {
        match lines.iter_mut().find(|(n, _)| n == name) {
            Some(line) => line.1.clone_from(value),
            None => lines.push((name, value.clone())),
        }
    }
    fields(&lines)
}

fn env(args: EnvArgs, output: Output) -> Result<()> {
    use std::io::IsTerminal;
    let quote: fn(&str) -> String = match args.shell.as_str() {
        "sh" | "bash" | "zsh" => |v| format!("'{}'", v.replace('\'', "'\\''")),
        "fish" => |v| format!("'{}'", v.replace('\\', "\\\\").replace('\'', "\\'")),
        "powershell" | "pwsh" => |v| format!("'{}'", v.replace('\'', "''")),
        other => return Err(Error::usage(format!("there is no shell {other:?}")).hint("use sh, fish or powershell")),
    };
    let masked = output.json || std::io::stdout().is_terminal();
    let mut daemon = Daemon::needed(output)?;
    let mut reply = daemon.call(&Env { alias: args.alias.clone(), masked })?;
    if !masked {
        reference::fill(&mut reply.env, |name| std::env::var_os(name)).iter().for_each(|missing| output.warn(missing));
        bring(&mut daemon, &args.alias, &reply.proxy_needs)?;
    }
    let key = match &reply.env.key {
        Some(source) if !masked => Some(reference::fetch(source, |name| std::env::var_os(name))?),
        _ => None,
    };
    let removed = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| {
        reply.env.remove.iter().any(|pattern| crate::base::glob::matches(pattern, name)) && !reply.env.set.contains_key(name)
    });
    let mut lines = String::new();
    for name in removed {
        lines += &match args.shell.as_str() {
            "fish" => format!("set -e {name}\n"),
            "powershell" | "pwsh" => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue\n"),
            _ => format!("unset {name}\n"),
        };
    }
    for (name, value) in &reply.env.set {
        let value = key
            .as_ref()
            .map_or_else(|| value.expose().to_owned(), |k| value.expose().replace(crate::wire::runs::KEY_PLACEHOLDER, k.expose()));
        lines += &match args.shell.as_str() {
            "fish" => format!("set -gx {name} {}\n", quote(&value)),
            "powershell" | "pwsh" => format!("$Env:{name} = {}\n", quote(&value)),
            _ => format!("export {name}={}\n", quote(&value)),
        };
    }
    if output.json {
        output.data(&reply, String::new);
    } else {
        write_stdout(&lines);
    }
    for warning in &reply.warnings {
        output.warn(warning);
    }
    if masked && (!reply.secret_names.is_empty() || reply.env.key.is_some()) {
        output.say("Keys are masked here; they are printed into a pipe, as for eval.");
    }
    Ok(())
}
