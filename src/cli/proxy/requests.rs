//! `clown proxy requests`

use argh::{ArgsInfo, FromArgs};

use crate::{
    base::error::Result,
    cli::{
        connect::Daemon,
        output::{Output, ago},
        table::Table,
    },
    wire::proxy::Requests,
};

#[derive(FromArgs, ArgsInfo)]
/// Show the last requests through a profile's proxy, newest first.
#[argh(subcommand, name = "requests", example = "clown proxy requests work -n 5")]
pub(super) struct RequestsArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// how many (default 20, at most 200)
    #[argh(option, short = 'n', default = "20")]
    limit: usize,
}

impl RequestsArgs {
    pub fn run(self, daemon: &mut Daemon, output: Output) -> Result<()> {
        let listed = daemon.call(&Requests { alias: self.alias.clone(), limit: Some(self.limit) })?;
        output.data(&listed, || {
            let mut table = Table::new(&["when", "outcome", "model", "rule", "target", "first byte", "whole", "failed before"]);
            for r in &listed.requests {
                let outcome = if r.status == 0 { r.outcome.clone() } else { format!("{} {}", r.outcome, r.status) };
                let failed = r.failed.iter().map(|f| f.target.as_str()).collect::<Vec<_>>().join(", ");
                let ms = |value: f64| format!("{value:.0} ms");
                table.row([
                    ago(&r.time),
                    outcome,
                    r.model.clone(),
                    r.rule.clone(),
                    r.target.clone(),
                    ms(r.first_ms),
                    ms(r.total_ms),
                    failed,
                ]);
            }
            if listed.requests.is_empty() { String::new() } else { table.render() }
        });
        if listed.requests.is_empty() {
            output.say(&format!("No request came through the proxy of {} yet. Start it: clown proxy start {}", self.alias, self.alias));
        }
        Ok(())
    }
}
