//! `clown usage watch`

use std::io::IsTerminal;

use argh::{ArgsInfo, FromArgs};

use super::{
    super::{
        connect::Daemon,
        output::{Output, write_stdout},
    },
    args, card, draw,
};
use crate::{
    base::{error::Result, paths::Paths},
    ipc::watch,
    wire::usage::{Summary, SummaryReply},
};

#[derive(FromArgs, ArgsInfo)]
/// Show usage as it happens. With --json one document a line.
#[argh(subcommand, name = "watch", example = "clown usage watch --profile work")]
pub(super) struct WatchArgs {
    /// today (default), yesterday, week, month, 7d, 30d or all
    #[argh(option, arg_name = "word")]
    period: Option<String>,
    /// time zone of the days (default: the system's)
    #[argh(option, arg_name = "zone")]
    timezone: Option<String>,
    /// only this profile; - is outside of profiles
    #[argh(option, arg_name = "alias")]
    profile: Vec<String>,
    /// only this agent
    #[argh(option, arg_name = "id")]
    agent: Vec<String>,
    /// end after this many changes
    #[argh(option, arg_name = "n")]
    count: Option<u64>,
}

impl WatchArgs {
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let lists = [self.profile, self.agent, Vec::new(), Vec::new(), Vec::new()];
        let limits = args::Limits { period: self.period, timezone: self.timezone, lists, ..args::Limits::default() };
        let select = limits.select(Some("today"))?;
        let ask = Summary { select };
        let mut daemon = Daemon::needed(output)?;
        // The daemon must run before there is anything to listen to, and the first sums are asked for after that.
        daemon.call(&ask)?;
        let events = watch::Watch::open(&Paths::from_env()?, "usage/")?;
        let mut before = daemon.call(&ask)?;
        daemon.hang_up();
        show(output, &before);
        let mut left = self.count.unwrap_or(u64::MAX);
        if left == 0 {
            return Ok(0);
        }
        for event in events {
            if event.topic != "usage/updated" {
                continue;
            }
            let now = daemon.call(&ask)?;
            daemon.hang_up();
            if now.totals == before.totals {
                continue;
            }
            before = now;
            show(output, &before);
            left -= 1;
            if left == 0 {
                return Ok(0);
            }
        }
        output.say("The daemon ended.");
        Ok(0)
    }
}

fn show(output: Output, summary: &SummaryReply) {
    if output.json {
        write_stdout(&(serde_json::to_string(summary).unwrap_or_default() + "\n"));
    } else if std::io::stdout().is_terminal() {
        write_stdout(&format!("\x1b[H\x1b[2J{}", card::text(summary)));
    } else {
        let totals = &summary.totals;
        write_stdout(&format!("{}  {} tokens  {} requests\n", draw::cost(totals), totals.total_tokens, totals.requests));
    }
}
