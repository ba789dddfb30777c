//! `clown proxy`

use argh::{ArgsInfo, FromArgs};

mod keys;
mod logs;
mod requests;
mod routing;

use super::{
    connect::Daemon,
    output::{Output, ago},
    table::{Table, fields},
};
use crate::{
    base::error::{Error, Result},
    wire::proxy::{Config, Instance, Set, Start, State, Status, Stop, Strategy, Use},
};

pub(super) use keys::bring;

#[derive(FromArgs, ArgsInfo)]
/// Run and change the proxies that translate and route a profile's requests.
#[argh(subcommand, name = "proxy", example = "clown proxy enable work\nclown proxy status")]
pub(super) struct Proxy {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Enable(EnableArgs),
    Disable(DisableArgs),
    Strategy(StrategyArgs),
    Start(StartArgs),
    Stop(StopArgs),
    StopAll(StopAllArgs),
    Restart(RestartArgs),
    Status(StatusArgs),
    Requests(requests::RequestsArgs),
    Config(ConfigArgs),
    Logs(logs::LogsArgs),
    Route(routing::Route),
    Alias(routing::Alias),
    Key(keys::Key),
    Explain(routing::ExplainArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Send a profile's requests through a proxy, also where agent and provider understand each other.
#[argh(subcommand, name = "enable", example = "clown proxy enable work --strategy weighted")]
struct EnableArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// simple, weighted, lowest-cost, adaptive or conditional (default)
    #[argh(option, arg_name = "word")]
    strategy: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Send a profile's requests to its provider directly. Routes and keys are kept.
#[argh(subcommand, name = "disable", example = "clown proxy disable work")]
struct DisableArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Choose how one of several targets is taken.
#[argh(subcommand, name = "strategy", example = "clown proxy strategy work weighted")]
struct StrategyArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// conditional: the first rule that holds and no other; simple: the rules that hold, each the
    /// replacement of the one before; weighted: spread by weight; lowest-cost; adaptive: the
    /// quickest that does not fail
    #[argh(positional)]
    strategy: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Start a profile's proxy and wait until it answers. Runs do this by themselves.
#[argh(subcommand, name = "start", example = "clown proxy start work")]
struct StartArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Stop a profile's proxy. The next run starts it again.
#[argh(subcommand, name = "stop", example = "clown proxy stop work")]
struct StopArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Stop all proxies.
#[argh(subcommand, name = "stop-all", example = "clown proxy stop-all")]
struct StopAllArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Stop a profile's proxy and start it again.
#[argh(subcommand, name = "restart", example = "clown proxy restart work")]
struct RestartArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Show which proxies run, where, and what is wrong with them.
#[argh(subcommand, name = "status", example = "clown proxy status work --json")]
struct StatusArgs {
    /// only this profile, in full
    #[argh(positional)]
    alias: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Print the configuration of a profile's proxy. Keys are named, never shown.
#[argh(subcommand, name = "config", example = "clown proxy config work")]
struct ConfigArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

impl Proxy {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::Enable(args) => {
                let strategy = args.strategy.as_deref().map(strategy).transpose()?;
                let set = daemon.call(&Set { alias: args.alias, enabled: Some(true), strategy })?;
                routing::changed(&set, output, &format!("Requests of {} go through a proxy.", set.alias));
            }
            Command::Disable(args) => {
                let set = daemon.call(&Set { alias: args.alias, enabled: Some(false), strategy: None })?;
                routing::changed(&set, output, &format!("Requests of {} go to the provider directly.", set.alias));
            }
            Command::Strategy(args) => {
                let strategy = Some(strategy(&args.strategy)?);
                let set = daemon.call(&Set { alias: args.alias, enabled: None, strategy })?;
                routing::changed(&set, output, &format!("The strategy of {} is {}.", set.alias, set.strategy));
            }
            Command::Start(args) => start(&mut daemon, args.alias, false, output)?,
            Command::Restart(args) => start(&mut daemon, args.alias, true, output)?,
            Command::Stop(args) => stop(&mut daemon, Some(args.alias), output)?,
            Command::StopAll(_) => stop(&mut daemon, None, output)?,
            Command::Status(args) => status(&mut daemon, args, output)?,
            Command::Requests(args) => args.run(&mut daemon, output)?,
            Command::Config(args) => {
                let config = daemon.call(&Config { alias: args.alias })?;
                output.data(&config, || config.text.clone());
            }
            Command::Logs(args) => return args.run(&mut daemon, output),
            Command::Route(route) => route.run(&mut daemon, output)?,
            Command::Alias(alias) => alias.run(&mut daemon, output)?,
            Command::Key(key) => key.run(&mut daemon, output)?,
            Command::Explain(args) => args.run(&mut daemon, output)?,
        }
        Ok(0)
    }
}

fn strategy(word: &str) -> Result<Strategy> {
    Strategy::parse(word).ok_or_else(|| {
        let words: Vec<&str> = Strategy::ALL.iter().map(|(w, _)| *w).collect();
        Error::usage(format!("there is no strategy {word:?}"))
            .did_you_mean(word, words.iter().copied())
            .hint(format!("use one of: {}", words.join(", ")))
    })
}

fn start(daemon: &mut Daemon, alias: String, restart: bool, output: Output) -> Result<()> {
    let started = daemon.call(&Start { alias: alias.clone(), restart })?;
    let instance = bring(daemon, &alias, &started.needs)?.unwrap_or(started.instance);
    output.data(&instance, String::new);
    output.say(&format!("The proxy of {alias} answers at http://127.0.0.1:{}.", instance.port.unwrap_or_default()));
    Ok(())
}

fn stop(daemon: &mut Daemon, alias: Option<String>, output: Output) -> Result<()> {
    let stopped = daemon.call(&Stop { alias })?;
    output.data(&stopped, String::new);
    match stopped.stopped.as_slice() {
        [] => output.say("Nothing was running."),
        some => output.say(&format!("Stopped: {}.", some.join(", "))),
    }
    Ok(())
}

fn status(daemon: &mut Daemon, args: StatusArgs, output: Output) -> Result<()> {
    let alone = args.alias.is_some();
    let listed = daemon.call(&Status { alias: args.alias })?;
    output.data(&listed, || match listed.instances.as_slice() {
        [] => String::new(),
        [one] if alone => describe(one),
        some => {
            let mut table = Table::new(&["profile", "state", "port", "pid", "restarts", "sessions", "since", "problem"]);
            for i in some {
                table.row([
                    i.alias.clone(),
                    state(i.state).to_owned(),
                    i.port.filter(|_| i.state != State::Stopped).map(|p| p.to_string()).unwrap_or_default(),
                    i.pid.map(|p| p.to_string()).unwrap_or_default(),
                    if i.restarts == 0 { String::new() } else { i.restarts.to_string() },
                    if i.sessions == 0 { String::new() } else { i.sessions.to_string() },
                    i.since.as_deref().map(ago).unwrap_or_default(),
                    i.problem.clone().unwrap_or_default(),
                ]);
            }
            table.render()
        }
    });
    if listed.instances.is_empty() {
        output.say("No profile uses a proxy. Enable one: clown proxy enable ALIAS");
    }
    Ok(())
}

fn describe(i: &Instance) -> String {
    fields(&[
        ("profile", i.alias.clone()),
        (
            "use",
            match i.used {
                Use::Off => "off",
                Use::Enabled => "enabled",
                Use::Needed => "needed: agent and provider have no format in common",
            }
            .into(),
        ),
        ("state", state(i.state).to_owned()),
        ("address", i.port.map(|p| format!("http://127.0.0.1:{p}")).unwrap_or_default()),
        ("process", i.pid.map(|p| p.to_string()).unwrap_or_default()),
        ("engine", i.engine.clone().unwrap_or_default()),
        ("since", i.since.as_deref().map(ago).unwrap_or_default()),
        ("restarts", i.restarts.to_string()),
        ("sessions", i.sessions.to_string()),
        ("config", i.config.clone()),
        ("log", i.log.clone()),
        ("problem", i.problem.clone().unwrap_or_default()),
    ])
}

fn state(state: State) -> &'static str {
    match state {
        State::Stopped => "stopped",
        State::Starting => "starting",
        State::Running => "running",
        State::Restarting => "restarting",
        State::Failed => "failed",
    }
}
