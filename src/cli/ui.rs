//! `clown ui`

use argh::{ArgsInfo, FromArgs};

use super::{connect::Daemon, output::Output};
use crate::{
    base::error::Result,
    wire::{error::exit, http::LoginLink},
};

#[derive(FromArgs, ArgsInfo)]
/// Open the web UI in the browser, logged in.
///
/// The link works once and for two minutes. Whoever opens it can do in this tree what you can.
#[argh(subcommand, name = "ui", example = "clown ui --print")]
pub(super) struct Ui {
    /// print the link instead of opening it
    #[argh(switch)]
    print: bool,
}

impl Ui {
    pub fn run(self, output: Output) -> Result<i32> {
        let link = Daemon::needed(output)?.call(&LoginLink {})?;
        if self.print || output.json {
            output.data(&link, || format!("{}\n", link.url));
            return Ok(exit::SUCCESS);
        }
        // It waits for no browser.
        match open::that_detached(&link.url) {
            Ok(()) => output.say("The web UI opens in your browser. If it does not: clown ui --print"),
            Err(error) => {
                output.warn(&format!("no browser could be started ({error}); open this link within two minutes:"));
                output.data(&link, || format!("{}\n", link.url));
            }
        }
        Ok(exit::SUCCESS)
    }
}
