//! `clown proxy route`, `alias` and `explain`

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use base64::Engine as _;

use crate::{
    base::error::{Error, Result},
    cli::{
        connect::Daemon,
        output::Output,
        table::{Table, fields},
    },
    wire::{
        manifest::Format,
        proxy::{AddRoute, Explain, Explanation, RemoveAlias, RemoveRoute, Route as Rule, RouteRow, Routing, SetAlias, ShowRouting},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Manage the rules that decide where requests go.
#[argh(subcommand, name = "route", example = "clown proxy route list work")]
pub(super) struct Route {
    #[argh(subcommand)]
    command: RouteCommand,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum RouteCommand {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Add a rule: requests for which the condition holds go to the target.
///
/// Conditions: always, thinking, background, web_search, image, tokens, tools and max_tokens with
/// > >= < <= ==, model ~ "pattern*", joined by and, or, not and brackets.
#[argh(
    subcommand,
    name = "add",
    usage = "<alias> <name> <condition> <target...> [<options>]",
    example = "clown proxy route add work long 'tokens > 60000' zai/glm-5.3\nclown proxy route add work small 'background or model ~ \"*haiku*\"' zai/glm-5.3-flash --priority 10"
)]
struct AddArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// name of the rule
    #[argh(positional)]
    name: String,
    /// when it holds
    #[argh(positional)]
    condition: String,
    /// provider/model; more of them replace each other in this order
    #[argh(positional)]
    target: Vec<String>,
    /// higher is asked first (default 0)
    #[argh(option, arg_name = "n", default = "0")]
    priority: i64,
    /// share of requests, with strategy weighted (default 1)
    #[argh(option, arg_name = "w", default = "1")]
    weight: u32,
}

#[derive(FromArgs, ArgsInfo)]
/// List the rules in the order in which they are asked.
#[argh(subcommand, name = "list", example = "clown proxy route list work")]
struct ListArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a rule.
#[argh(subcommand, name = "remove", example = "clown proxy route remove work long")]
struct RemoveArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// name of the rule
    #[argh(positional)]
    name: String,
}

impl Route {
    pub fn run(self, daemon: &mut Daemon, output: Output) -> Result<()> {
        match self.command {
            RouteCommand::Add(args) => {
                if args.target.is_empty() {
                    return Err(Error::usage("clown proxy route add needs a TARGET").hint("write provider/model, such as zai/glm-5.3"));
                }
                let route =
                    Rule { name: args.name, condition: args.condition, targets: args.target, priority: args.priority, weight: args.weight };
                changed(&daemon.call(&AddRoute { alias: args.alias, route })?, output, "Added.");
            }
            RouteCommand::Remove(args) => {
                changed(&daemon.call(&RemoveRoute { alias: args.alias, name: args.name })?, output, "Removed.");
            }
            RouteCommand::List(args) => {
                let routing = daemon.call(&ShowRouting { alias: args.alias })?;
                output.data(&routing.routes, || rules(&routing.routes));
                warn(&routing, output);
                if routing.routes.is_empty() {
                    output.say(&format!("No rules. Add one: clown proxy route add {} NAME CONDITION TARGET", routing.alias));
                }
            }
        }
        Ok(())
    }
}

#[derive(FromArgs, ArgsInfo)]
/// Manage names of models that lead to a target.
#[argh(subcommand, name = "alias", example = "clown proxy alias list work")]
pub(super) struct Alias {
    #[argh(subcommand)]
    command: AliasCommand,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum AliasCommand {
    Set(SetAliasArgs),
    List(ListAliasArgs),
    Remove(RemoveAliasArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Lead a model's name to a target, whatever the rules say.
#[argh(subcommand, name = "set", example = "clown proxy alias set work 'claude-haiku-*' zai/glm-5.3-flash")]
struct SetAliasArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// the model's name, * allowed
    #[argh(positional)]
    name: String,
    /// provider/model
    #[argh(positional)]
    target: String,
}

#[derive(FromArgs, ArgsInfo)]
/// List the names that lead to a target.
#[argh(subcommand, name = "list", example = "clown proxy alias list work")]
struct ListAliasArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a name.
#[argh(subcommand, name = "remove", example = "clown proxy alias remove work 'claude-haiku-*'")]
struct RemoveAliasArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// the model's name as it was set
    #[argh(positional)]
    name: String,
}

impl Alias {
    pub fn run(self, daemon: &mut Daemon, output: Output) -> Result<()> {
        match self.command {
            AliasCommand::Set(args) => {
                changed(&daemon.call(&SetAlias { alias: args.alias, name: args.name, target: args.target })?, output, "Set.");
            }
            AliasCommand::Remove(args) => {
                changed(&daemon.call(&RemoveAlias { alias: args.alias, name: args.name })?, output, "Removed.");
            }
            AliasCommand::List(args) => {
                let routing = daemon.call(&ShowRouting { alias: args.alias })?;
                output.data(&routing.aliases, || {
                    let mut table = Table::new(&["name", "target"]);
                    routing.aliases.iter().for_each(|(name, target)| table.row([name.clone(), target.clone()]));
                    if routing.aliases.is_empty() { String::new() } else { table.render() }
                });
                if routing.aliases.is_empty() {
                    output.say(&format!("No aliases. Set one: clown proxy alias set {} MODEL TARGET", routing.alias));
                }
            }
        }
        Ok(())
    }
}

fn rules(rows: &[RouteRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["rule", "condition", "targets", "priority", "weight", "made by"]);
    for RouteRow { route, generated } in rows {
        table.row([
            route.name.clone(),
            route.condition.clone(),
            route.targets.join(", "),
            route.priority.to_string(),
            if route.weight == 1 { String::new() } else { route.weight.to_string() },
            if *generated { "clown".to_owned() } else { String::new() },
        ]);
    }
    table.render()
}

fn warn(routing: &Routing, output: Output) {
    routing.warnings.iter().for_each(|warning| output.warn(warning));
}

/// Result of a change.
pub(super) fn changed(routing: &Routing, output: Output, headline: &str) {
    warn(routing, output);
    output.data(routing, String::new);
    output.say(headline);
}

#[derive(FromArgs, ArgsInfo)]
/// Tell which rule a request would take, and why.
#[argh(subcommand, name = "explain", example = "clown proxy explain work --request request.json")]
pub(super) struct ExplainArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// file with the body of a request
    #[argh(option, arg_name = "file")]
    request: PathBuf,
    /// its format: anthropic, openai-chat, openai-responses or gemini (default: the agent's)
    #[argh(option, arg_name = "word")]
    format: Option<String>,
    /// the model, in place of the one in the file
    #[argh(option, arg_name = "name")]
    model: Option<String>,
}

impl ExplainArgs {
    pub fn run(self, daemon: &mut Daemon, output: Output) -> Result<()> {
        let body = std::fs::read(&self.request).map_err(Error::reading(&self.request))?;
        let format = self.format.map(|word| {
            let read: Option<Format> = serde_json::from_value(word.clone().into()).ok();
            read.ok_or_else(|| {
                Error::usage(format!("there is no format {word:?}")).hint("use anthropic, openai-chat, openai-responses or gemini")
            })
        });
        let request = base64::engine::general_purpose::STANDARD.encode(&body);
        let told = daemon.call(&Explain { alias: self.alias, request, format: format.transpose()?, model: self.model })?;
        output.data(&told, || render(&told));
        Ok(())
    }
}

fn render(told: &Explanation) -> String {
    let facts: Vec<String> = told.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut table = Table::new(&["rule", "holds", "because", "condition"]);
    for step in &told.steps {
        let holds = if step.holds { "yes" } else { "no" };
        table.row([step.rule.clone(), holds.to_owned(), step.reasons.join(", "), step.condition.clone()]);
    }
    let targets: Vec<String> = told.targets.iter().map(|t| format!("{} as {}", t.target, t.model)).collect();
    let rule = told.rule.clone().unwrap_or_else(|| "none: the request would be refused".into());
    let head = fields(&[("request", facts.join("\n")), ("taken by", rule), ("goes to", targets.join("\nthen "))]);
    format!("{head}\n{}", table.render())
}
