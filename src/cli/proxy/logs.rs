//! `clown proxy logs`

use argh::{ArgsInfo, FromArgs};

use crate::{
    base::error::Result,
    cli::{connect::Daemon, logfile, output::Output},
    wire::proxy::Status,
};

#[derive(FromArgs, ArgsInfo)]
/// Print the log of a profile's proxy.
#[argh(subcommand, name = "logs", example = "clown proxy logs work -f")]
pub(super) struct LogsArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// go on printing as the log grows
    #[argh(switch, short = 'f')]
    follow: bool,
    /// last lines to print (default 50)
    #[argh(option, short = 'n', default = "50")]
    lines: usize,
}

impl LogsArgs {
    pub fn run(self, daemon: &mut Daemon, output: Output) -> Result<i32> {
        let listed = daemon.call(&Status { alias: Some(self.alias) })?;
        // Following takes long, and must not keep the daemon.
        daemon.hang_up();
        let path = listed.instances.first().map(|i| i.log.clone()).unwrap_or_default();
        logfile::show(path.as_ref(), self.lines, self.follow, "There is no log yet: this proxy has not run.", output)
    }
}
