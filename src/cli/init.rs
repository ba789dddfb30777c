//! `clown init`: from nothing to a profile that runs.

use std::process::Command;

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::{
    aliases,
    connect::Daemon,
    create::{agents_here_first, ask_key, choose_agent, choose_provider, key_input, show},
    output::Output,
    prompt,
    providers::{probe_profile, tell},
    scripts::agreeing,
};
use crate::{
    base::error::{Error, Result},
    wire::{
        agents::{self, AgentRow},
        config::Set,
        error::Code,
        ids::Alias,
        launchers::{Installed, Target},
        profiles::{Create, Created, Credential, KeyInput, List, Options, Profile, Settings},
        providers::{self, Probed},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Make a first profile: find an agent, choose a provider, take a key. On a terminal it asks for what is missing.
#[argh(
    subcommand,
    name = "init",
    example = "clown init\nclown init --agent claude --provider offline --alias try --no-shim\nclown init --agent codex --provider openai --alias work --api-key-env OPENAI_API_KEY --yes"
)]
pub(super) struct Init {
    /// what to run (see: clown agents list)
    #[argh(option, arg_name = "id")]
    agent: Option<String>,
    /// who answers the model requests; self is the agent's own login, offline needs no account
    #[argh(option, arg_name = "id")]
    provider: Option<String>,
    /// name of the profile
    #[argh(option, arg_name = "name")]
    alias: Option<String>,
    /// read the key from standard input
    #[argh(switch)]
    api_key_stdin: bool,
    /// take the key from this variable now
    #[argh(option, arg_name = "var")]
    api_key_env: Option<String>,
    /// where the launcher goes (default: ~/.local/bin)
    #[argh(option, arg_name = "dir")]
    bin_dir: Option<String>,
    /// install no launcher
    #[argh(switch)]
    no_shim: bool,
    /// ask the provider whether it takes the key; ends with 1 when it does not
    #[argh(switch)]
    check: bool,
    /// do not ask; install the launcher
    #[argh(switch, short = 'y')]
    yes: bool,
}

#[derive(Serialize)]
struct Made {
    created: Created,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<Probed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    launcher: Option<Installed>,
    run: String,
}

impl Init {
    pub fn run(self, output: Output) -> Result<i32> {
        if let Some(alias) = &self.alias {
            Alias::parse(alias)?;
        }
        let key = key_input(self.api_key_stdin, self.api_key_env.as_deref(), None, None)?;
        let mut daemon = Daemon::needed(output)?;
        let asking = prompt::possible() && !output.json && !self.yes;
        let named = self.agent.is_some() || self.alias.is_some() || self.provider.is_some();
        if !another(&mut daemon, output, asking, named)? {
            return Ok(0);
        }
        let agent = agent(&mut daemon, self.agent, asking, self.yes)?;
        let provider = match self.provider {
            Some(provider) => provider,
            None if asking => choose_provider(&mut daemon, &agent)?,
            None => return Err(missing("--provider", "the first try needs no account: --provider offline")),
        };
        let alias = match self.alias {
            Some(alias) => alias,
            None if asking => prompt::ask_for("Name of the profile", |name| Alias::parse(name).map(String::from))?,
            None => return Err(missing("--alias, a name for the profile", "for example: --alias work")),
        };
        let key = match key {
            KeyInput::Absent if asking => ask_key(&mut daemon, &agent, &provider)?,
            KeyInput::Absent => without_key(&mut daemon, &agent, &provider)?,
            given => given,
        };
        let create = Create { agent, alias, provider, settings: Settings::default(), key, proxy: false, template: None, dry_run: false };
        let created = match agreeing(&mut daemon, output, &create) {
            Err(error) if error.code() == Code::SecretsUnavailable => {
                choose_file(&mut daemon, error, asking)?;
                agreeing(&mut daemon, output, &create)?
            }
            made => made?,
        };
        if !output.json {
            show(&created, output, "Created.");
        }
        let profile = &created.profile;
        let (checked, well) = check(&mut daemon, output, profile, self.check, asking);
        let usual = format!("{}-{}", profile.agent, profile.alias);
        let wanted = match (self.no_shim, asking) {
            (true, _) => false,
            // The profile is there: who goes away now has it, and is told how to run it.
            (false, true) => prompt::confirm(&format!("Install a launcher, so that {usual} runs it anywhere?")).unwrap_or(false),
            (false, false) => self.yes,
        };
        let target = Target::Profile { alias: profile.alias.to_string() };
        let launcher = match wanted.then(|| aliases::install(&mut daemon, output, target, None, self.bin_dir)).transpose() {
            Ok(launcher) => launcher,
            Err(error) => {
                // The profile is there and runs without one.
                output.warn(&format!("no launcher was installed: {error}"));
                None
            }
        };
        let run = match &launcher {
            Some(installed) if installed.found => installed.launcher.name.clone(),
            _ => format!("clown run {}", profile.alias),
        };
        let made = Made { created, checked, launcher, run };
        if output.json {
            output.data(&made, String::new);
        }
        output.say(&format!("Run it: {}", made.run));
        Ok(i32::from(self.check && !well))
    }
}

/// Has the provider asked whether it takes the key, when that is wanted. The profile stays in any case.
fn check(daemon: &mut Daemon, output: Output, profile: &Profile, wanted: bool, asking: bool) -> (Option<Probed>, bool) {
    let keyless = matches!(profile.credential, Credential::None);
    let agreed = || prompt::confirm(&format!("Ask {} whether it takes the key?", profile.provider)).unwrap_or(false);
    if keyless || !(wanted || asking && agreed()) {
        return (None, true);
    }
    match probe_profile(daemon, profile) {
        Ok(probed) => {
            let well = tell(&probed, output);
            (Some(probed), well)
        }
        Err(error) => {
            output.warn(&format!("the key was not checked: {error}"));
            (None, false)
        }
    }
}

/// Whether to go on where profiles are already; says what there is to do instead.
fn another(daemon: &mut Daemon, output: Output, asking: bool, named: bool) -> Result<bool> {
    let listed = daemon.call(&List::default())?;
    let Some(first) = listed.profiles.first() else { return Ok(true) };
    let names: Vec<&str> = listed.profiles.iter().map(|row| row.alias.as_str()).collect();
    output.say(&format!("There is a profile already: {}", names.join(", ")));
    if named {
        return Ok(true);
    }
    if asking && prompt::confirm("Make another?")? {
        return Ok(true);
    }
    output.data(&listed, String::new);
    output.say(&format!("Run it: clown run {}", first.alias));
    output.say("Another one: clown init --agent ID --provider ID --alias NAME");
    Ok(false)
}

/// A provider without keys needs none; else says the one way on.
fn without_key(daemon: &mut Daemon, agent: &str, provider: &str) -> Result<KeyInput> {
    let choices = daemon.call(&Options { agent: Some(agent.to_owned()), provider: Some(provider.to_owned()) })?;
    if !choices.needs_key {
        return Ok(KeyInput::Absent);
    }
    let manifest = daemon.call(&providers::Inspect { id: provider.to_owned() })?.manifest;
    let var = manifest.key_env.as_deref().unwrap_or("KEY");
    let get = choices.key_url.map(|url| format!("get one at {url}, then ")).unwrap_or_default();
    Err(Error::invalid(format!("provider {provider} needs a key"))
        .hint(format!("{get}put it into a variable and name that: export {var}=..., and clown init with --api-key-env {var}")))
}

/// Where no keychain answers, keys go into a file, and only when the user says so.
fn choose_file(daemon: &mut Daemon, error: Error, asking: bool) -> Result<()> {
    if asking {
        prompt::tell(&super::output::printable(&error.to_string()));
        if prompt::confirm("Keep keys in a file that only you can read?")? {
            daemon.call(&Set { key: "secrets.backend".to_owned(), value: Some("file".to_owned()) })?;
            return Ok(());
        }
    }
    Err(Error::secrets(error.to_string())
        .hint("keep keys in a file that only you can read, then run clown init again: clown config set secrets.backend file"))
}

fn agent(daemon: &mut Daemon, named: Option<String>, asking: bool, yes: bool) -> Result<String> {
    let rows = agents_here_first(daemon)?;
    let here: Vec<&AgentRow> = rows.iter().filter(|row| row.installed.is_some()).collect();
    let wanted = match (named, here.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) if yes => only.id.clone(),
        (None, _) if asking => choose_agent(&rows)?,
        (None, []) => {
            let example = rows.iter().find(|row| row.id == "claude").or(rows.first());
            let hint = example.map(|row| format!("install one, for example {}: {}", row.name, row.install_hint)).unwrap_or_default();
            return Err(Error::not_found("no coding agent is on PATH").hint(hint));
        }
        (None, _) => {
            let ids: Vec<&str> = here.iter().map(|row| row.id.as_str()).collect();
            return Err(missing("--agent", &format!("installed are: {}", ids.join(", "))));
        }
    };
    match rows.iter().find(|row| row.id == wanted) {
        Some(row) if row.installed.is_none() => install(daemon, row, asking)?,
        // An unknown one is refused by the creation, which knows names alike.
        _ => {}
    }
    Ok(wanted)
}

/// Offers the installation where it is one command of a program that is here.
fn install(daemon: &mut Daemon, row: &AgentRow, asking: bool) -> Result<()> {
    let absent = || Error::not_found(format!("{} is not installed", row.name)).hint(format!("install it: {}", row.install_hint));
    let detail = daemon.call(&agents::Inspect { id: row.id.clone() })?;
    let Some(package) = detail.manifest.install.npm.filter(|name| !name.starts_with('-')).filter(|_| asking) else { return Err(absent()) };
    prompt::tell(&format!("{} is not installed. {}", row.name, super::output::printable(&row.install_hint)));
    prompt::tell(&format!("npm would fetch {package} from its registry into npm's global directory; clown changes nothing there."));
    if !prompt::confirm(&format!("Run `npm install -g {package}` now?"))? {
        return Err(absent());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let ran = Command::new(npm).args(["install", "-g", "--", &package]).status();
    let ran = ran.map_err(|e| Error::io("npm cannot be run").cause(e).hint("install Node.js, then run clown init again"))?;
    let found = daemon.call(&agents::Detect { id: Some(row.id.clone()) })?;
    if !ran.success() || found.agents.iter().all(|row| row.installed.is_none()) {
        return Err(Error::not_found(format!("npm ended, and {} is not on PATH", row.name))
            .hint("see what npm said above; when it is installed, run clown init again"));
    }
    Ok(())
}

fn missing(what: &str, hint: &str) -> Error {
    Error::usage(format!("clown init needs {what}")).hint(hint)
}
