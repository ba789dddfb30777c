//! `clown usage import`, `rescan`, `reconcile` and `doctor`

use argh::{ArgsInfo, FromArgs};

use super::{
    super::{
        connect::Daemon,
        output::Output,
        table::{Table, fields},
    },
    args, draw,
};
use crate::{
    base::error::{Error, Result},
    wire::usage::{Bill, Doctor, DoctorReply, Elsewhere, Import, Reconcile, Rescan, Skipped, Trouble},
};

#[derive(FromArgs, ArgsInfo)]
/// Read an agent's logs from another place, such as a backup. What is known already is not counted again.
#[argh(subcommand, name = "import", example = "clown usage import --agent codex --dir /mnt/backup/.codex")]
pub(super) struct ImportArgs {
    /// whose logs (default claude)
    #[argh(option, arg_name = "id", default = "String::from(\"claude\")")]
    agent: String,
    /// directory as the agent has it, like ~/.claude or ~/.codex
    #[argh(option, arg_name = "dir")]
    dir: Option<String>,
    /// count it to this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Read Claude Code's logs from another place.
#[argh(subcommand, name = "import-claude", example = "clown usage import-claude --claude-dir ~/old/.claude")]
pub(super) struct ImportClaudeArgs {
    /// directory with projects/ in it (default ~/.claude)
    #[argh(option, arg_name = "dir")]
    claude_dir: Option<String>,
    /// count it to this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Compare clown's sums with what agents wrote down as their own bill.
#[argh(subcommand, name = "reconcile", example = "clown usage reconcile --agent claude")]
pub(super) struct ReconcileArgs {
    /// only this agent
    #[argh(option, arg_name = "id")]
    agent: Vec<String>,
    /// only this profile; - is outside of profiles
    #[argh(option, arg_name = "alias")]
    profile: Vec<String>,
    /// today, yesterday, week, month, 7d, 30d or all (default)
    #[argh(option, arg_name = "word")]
    period: Option<String>,
    /// also those that are equal
    #[argh(switch)]
    all: bool,
}

#[derive(FromArgs, ArgsInfo)]
/// Read all logs again from their start. What was counted from logs that are gone stays.
#[argh(subcommand, name = "rescan", example = "clown usage rescan")]
pub(super) struct RescanArgs {}

#[derive(FromArgs, ArgsInfo)]
/// Show where clown looks for usage, and what it could not read or price.
#[argh(subcommand, name = "doctor", example = "clown usage doctor")]
pub(super) struct DoctorArgs {}

impl ImportArgs {
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let Some(dir) = self.dir else {
            // Without a place this is a look at the usual ones.
            return RescanArgs {}.run(output);
        };
        import(output, self.agent, &dir, self.profile)
    }
}

impl ImportClaudeArgs {
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let Some(dir) = self.claude_dir else { return RescanArgs {}.run(output) };
        import(output, "claude".into(), &dir, self.profile)
    }
}

fn import(output: Output, agent: String, dir: &str, profile: Option<String>) -> Result<i32> {
    let path = std::fs::canonicalize(dir).map_err(|e| {
        Error::invalid(format!("cannot import from {dir}")).cause(e).hint("name the agent's directory, like ~/.claude or ~/.codex")
    })?;
    let dir = path.to_str().ok_or_else(|| Error::invalid(format!("the path {} is not valid UTF-8", path.display())))?.to_owned();
    let done = Daemon::needed(output)?.call(&Import { agent, dir, profile })?;
    output.data(&done, || format!("{} new requests in {} files\n", done.requests, done.files));
    if done.files == 0 {
        output.say("No logs of this agent are there. Where clown looks otherwise: clown usage doctor");
    }
    troubles(output, &done.problems);
    Ok(0)
}

impl RescanArgs {
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let done = Daemon::needed(output)?.call(&Rescan {})?;
        output.data(&done, || {
            format!("{} files, {} bytes read, {} requests known, {} ms\n", done.files, done.bytes_read, done.requests, done.milliseconds)
        });
        troubles(output, &done.problems);
        Ok(0)
    }
}

impl ReconcileArgs {
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let lists = [self.profile, self.agent, Vec::new(), Vec::new(), Vec::new()];
        let select = args::Limits { period: self.period, lists, ..args::Limits::default() }.select(None)?;
        let mut done = Daemon::needed(output)?.call(&Reconcile { select })?;
        if !self.all && !output.json {
            done.bills.retain(differs);
        }
        output.data(&done, || if done.bills.is_empty() { String::new() } else { bills(&done.bills) });
        match (done.compared, done.compared - done.equal.min(done.compared)) {
            (0, _) => output.say("No agent wrote down a bill of its own. Claude Code does at the end of a session."),
            (all, 0) => output.say(&format!("All {all} bills are equal to clown's sums.")),
            (all, off) => output.say(&format!("{off} of {all} bills differ from clown's sums.")),
        }
        Ok(0)
    }
}

fn differs(bill: &Bill) -> bool {
    bill.difference_tokens != 0 || bill.difference_usd.is_some_and(|usd| usd.abs() > 1e-9)
}

fn bills(bills: &[Bill]) -> String {
    let mut table = Table::new(&["session", "model", "difference", "tokens", "ours", "theirs", "agent", "profile"]);
    for bill in bills {
        table.row([
            bill.session.clone(),
            bill.model.clone(),
            bill.difference_usd.map(draw::dollars).unwrap_or_default(),
            format!("{:+}", bill.difference_tokens),
            draw::cost(&bill.ours),
            draw::cost(&bill.theirs),
            bill.agent.clone(),
            bill.profile.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}

impl DoctorArgs {
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let found = Daemon::needed(output)?.call(&Doctor {})?;
        output.data(&found, || describe(&found));
        for place in &found.elsewhere {
            let Elsewhere { agent, variable, dir, roots } = place;
            output.warn(&super::super::output::printable(&format!(
                "{variable} is {dir}, where nobody looks; if {agent} keeps logs there: clown config set usage.roots {roots}"
            )));
        }
        troubles(output, &found.problems);
        Ok(0)
    }
}

fn describe(found: &DoctorReply) -> String {
    let rewritten: Vec<String> = found.rewritten.iter().map(|(name, key)| format!("{name} as {key}")).collect();
    let mut text = fields(&[
        ("index", found.index.clone()),
        ("size", format!("{} bytes", found.size)),
        ("requests", found.requests.to_string()),
        ("changes", if found.watching { "seen at once".into() } else { "seen when asked".into() }),
        ("prices", found.prices.clone()),
        ("price file", found.prices_problem.clone().unwrap_or_default()),
        ("no price", found.unpriced.join(", ")),
        ("priced as", rewritten.join("\n")),
    ]);
    let mut table = Table::new(&["agent", "profile", "logs", "lines", "skipped", "place"]);
    for place in &found.collectors {
        let profile = place.profile.clone().unwrap_or_default();
        let lines = if place.lines == 0 { String::new() } else { place.lines.to_string() };
        table.row([place.agent.clone(), profile, place.files.to_string(), lines, skipped(&place.skipped), place.root.clone()]);
    }
    if !found.collectors.is_empty() {
        text += "\n";
        text += &table.render();
    }
    text
}

fn skipped(skipped: &Skipped) -> String {
    let Skipped { garbage, half, not_text, too_long, unknown_version, unreadable } = *skipped;
    let kinds = [
        (garbage, "no JSON"),
        (half, "half"),
        (not_text, "no UTF-8"),
        (too_long, "too long"),
        (unknown_version, "of a later version"),
        (unreadable, "unreadable"),
    ];
    let kinds: Vec<String> = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}")).collect();
    kinds.join(", ")
}

fn troubles(output: Output, problems: &[Trouble]) {
    for problem in problems {
        let times = if problem.count > 1 { format!(" ({} times)", problem.count) } else { String::new() };
        output.warn(&super::super::output::printable(&format!("{}: {}{times}", problem.file, problem.what)));
    }
}
