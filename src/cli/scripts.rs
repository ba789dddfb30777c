//! `clown scripts`

use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use super::{connect::Daemon, output::Output, table::Table};
use crate::{
    base::error::{Error, Result},
    wire::scripts::{List, Test},
};

#[derive(FromArgs, ArgsInfo)]
/// Show and try the scripts that set agents up.
#[argh(subcommand, name = "scripts", example = "clown scripts list")]
pub(super) struct Scripts {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Test(TestArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// List scripts with their origin.
#[argh(subcommand, name = "list", example = "clown scripts list")]
struct ListArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Run a script on an example and print its result.
#[argh(subcommand, name = "test", example = "clown scripts test my.rhai --agent claude --provider minimax")]
struct TestArgs {
    /// the script's file
    #[argh(positional)]
    file: String,
    /// agent whose manifest the example takes
    #[argh(option)]
    agent: Option<String>,
    /// provider whose manifest the example takes
    #[argh(option)]
    provider: Option<String>,
}

impl Scripts {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(_) => {
                let listed = daemon.call(&List {})?;
                output.data(&listed, || {
                    let mut table = Table::new(&["script", "agents", "origin", "hash", "file"]);
                    for row in &listed.scripts {
                        let hash = row.hash.get(..12).unwrap_or(&row.hash).to_owned();
                        table.row([
                            row.name.clone(),
                            row.agents.join(", "),
                            row.origin.to_string(),
                            hash,
                            row.file.clone().unwrap_or_default(),
                        ]);
                    }
                    table.render()
                });
            }
            Command::Test(args) => {
                let path = Path::new(&args.file);
                let source = std::fs::read_to_string(path)
                    .map_err(|e| Error::reading(path)(e).hint("give the path of a .rhai file; scripts clown uses: clown scripts list"))?;
                let tested = daemon.call(&Test { source, name: args.file.clone(), agent: args.agent, provider: args.provider })?;
                output.data(&tested, || serde_json::to_string_pretty(&tested.output).unwrap_or_default() + "\n");
                for line in &tested.log {
                    output.say(&format!("print: {}", super::output::printable(line)));
                }
            }
        }
        Ok(0)
    }
}
