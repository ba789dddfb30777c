//! `clown agents`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::Output,
    table::{Table, fields},
};
use crate::{
    base::error::Result,
    wire::agents::{AgentDetail, Agents as Listed, Detect, Inspect, List},
};

#[derive(FromArgs, ArgsInfo)]
/// Show the agents clown knows, and which are installed.
#[argh(subcommand, name = "agents", example = "clown agents list")]
pub(super) struct Agents {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    List(ListArgs),
    Inspect(InspectArgs),
    Detect(DetectArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// List agents with version and path.
#[argh(subcommand, name = "list", example = "clown agents list --json")]
struct ListArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Show one agent's manifest and what is installed of it.
#[argh(subcommand, name = "inspect", example = "clown agents inspect claude")]
struct InspectArgs {
    /// agent id
    #[argh(positional)]
    agent: String,
}

#[derive(FromArgs, ArgsInfo)]
/// Probe installed agents again, whatever the cache says.
#[argh(subcommand, name = "detect", example = "clown agents detect codex")]
struct DetectArgs {
    /// only this agent
    #[argh(positional)]
    agent: Option<String>,
}

impl Agents {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        match self.command {
            Command::List(_) => show(&daemon.call(&List {})?, output),
            Command::Detect(args) => show(&daemon.call(&Detect { id: args.agent })?, output),
            Command::Inspect(args) => {
                let detail = daemon.call(&Inspect { id: args.agent })?;
                output.data(&detail, || describe(&detail));
            }
        }
        Ok(0)
    }
}

fn show(listed: &Listed, output: Output) {
    output.data(listed, || {
        let mut table = Table::new(&["agent", "name", "version", "tested", "profiles", "origin", "path"]);
        for row in &listed.agents {
            let (version, path) = match &row.installed {
                Some(found) => (found.version.clone().or(found.problem.clone()).unwrap_or_default(), found.path.clone()),
                None => ("not installed".into(), row.install_hint.clone()),
            };
            let profiles = if row.profiles == 0 { String::new() } else { row.profiles.to_string() };
            let tested = row.tested.clone().unwrap_or_else(|| "never".into());
            table.row([row.id.clone(), row.name.clone(), version, tested, profiles, row.origin.to_string(), path]);
        }
        table.render()
    });
    for problem in &listed.problems {
        output.warn(&problem.to_string());
    }
}

fn describe(detail: &AgentDetail) -> String {
    let agent = &detail.manifest;
    let words = |items: Vec<String>| items.join(", ");
    let installed = match &detail.installed {
        Some(found) => format!("{} {}", found.path, found.version.as_deref().or(found.problem.as_deref()).unwrap_or_default()),
        None => format!("no; {}", agent.install.hint),
    };
    let supports = [("hooks", agent.supports.hooks), ("mcp", agent.supports.mcp)];
    fields(&[
        ("agent", agent.id.to_string()),
        ("name", agent.name.clone()),
        ("installed", installed),
        ("tested", agent.tested.clone().unwrap_or_else(|| "never: clown's tests have not run this agent".into())),
        (
            "ask once",
            if agent.headless.is_empty() { String::new() } else { format!("clown run ALIAS {} PROMPT", agent.headless.join(" ")) },
        ),
        ("formats", words(agent.formats.iter().map(ToString::to_string).collect())),
        ("isolation", words(agent.isolation.modes.iter().map(ToString::to_string).collect())),
        ("isolated", words(agent.isolation.isolated.clone())),
        ("strips", words(agent.isolation.strip_env.clone())),
        ("supports", words(supports.iter().filter(|(_, yes)| *yes).map(|(name, _)| (*name).to_owned()).collect())),
        ("script", format!("{} ({})", agent.script, detail.script_origin.map(|o| o.to_string()).unwrap_or_else(|| "missing".into()))),
        ("providers", words(detail.providers.clone())),
        ("origin", detail.file.clone().unwrap_or_else(|| detail.origin.to_string())),
        ("note", agent.caveats.join("\n")),
        ("homepage", agent.homepage.clone().unwrap_or_default()),
    ])
}
