//! `clown profiles create` and the flags it shares with `edit`.

use std::{collections::BTreeMap, io::Read};

use argh::{ArgsInfo, FromArgs};

use super::{connect::Daemon, output::Output, profiles::describe, prompt, scripts::agreeing};
use crate::{
    base::error::{Error, Result},
    wire::{
        agents::{self, AgentRow},
        ids::Alias,
        manifest::{Isolation, ProviderKind},
        profiles::{Create, Created, KeyInput, Options, Settings},
        providers,
        secret::KeyText,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Make a profile. On a terminal it asks for what is missing.
#[argh(
    subcommand,
    name = "create",
    usage = "[<agent> <alias>] [--provider <id>] [<options>]",
    example = "clown profiles create claude work --provider minimax --api-key-env MINIMAX_API_KEY\nclown profiles create codex try --provider offline"
)]
pub(super) struct CreateArgs {
    /// what to run (see: clown agents list), then a name for the profile
    #[argh(positional, arg_name = "agent alias")]
    names: Vec<String>,
    /// who answers the model requests (see: clown providers list)
    #[argh(option, arg_name = "id")]
    provider: Option<String>,
    /// region of the provider, or a URL of your own
    #[argh(option, arg_name = "region|url")]
    endpoint: Option<String>,
    /// model (default: the provider's, else the agent's)
    #[argh(option, arg_name = "name")]
    model: Option<String>,
    /// home-wrapper (own HOME) or config-dir (own settings only)
    #[argh(option, arg_name = "mode")]
    isolation: Option<String>,
    /// read the key from standard input
    #[argh(switch)]
    api_key_stdin: bool,
    /// take the key from this variable now
    #[argh(option, arg_name = "var")]
    api_key_env: Option<String>,
    /// store no key, read it at each run: env:NAME or 'command:program args'
    #[argh(option, arg_name = "source")]
    key_ref: Option<String>,
    /// share the key of another profile of the same provider
    #[argh(option, arg_name = "alias")]
    reuse_key: Option<String>,
    /// send requests through a proxy, also where they need none
    #[argh(switch)]
    proxy: bool,
    /// argument for every run; may be repeated
    #[argh(option, arg_name = "arg")]
    arg: Vec<String>,
    /// variable for every run, as NAME=VALUE; may be repeated
    #[argh(option, arg_name = "name=value")]
    env: Vec<String>,
    /// preference for the agent's script, as NAME=VALUE; may be repeated
    #[argh(option, arg_name = "name=value")]
    pref: Vec<String>,
    /// begin with this template (see: clown templates list)
    #[argh(option, arg_name = "name")]
    template: Option<String>,
    /// check everything and show the result, change nothing
    #[argh(switch)]
    dry_run: bool,
}

impl CreateArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let key_given = key_input(self.api_key_stdin, self.api_key_env.as_deref(), self.key_ref.as_deref(), self.reuse_key.as_deref())?;
        let settings = settings(
            self.endpoint,
            self.model,
            self.isolation.as_deref(),
            (!self.arg.is_empty()).then_some(self.arg),
            &self.env,
            &self.pref,
        )?;
        let mut names = self.names.into_iter();
        let (agent, alias) = (names.next(), names.next());
        if let Some(extra) = names.next() {
            return Err(Error::usage(format!("{extra:?} is one word too many")).hint("see clown profiles create --help"));
        }
        if let Some(alias) = &alias {
            Alias::parse(alias)?;
        }
        let mut daemon = Daemon::needed(output)?;
        let asking = prompt::possible() && !output.json;
        let agent = match agent {
            Some(agent) => agent,
            None if asking => choose_agent(&agents_here_first(&mut daemon)?)?,
            None => return Err(missing("AGENT", "list agents: clown agents list")),
        };
        let alias = match alias {
            Some(alias) => alias,
            None if asking => prompt::ask_for("Name of the profile", |name| Alias::parse(name).map(String::from))?,
            None => {
                return Err(missing("ALIAS, a name for the profile", "for example: clown profiles create claude work --provider offline"));
            }
        };
        let provider = match self.provider {
            Some(provider) => provider,
            None if asking => choose_provider(&mut daemon, &agent)?,
            None => return Err(missing("--provider", "list providers: clown providers list")),
        };
        let key = match key_given {
            KeyInput::Absent if asking && !self.dry_run => ask_key(&mut daemon, &agent, &provider)?,
            given => given,
        };
        let create = Create { agent, alias, provider, settings, key, proxy: self.proxy, template: self.template, dry_run: self.dry_run };
        let created = agreeing(&mut daemon, output, &create)?;
        show(&created, output, if created.dry_run { "Nothing was changed. This would be made:" } else { "Created." });
        if !created.dry_run {
            output.say(&format!("Run it: clown run {}", created.profile.alias));
        }
        Ok(0)
    }
}

/// Every agent; those that are installed come first.
pub(super) fn agents_here_first(daemon: &mut Daemon) -> Result<Vec<AgentRow>> {
    let mut rows = daemon.call(&agents::List {})?.agents;
    rows.sort_by_key(|row| row.installed.is_none());
    Ok(rows)
}

pub(super) fn choose_agent(rows: &[AgentRow]) -> Result<String> {
    let about = |row: &AgentRow| match &row.installed {
        None => format!("{}, not installed", row.name),
        Some(found) => [Some(row.name.as_str()), found.version.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "),
    };
    prompt::choose("Agent", &rows.iter().map(|row| (row.id.clone(), about(row))).collect::<Vec<_>>())
}

/// One of those that the agent can use.
pub(super) fn choose_provider(daemon: &mut Daemon, agent: &str) -> Result<String> {
    let fitting = daemon.call(&Options { agent: Some(agent.to_owned()), provider: None })?.providers;
    let known = daemon.call(&providers::List {})?.providers;
    let about = |id: &str| match known.iter().find(|row| row.id.as_str() == id) {
        Some(row) if row.kind == ProviderKind::Own => "the agent's own login".to_owned(),
        Some(row) if row.kind == ProviderKind::Offline => "a model inside clown, for a first try without a key".to_owned(),
        row => row.map(|row| row.name.clone()).unwrap_or_default(),
    };
    let choices: Vec<_> = fitting.into_iter().map(|id| (id.clone(), about(&id))).collect();
    prompt::choose("Provider", &choices)
}

/// Result of a call that makes or changes a profile.
pub(super) fn show(created: &Created, output: Output, headline: &str) {
    for warning in &created.warnings {
        output.warn(warning);
    }
    created.notes.iter().for_each(|note| output.say(note));
    output.say(headline);
    output.data(created, || describe(&created.profile, &[("files", created.files.join("\n"))]));
}

fn missing(what: &str, hint: &str) -> Error {
    Error::usage(format!("clown profiles create needs {what}")).hint(hint).hint("see clown profiles create --help")
}

pub(super) fn ask_key(daemon: &mut Daemon, agent: &str, provider: &str) -> Result<KeyInput> {
    let choices = daemon.call(&Options { agent: Some(agent.to_owned()), provider: Some(provider.to_owned()) })?;
    if !choices.needs_key {
        return Ok(KeyInput::Absent);
    }
    if let Some(alias) = choices.reusable.first()
        && prompt::confirm(&format!("Use the key of profile {alias}, which has the same provider?"))?
    {
        return Ok(KeyInput::Reuse { alias: alias.to_string() });
    }
    if let Some(url) = choices.key_url {
        prompt::tell(&format!("Get a key at {url}"));
    }
    let key = prompt::key(&format!("Key for {provider} (not shown)"))?;
    Ok(KeyInput::Text { key: KeyText::new(key) })
}

/// The one way a key was given.
pub(super) fn key_input(stdin: bool, env: Option<&str>, key_ref: Option<&str>, reuse: Option<&str>) -> Result<KeyInput> {
    let ways = usize::from(stdin) + [env, key_ref, reuse].iter().filter(|w| w.is_some()).count();
    if ways > 1 {
        return Err(
            Error::usage("the key is given in more than one way").hint("use one of --api-key-stdin, --api-key-env, --key-ref, --reuse-key")
        );
    }
    if stdin {
        let mut text = zeroize::Zeroizing::new(String::new());
        let read = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut text);
        read.map_err(|e| Error::invalid("the key was not read from standard input").cause(e))?;
        if text.trim().is_empty() {
            return Err(Error::invalid("standard input holds no key")
                .hint("pipe the key in: printf %s \"$KEY\" | clown profiles create ... --api-key-stdin"));
        }
        return Ok(KeyInput::Text { key: KeyText::new(text.trim().to_owned()) });
    }
    if let Some(var) = env {
        let text = std::env::var(var).map_err(|_| {
            Error::invalid(format!("the variable {var} is not set, or is not text")).hint(format!("set it: export {var}=..."))
        })?;
        return Ok(KeyInput::Text { key: KeyText::new(text) });
    }
    if let Some(source) = key_ref {
        return match source.split_once(':') {
            Some(("env", var)) => Ok(KeyInput::Env { var: var.to_owned() }),
            Some(("command", line)) if !line.trim().is_empty() => {
                Ok(KeyInput::Command { argv: line.split_whitespace().map(str::to_owned).collect() })
            }
            _ => Err(Error::usage(format!("{source:?} is not a source of a key")).hint("write env:NAME or 'command:program args'")),
        };
    }
    Ok(reuse.map_or(KeyInput::Absent, |alias| KeyInput::Reuse { alias: alias.to_owned() }))
}

pub(super) fn settings(
    endpoint: Option<String>,
    model: Option<String>,
    isolation: Option<&str>,
    args: Option<Vec<String>>,
    env: &[String],
    pref: &[String],
) -> Result<Settings> {
    let isolation = isolation
        .map(|mode| {
            Isolation::parse(mode)
                .ok_or_else(|| Error::usage(format!("there is no isolation {mode:?}")).hint("use home-wrapper or config-dir"))
        })
        .transpose()?;
    Ok(Settings { endpoint, model, isolation, args, env: pairs("--env", env)?, preferences: pairs("--pref", pref)? })
}

/// `NAME=VALUE` sets, `NAME=` with nothing behind it sets the empty text, `-NAME` removes.
fn pairs(flag: &str, items: &[String]) -> Result<BTreeMap<String, Option<String>>> {
    let pair = |item: &String| match (item.split_once('='), item.strip_prefix('-')) {
        (Some((name, value)), _) if !name.is_empty() => Ok((name.to_owned(), Some(value.to_owned()))),
        (None, Some(name)) if !name.is_empty() => Ok((name.to_owned(), None)),
        _ => Err(Error::usage(format!("{flag} {item:?} is not NAME=VALUE"))
            .hint(format!("write {flag} NAME=VALUE, or {flag} -NAME to remove it"))),
    };
    items.iter().map(pair).collect()
}
