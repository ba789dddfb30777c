//! The whole grammar, top level. Each noun's own words are in its file.

use argh::{ArgsInfo, FromArgs};

use super::{agents, config, daemon, profiles, providers, run, scripts, sessions, watch};

#[derive(FromArgs, ArgsInfo)]
/// Run any coding agent as any profile: its own provider, model, key and home.
///
/// --json prints one JSON document instead of text, for every command. --version prints the version.
#[argh(
    example = "clown profiles create claude work --provider offline\nclown run work -- -p \"say hi\"",
    error_code(0, "success; `run` ends with the agent's own code instead"),
    error_code(1, "understood, and could not be done"),
    error_code(2, "the command line is wrong"),
    error_code(3, "the daemon cannot be reached")
)]
pub(super) struct Top {
    #[argh(subcommand)]
    pub command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
#[expect(clippy::large_enum_variant, reason = "made once")]
pub(super) enum Command {
    Run(run::Run),
    Profiles(profiles::Profiles),
    Agents(agents::Agents),
    Providers(providers::Providers),
    Sessions(sessions::Sessions),
    Scripts(scripts::Scripts),
    Config(config::Config),
    Watch(watch::Watch),
    Daemon(daemon::Daemon),
}
