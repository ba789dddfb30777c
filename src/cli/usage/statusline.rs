//! `clown usage statusline`: one line below the agent's prompt.

use std::io::{IsTerminal, Read};

use argh::{ArgsInfo, FromArgs};
use serde::Deserialize;

use super::{
    super::{
        connect::Daemon,
        output::{Output, printable},
    },
    args, draw,
};
use crate::{
    base::error::Result,
    wire::usage::{Statusline, StatuslineReply},
};

/// More than any agent sends.
const MOST: u64 = 1 << 20;

#[derive(FromArgs, ArgsInfo)]
/// Print one line for Claude Code's statusLine, from its JSON on standard input.
///
/// Its settings.json wants a statusLine of type command, and this as the command.
#[argh(subcommand, name = "statusline", example = "clown usage statusline < statusline.json")]
pub(super) struct StatuslineArgs {
    /// whose prompt it is (default claude)
    #[argh(option, arg_name = "id", default = "String::from(\"claude\")")]
    agent: String,
    /// profile (default: the one that runs)
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
    /// time zone of today (default: the system's)
    #[argh(option, arg_name = "zone")]
    timezone: Option<String>,
}

/// What is read of the agent's words; whatever is missing or of another kind is left out.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    session_id: Option<String>,
    model: Model,
    cost: Cost,
    context_window: Context,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Model {
    display_name: Option<String>,
    id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cost {
    total_cost_usd: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    used_percentage: Option<f64>,
}

impl StatuslineArgs {
    /// Never fails: an error below a prompt helps nobody, what the agent told itself does.
    pub(super) fn run(self, output: Output) -> Result<i32> {
        let told = told();
        let profile = self.profile.or_else(|| std::env::var("CLOWN_PROFILE").ok()).filter(|profile| !profile.is_empty());
        let timezone = self.timezone.unwrap_or_else(args::local_zone);
        let ask = Statusline { agent: self.agent, profile, session: told.session_id.clone(), timezone };
        let quiet = Output { quiet: true, ..output };
        let reply = Daemon::needed(quiet).and_then(|mut daemon| daemon.call(&ask)).ok();
        output.data(&reply, || line(&told, reply.as_ref()) + "\n");
        Ok(0)
    }
}

fn told() -> Told {
    let mut text = Vec::new();
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let _ = stdin.lock().take(MOST).read_to_end(&mut text);
    }
    read(&text)
}

/// Part by part, so that one part of another form does not cost the others.
fn read(text: &[u8]) -> Told {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(text) else { return Told::default() };
    fn part<T: Default + serde::de::DeserializeOwned>(value: &serde_json::Value, name: &str) -> T {
        value.get(name).and_then(|part| T::deserialize(part).ok()).unwrap_or_default()
    }
    Told {
        session_id: part(&value, "session_id"),
        model: part(&value, "model"),
        cost: part(&value, "cost"),
        context_window: part(&value, "context_window"),
    }
}

fn line(told: &Told, reply: Option<&StatuslineReply>) -> String {
    let mut parts = Vec::new();
    parts.extend(told.model.display_name.as_ref().or(told.model.id.as_ref()).map(|name| printable(name).replace('\n', " ")));
    let mut sums = Vec::new();
    // The agent's own sum knows what is not in its log yet.
    let session = reply.map(|reply| &reply.session).filter(|session| session.requests > 0);
    match (told.cost.total_cost_usd, session) {
        (Some(cost), _) if cost.is_finite() => sums.push(format!("{} session", draw::dollars(cost))),
        (_, Some(session)) => sums.push(format!("{} session", draw::cost(session))),
        _ => {}
    }
    if let Some(reply) = reply {
        sums.push(format!("{} today", draw::cost(&reply.today)));
        if let Some((line, block)) = reply.block.as_ref().and_then(|line| Some((line, line.block.as_ref()?))) {
            let left = block.burn.map(|burn| format!(" ({} left)", draw::minutes(burn.minutes_left))).unwrap_or_default();
            sums.push(format!("{} block{left}", draw::cost(&line.figures)));
        }
    }
    parts.extend((!sums.is_empty()).then(|| sums.join(" / ")));
    if let Some(reply) = reply {
        let rate = reply.block.as_ref().and_then(|line| line.block.as_ref()?.burn?.cost_usd_per_hour);
        parts.extend(rate.map(|rate| format!("{}/h", draw::dollars(rate))));
        parts.extend(reply.budget_percent.map(|share| format!("budget {share:.0} %")));
    }
    parts.extend(told.context_window.used_percentage.filter(|share| *share > 0.0).map(|share| format!("context {share:.0} %")));
    parts.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::usage::{Block, Burn, Figures, Line};

    #[test]
    fn one_line_of_what_is_known() {
        let told = read(br#"{"session_id":"s","model":{"id":"m","display_name":"Opus 5.5"},"cost":{"total_cost_usd":0.0235},"context_window":{"used_percentage":12}}"#);
        let money = |cost| Figures { cost_usd: Some(cost), requests: 1, ..Figures::default() };
        let burn = Burn { minutes_left: 130.0, cost_usd_per_hour: Some(1.5), ..Burn::default() };
        let block = Block { burn: Some(burn), ..Block::default() };
        let reply = StatuslineReply {
            today: money(4.1),
            block: Some(Line { figures: money(2.0), block: Some(block), ..Line::default() }),
            budget_percent: Some(85.0),
            ..StatuslineReply::default()
        };
        assert_eq!(
            line(&told, Some(&reply)),
            "Opus 5.5 | $0.02 session / $4.10 today / $2.00 block (2 h 10 min left) | $1.50/h | budget 85 % | context 12 %"
        );
        assert_eq!(line(&told, None), "Opus 5.5 | $0.02 session | context 12 %");
    }

    #[test]
    fn parts_of_another_form_cost_only_themselves() {
        let odd = read(br#"{"session_id":7,"model":{"display_name":"A\nB\u001b[0m"},"cost":"free"}"#);
        assert_eq!(line(&odd, None), "A B\u{fffd}[0m");
        assert_eq!(line(&read(b"no json"), None), "");
    }
}
