//! `clown templates`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, printable},
    table::{Table, fields},
};
use crate::{
    base::error::Result,
    wire::templates::{Inspect, List, TemplateDetail},
};

#[derive(FromArgs, ArgsInfo)]
/// Show the templates that `clown profiles create --template` takes.
#[argh(subcommand, name = "templates", example = "clown templates list --agent claude")]
pub(super) struct Templates {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Inspect(InspectArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// List templates with what they are for.
#[argh(subcommand, name = "list", example = "clown templates list --agent claude")]
struct ListArgs {
    /// only those of this agent
    #[argh(option, arg_name = "id")]
    agent: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Show all that a template sets and writes.
#[argh(subcommand, name = "inspect", example = "clown templates inspect claude reviewer")]
struct InspectArgs {
    /// agent
    #[argh(positional)]
    agent: String,
    /// name of the template
    #[argh(positional)]
    name: String,
}

impl Templates {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(args) => {
                let listed = daemon.call(&List { agent: args.agent })?;
                output.data(&listed, || {
                    let mut table = Table::new(&["agent", "template", "description", "origin"]);
                    for row in &listed.templates {
                        table.row([row.agent.to_string(), row.name.to_string(), printable(&row.description), row.origin.to_string()]);
                    }
                    table.render()
                });
                if listed.templates.is_empty() {
                    output.say("No templates. One of your own is a file templates/AGENT/NAME.toml: see the README.");
                }
                for problem in &listed.problems {
                    output.warn(&printable(&problem.to_string()));
                }
            }
            Command::Inspect(args) => {
                let detail = daemon.call(&Inspect { agent: args.agent, name: args.name })?;
                output.data(&detail, || describe(&detail));
            }
        }
        Ok(0)
    }
}

fn describe(detail: &TemplateDetail) -> String {
    let t = &detail.template;
    let lines = |items: Vec<String>| printable(&items.join("\n"));
    let pairs = |map: &std::collections::BTreeMap<String, String>| lines(map.iter().map(|(k, v)| format!("{k}={v}")).collect());
    let hooks = t.hooks.iter().map(|h| format!("{} {}: {}", h.event, h.matcher.as_deref().unwrap_or("*"), h.command));
    let mut text = fields(&[
        ("template", t.name.to_string()),
        ("agent", t.agent.to_string()),
        ("for", printable(&t.description)),
        ("model", printable(t.model.as_deref().unwrap_or_default())),
        ("arguments", lines(t.args.clone())),
        ("variables", pairs(&t.env)),
        ("preferences", pairs(&t.preferences)),
        ("hooks", lines(hooks.collect())),
        ("origin", detail.file.clone().unwrap_or_else(|| detail.origin.to_string())),
        ("agreed to", if detail.needs_approval { format!("no: clown scripts approve {}/{}", t.agent, t.name) } else { String::new() }),
    ]);
    for prompt in &t.prompts {
        text += &format!("\n--- {}\n{}\n", printable(&prompt.file), printable(prompt.text.trim_end()));
    }
    text
}
