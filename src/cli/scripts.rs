//! `clown scripts`

use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, short},
    prompt,
    table::Table,
};
use crate::{
    base::error::{Error, Result},
    wire::{
        Call,
        scripts::{ApproveScript, Compared, List, Review, ReviewScript, Test},
    },
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
    Review(ReviewArgs),
    Approve(ApproveArgs),
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

#[derive(FromArgs, ArgsInfo)]
/// Show what is new in a script or template of the registry.
#[argh(subcommand, name = "review", example = "clown scripts review claude")]
struct ReviewArgs {
    /// name of the script, or AGENT/NAME of a template
    #[argh(positional)]
    name: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Show what is new in a script or template of the registry, and agree to it.
#[argh(subcommand, name = "approve", example = "clown scripts approve claude")]
struct ApproveArgs {
    /// name of the script, or AGENT/NAME of a template
    #[argh(positional)]
    name: String,
    /// agree without being asked
    #[argh(switch)]
    yes: bool,
}

impl Scripts {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(_) => {
                let listed = daemon.call(&List {})?;
                output.data(&listed, || {
                    let mut table = Table::new(&["script", "agents", "origin", "hash", "agreed", "file"]);
                    for row in &listed.scripts {
                        let hash = short(&row.hash);
                        table.row([
                            row.name.clone(),
                            row.agents.join(", "),
                            row.origin.to_string(),
                            hash,
                            if row.needs_approval { "no".to_owned() } else { String::new() },
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
            Command::Review(args) => {
                let review = daemon.call(&ReviewScript { name: args.name })?;
                output.data(&review, || review.diff.clone());
                output.say(&headline(&review));
            }
            Command::Approve(args) => {
                let review = daemon.call(&ReviewScript { name: args.name })?;
                let asks = !review.approved && !args.yes;
                if !(asks && output.json) {
                    output.data(&review, || review.diff.clone());
                    output.say(&headline(&review));
                }
                if !review.approved {
                    if asks && (output.json || !prompt::possible()) {
                        return Err(Error::refused(format!("nobody is there to agree to {}", review.name))
                            .hint(format!("after reading it: clown scripts approve {} --yes", review.name)));
                    }
                    if asks && !prompt::confirm(&format!("Agree to {} as shown?", review.name))? {
                        return Err(Error::refused("you did not agree; nothing was changed"));
                    }
                    daemon.call(&ApproveScript { name: review.name, hash: review.hash })?;
                    output.say("Agreed.");
                }
            }
        }
        Ok(0)
    }
}

fn headline(review: &Review) -> String {
    let Review { name, .. } = review;
    match (review.approved, review.compared) {
        (true, _) => format!("{name} needs no agreement, or has it."),
        (false, Some(Compared::Agreed)) => format!("{name} came with the registry. Above is what changed since you agreed to it."),
        (false, Some(Compared::BuiltIn)) => format!("{name} came with the registry. Above is how it differs from the built-in one."),
        (false, None) => format!("{name} came with the registry. Above is all of it."),
    }
}

/// Sends a call; where the user must agree to something first and is there, asks and sends it again.
pub(super) fn agreeing<C: Call>(daemon: &mut Daemon, output: Output, call: &C) -> Result<C::Reply> {
    let mut asked = Vec::new();
    loop {
        let error = match daemon.call(call) {
            Err(error) if !output.json && prompt::possible() => error,
            done => return done,
        };
        let Some(name) = error.to_review().map(str::to_owned).filter(|name| !asked.contains(name)) else { return Err(error) };
        let review = daemon.call(&ReviewScript { name: name.clone() })?;
        prompt::tell(review.diff.trim_end());
        prompt::tell(&headline(&review));
        if !prompt::confirm(&format!("Agree to {name} as shown?"))? {
            return Err(error);
        }
        daemon.call(&ApproveScript { name: name.clone(), hash: review.hash })?;
        asked.push(name);
    }
}
