//! `clown env`: set-up tasks of agents' manifests.

use argh::{ArgsInfo, FromArgs};

use super::{connect::Daemon, output::Output, scripts::agreeing, table::Table};
use crate::{
    base::error::Result,
    wire::setup::{List, Run},
};

#[derive(FromArgs, ArgsInfo)]
/// Run the set-up tasks that an agent's manifest offers for a profile.
#[argh(subcommand, name = "env", example = "clown env list work\nclown env setup work TASK")]
pub(super) struct Env {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Setup(SetupArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// List the tasks of a profile's agent.
#[argh(subcommand, name = "list", example = "clown env list work")]
struct ListArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Run a task in the profile's home, and print what it says.
#[argh(subcommand, name = "setup", example = "clown env setup work TASK")]
struct SetupArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// name of the task, from clown env list
    #[argh(positional)]
    task: String,
}

impl Env {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(args) => {
                let listed = daemon.call(&List { alias: args.alias })?;
                output.data(&listed, || {
                    if listed.tasks.is_empty() {
                        return String::new();
                    }
                    let mut table = Table::new(&["task", "what it does", "command"]);
                    for task in &listed.tasks {
                        table.row([task.name.clone(), task.description.clone(), task.run.join(" ")]);
                    }
                    table.render()
                });
                if listed.tasks.is_empty() {
                    output.say("The manifest of this agent has no set-up tasks.");
                }
                if listed.needs_approval {
                    output.say("They came with the registry: the first that you run asks you to agree to them.");
                }
            }
            Command::Setup(args) => {
                let ran = agreeing(&mut daemon, output, &Run { alias: args.alias, task: args.task })?;
                output.data(&ran, || ran.output.lines().map(|line| super::output::printable(line) + "\n").collect());
                output.say(&format!("Done in {} ms.", ran.ms));
            }
        }
        Ok(0)
    }
}
