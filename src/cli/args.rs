//! The whole grammar, top level. Each noun's own words are in its file.

use argh::{ArgsInfo, FromArgs};

use super::{
    agents, aliases, bind, budget, completions, config, daemon, doctor, env, hooks, init, itself, mcp, moving, plugins, profiles,
    providers, proxy, quota, registry, run, scripts, service, sessions, templates, ui, ultrallm, usage, watch,
};

#[derive(FromArgs, ArgsInfo)]
/// Run any coding agent as any profile: its own provider, model, key and home.
///
/// --json and --quiet may stand anywhere before the arguments of an agent.
#[argh(
    usage = "[--json] [--quiet] <command> [<args>]",
    example = "clown init\nclown profiles create claude work --provider offline\nclown run work -- -p \"say hi\"",
    error_code(0, "success; `run` ends with the agent's own code instead"),
    error_code(1, "understood, and could not be done"),
    error_code(2, "the command line is wrong"),
    error_code(3, "the daemon cannot be reached")
)]
pub(super) struct Top {
    /// print one JSON document instead of text, also for an error
    #[argh(switch)]
    #[expect(dead_code, reason = "lifted out before the grammar sees it; here for the help")]
    json: bool,
    /// print data, warnings and errors only
    #[argh(switch, short = 'q')]
    #[expect(dead_code, reason = "as json")]
    quiet: bool,
    /// print the version
    #[argh(switch, short = 'V')]
    #[expect(dead_code, reason = "as json")]
    version: bool,
    #[argh(subcommand)]
    pub command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
pub(super) enum Command {
    Init(init::Init),
    Run(run::Run),
    Profiles(profiles::Profiles),
    Bind(bind::BindArgs),
    Unbind(bind::UnbindArgs),
    Which(bind::WhichArgs),
    Trust(bind::TrustArgs),
    Aliases(aliases::Aliases),
    Agents(agents::Agents),
    Providers(providers::Providers),
    Mcp(mcp::Mcp),
    Hooks(hooks::Hooks),
    Env(env::Env),
    Plugins(plugins::Plugins),
    Proxy(proxy::Proxy),
    Registry(registry::Registry),
    Sessions(sessions::Sessions),
    Usage(usage::Usage),
    Budget(budget::Budget),
    Quota(quota::QuotaArgs),
    Scripts(scripts::Scripts),
    Templates(templates::Templates),
    Export(moving::ExportArgs),
    Import(moving::ImportArgs),
    Config(config::Config),
    Watch(watch::Watch),
    Ui(ui::Ui),
    Completions(completions::Completions),
    Daemon(daemon::Daemon),
    Service(service::Service),
    Doctor(doctor::Doctor),
    Itself(itself::Itself),
    Ultrallm(ultrallm::Ultrallm),
}
