//! `clown budget`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::Output,
    table::Table,
    usage::{amount, local_zone},
};
use crate::{
    base::error::{Error, Result},
    wire::budgets::{Action, Budget as Limit, Every, List, Remove, Set, State},
};

#[derive(FromArgs, ArgsInfo)]
/// Limit what a profile may use in a day or a month.
#[argh(subcommand, name = "budget", example = "clown budget set --profile work --daily 20usd --action refuse")]
pub(super) struct Budget {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Set(SetArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Set a limit. You are told at 80, 95 and 100 %; at 100 % the action is taken.
///
/// refuse stops new runs, not what runs. route needs a proxy: new requests go to --to.
#[argh(
    subcommand,
    name = "set",
    example = "clown budget set --profile work --daily 20usd --action refuse\nclown budget set --profile work --tokens 5m --monthly 300usd\nclown budget set --profile work --daily 5usd --action route --to zai/glm-5.3-air"
)]
struct SetArgs {
    /// name of the profile
    #[argh(option, arg_name = "alias")]
    profile: String,
    /// what a day may cost or use: 20usd or 5m (tokens)
    #[argh(option, arg_name = "amount")]
    daily: Option<String>,
    /// what a month may cost or use
    #[argh(option, arg_name = "amount")]
    monthly: Option<String>,
    /// tokens a day, like 500k, 5m or 5000000
    #[argh(option, arg_name = "n")]
    tokens: Option<String>,
    /// warn (default), refuse or route
    #[argh(option, arg_name = "word", default = "String::from(\"warn\")")]
    action: String,
    /// where route sends requests, as provider/model
    #[argh(option, arg_name = "target")]
    to: Option<String>,
    /// time zone of the days (default: the system's)
    #[argh(option, arg_name = "zone")]
    timezone: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// List limits and how far they are used.
#[argh(subcommand, name = "list", example = "clown budget list")]
struct ListArgs {
    /// only this profile
    #[argh(option, arg_name = "alias")]
    profile: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Remove a profile's limits.
#[argh(subcommand, name = "remove", example = "clown budget remove --profile work --daily")]
struct RemoveArgs {
    /// name of the profile
    #[argh(option, arg_name = "alias")]
    profile: String,
    /// only the limit of a day
    #[argh(switch)]
    daily: bool,
    /// only the limit of a month
    #[argh(switch)]
    monthly: bool,
}

impl Budget {
    pub fn run(self, output: Output) -> Result<i32> {
        match self.command {
            Command::Set(args) => {
                let set = args.ask()?;
                let states = Daemon::needed(output)?.call(&set)?;
                output.data(&states, || table(&states.budgets));
            }
            Command::List(args) => {
                let states = Daemon::needed(output)?.call(&List { profile: args.profile })?;
                output.data(&states, || if states.budgets.is_empty() { String::new() } else { table(&states.budgets) });
                if states.budgets.is_empty() {
                    output.say("No budgets. Set one: clown budget set --profile ALIAS --daily 20usd");
                }
            }
            Command::Remove(args) => {
                let every = match (args.daily, args.monthly) {
                    (true, false) => Some(Every::Day),
                    (false, true) => Some(Every::Month),
                    _ => None,
                };
                let done = Daemon::needed(output)?.call(&Remove { profile: args.profile, every })?;
                output.data(&done, String::new);
                output.say("Removed.");
            }
        }
        Ok(0)
    }
}

impl SetArgs {
    fn ask(self) -> Result<Set> {
        let action = match (self.action.as_str(), self.to) {
            ("warn", None) => Action::Warn,
            ("refuse", None) => Action::Refuse,
            ("route", Some(target)) => Action::Route { target },
            ("route", None) => return Err(Error::usage("--action route needs a target").hint("name a cheaper one: --to provider/model")),
            ("warn" | "refuse", Some(_)) => return Err(Error::usage("--to is for --action route only")),
            (other, _) => return Err(Error::usage(format!("--action cannot be {other:?}")).hint("use one of: warn, refuse, route")),
        };
        let timezone = self.timezone.unwrap_or_else(local_zone);
        let limit = |every| Limit {
            profile: self.profile.clone(),
            every,
            usd: None,
            tokens: None,
            action: action.clone(),
            timezone: timezone.clone(),
        };
        let mut budgets = Vec::new();
        let mut day = limit(Every::Day);
        if let Some(text) = &self.daily {
            put(&mut day, "--daily", text)?;
        }
        if let Some(text) = &self.tokens {
            if day.tokens.is_some() {
                return Err(Error::usage("--daily and --tokens both give tokens").hint("leave one of them out"));
            }
            day.tokens = Some(tokens("--tokens", text)?);
        }
        if day.usd.is_some() || day.tokens.is_some() {
            budgets.push(day);
        }
        if let Some(text) = &self.monthly {
            let mut month = limit(Every::Month);
            put(&mut month, "--monthly", text)?;
            budgets.push(month);
        }
        if budgets.is_empty() {
            return Err(Error::usage("a budget needs an amount").hint("give --daily 20usd, --monthly 300usd or --tokens 5m"));
        }
        Ok(Set { budgets })
    }
}

fn put(limit: &mut Limit, option: &str, text: &str) -> Result<()> {
    let lower = text.to_ascii_lowercase();
    match lower.strip_suffix("usd").or_else(|| lower.strip_prefix('$')) {
        Some(amount) => {
            let usd = amount.trim().parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd > 0.0);
            limit.usd = Some(usd.ok_or_else(|| bad(option, text))?);
        }
        None => limit.tokens = Some(tokens(option, text)?),
    }
    Ok(())
}

fn bad(option: &str, text: &str) -> Error {
    Error::usage(format!("{option} cannot be {text:?}")).hint("give money like 20usd, or tokens like 500k or 5m")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and small enough")]
fn tokens(option: &str, text: &str) -> Result<u64> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix("tokens").unwrap_or(&lower).trim();
    let (number, unit) = match lower.char_indices().next_back() {
        Some((at, 'k')) => (&lower[..at], 1e3),
        Some((at, 'm')) => (&lower[..at], 1e6),
        Some((at, 'b')) => (&lower[..at], 1e9),
        _ => (lower, 1.0),
    };
    let tokens = number.parse::<f64>().ok().map(|number| (number * unit).round());
    tokens.filter(|tokens| (1.0..1e15).contains(tokens)).map(|tokens| tokens as u64).ok_or_else(|| bad(option, text))
}

fn table(states: &[State]) -> String {
    let mut table = Table::new(&["profile", "budget", "used", "action", "new at", "state"]);
    for state in states {
        let action = match &state.budget.action {
            Action::Warn => "warn".to_owned(),
            Action::Refuse => "refuse".to_owned(),
            Action::Route { target } => format!("route to {target}"),
        };
        table.row([
            state.budget.profile.clone(),
            amount(&state.budget),
            format!("{:.0} %{}", state.percent, if state.partial { "+" } else { "" }),
            action,
            state.resets_at.clone(),
            if state.level == 100 { "used up".into() } else { String::new() },
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_money_or_tokens() {
        let of = |text: &str| {
            let mut limit =
                Limit { profile: "p".into(), every: Every::Day, usd: None, tokens: None, action: Action::Warn, timezone: String::new() };
            put(&mut limit, "--daily", text).ok().map(|()| (limit.usd, limit.tokens))
        };
        assert_eq!(of("20usd"), Some((Some(20.0), None)));
        assert_eq!(of("$1.5"), Some((Some(1.5), None)));
        assert_eq!([of("500k"), of("5M"), of("7")], [500_000, 5_000_000, 7].map(|n| Some((None, Some(n)))));
        for wrong in ["", "usd", "-5usd", "0usd", "NaNusd", "infusd", "k", "-1", "1e30", "five"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
