//! `clown usage`

mod args;
mod card;
mod draw;
mod export;
mod report;
mod statusline;
mod upkeep;
mod watch;

use argh::{ArgsInfo, FromArgs};

pub(super) use args::local_zone;
pub(super) use card::amount;
pub(super) use draw::cost;

use super::{connect::Daemon, output::Output};
use crate::{
    base::error::{Error, Result},
    wire::usage::{Select, Summary},
};

args::limited! {
    /// Show what agents used and what it cost. Without a command: a summary.
    ///
    /// Cost is what the requests would cost at the vendors' prices; a subscription costs what it costs.
    #[argh(
        subcommand,
        name = "usage",
        example = "clown usage\nclown usage --period today --profile work\nclown usage daily --period month --breakdown"
    )]
    Usage
    {}
    /// today, yesterday, week, month, 7d, 30d (default) or all
    period
    {
        #[argh(subcommand)]
        command: Option<Command>,
    }
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Daily(args::Daily),
    Weekly(args::Weekly),
    Monthly(args::Monthly),
    Sessions(args::Sessions),
    Models(args::Models),
    Profiles(args::Profiles),
    Agents(args::Agents),
    Projects(args::Projects),
    Blocks(args::Blocks),
    Export(export::ExportArgs),
    Statusline(statusline::StatuslineArgs),
    Watch(watch::WatchArgs),
    Import(upkeep::ImportArgs),
    ImportClaude(upkeep::ImportClaudeArgs),
    Reconcile(upkeep::ReconcileArgs),
    Rescan(upkeep::RescanArgs),
    Doctor(upkeep::DoctorArgs),
}

impl Usage {
    pub fn run(mut self, output: Output) -> Result<i32> {
        let limits = self.limits();
        if self.command.is_some() && limits != args::Limits::default() {
            return Err(Error::usage("options stand behind the command they are for").hint("like clown usage daily --period today"));
        }
        match self.command {
            None => show(output, limits.select(Some("30d"))?),
            Some(Command::Daily(args)) => report::run(output, args.ask()?),
            Some(Command::Weekly(args)) => report::run(output, args.ask()?),
            Some(Command::Monthly(args)) => report::run(output, args.ask()?),
            Some(Command::Sessions(args)) => report::run(output, args.ask()?),
            Some(Command::Models(args)) => report::run(output, args.ask()?),
            Some(Command::Profiles(args)) => report::run(output, args.ask()?),
            Some(Command::Agents(args)) => report::run(output, args.ask()?),
            Some(Command::Projects(args)) => report::run(output, args.ask()?),
            Some(Command::Blocks(args)) => report::run(output, args.ask()?),
            Some(Command::Export(args)) => args.run(output),
            Some(Command::Statusline(args)) => args.run(output),
            Some(Command::Watch(args)) => args.run(output),
            Some(Command::Import(args)) => args.run(output),
            Some(Command::ImportClaude(args)) => args.run(output),
            Some(Command::Reconcile(args)) => args.run(output),
            Some(Command::Rescan(args)) => args.run(output),
            Some(Command::Doctor(args)) => args.run(output),
        }
    }
}

fn show(output: Output, select: Select) -> Result<i32> {
    let filtered = args::filters(&select);
    let summary = Daemon::needed(output)?.call(&Summary { select })?;
    let used = summary.totals.requests > 0 || summary.totals.total_tokens > 0;
    output.data(&summary, || if used { card::text(&summary) } else { String::new() });
    if !used {
        args::nothing(output, summary.known, filtered);
    }
    args::unpriced(output, &summary.unpriced);
    Ok(0)
}
