//! Options that all questions share, and what is said when there is no answer.

use super::super::output::Output;
use crate::{
    base::error::{Error, Result, closest},
    wire::usage::{Group, Period, Report, Select},
};

/// What limits the requests that are shown. The grammar library cannot share fields, so [`limited`] writes them into each command.
#[derive(Default, PartialEq)]
pub(super) struct Limits {
    pub(super) period: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
    pub(super) timezone: Option<String>,
    /// Profiles, agents, providers, models, projects.
    pub(super) lists: [Vec<String>; 5],
}

/// A command with [`Limits`], and fields of its own before and behind them.
macro_rules! limited {
    (
        $(#[$about:meta])*
        $name:ident
        { $($before:tt)* }
        $(#[$period:meta])* period
        { $($behind:tt)* }
    ) => {
        #[derive(argh::FromArgs, argh::ArgsInfo)]
        $(#[$about])*
        pub(in crate::cli) struct $name {
            $($before)*
            $(#[$period])*
            #[argh(option, arg_name = "word")]
            period: Option<String>,
            /// from this day on, like 2026-11-22
            #[argh(option, arg_name = "day")]
            since: Option<String>,
            /// up to this day
            #[argh(option, arg_name = "day")]
            until: Option<String>,
            /// time zone of the days (default: the system's)
            #[argh(option, arg_name = "zone")]
            timezone: Option<String>,
            /// only this profile; - is outside of profiles
            #[argh(option, arg_name = "alias")]
            profile: Vec<String>,
            /// only this agent
            #[argh(option, arg_name = "id")]
            agent: Vec<String>,
            /// only what this provider served
            #[argh(option, arg_name = "id")]
            provider: Vec<String>,
            /// only this model, like 'claude-*'
            #[argh(option, arg_name = "model")]
            model: Vec<String>,
            /// only this directory, or its last part
            #[argh(option, arg_name = "dir")]
            project: Vec<String>,
            $($behind)*
        }

        impl $name {
            fn limits(&mut self) -> $crate::cli::usage::args::Limits {
                use std::mem::take;
                $crate::cli::usage::args::Limits {
                    period: take(&mut self.period),
                    since: take(&mut self.since),
                    until: take(&mut self.until),
                    timezone: take(&mut self.timezone),
                    lists: [&mut self.profile, &mut self.agent, &mut self.provider, &mut self.model, &mut self.project].map(take),
                }
            }
        }
    };
}
pub(super) use limited;

macro_rules! report {
    ($(#[$about:meta])* $name:ident, $group:ident) => {
        limited! {
            $(#[$about])*
            $name
            {}
            /// today, yesterday, week, month, 7d, 30d or all (default)
            period
            {
                /// each line by model, too
                #[argh(switch)]
                breakdown: bool,
                /// only that many lines: the latest, or the largest
                #[argh(option, arg_name = "n")]
                limit: Option<usize>,
            }
        }

        impl $name {
            pub(super) fn ask(mut self) -> Result<Report> {
                let select = self.limits().select(None)?;
                Ok(Report { group: Group::$group, select, breakdown: self.breakdown, skip: 0, last: self.limit })
            }
        }
    };
}

report! {
    /// Show usage by day.
    #[argh(subcommand, name = "daily", example = "clown usage daily --period 7d --breakdown")]
    Daily, Daily
}
report! {
    /// Show usage by week, from Monday.
    #[argh(subcommand, name = "weekly", example = "clown usage weekly --since 2026-10-01")]
    Weekly, Weekly
}
report! {
    /// Show usage by month.
    #[argh(subcommand, name = "monthly", example = "clown usage monthly --agent claude")]
    Monthly, Monthly
}
report! {
    /// Show usage by session of an agent, the latest at the end.
    #[argh(subcommand, name = "sessions", example = "clown usage sessions --period today")]
    Sessions, Sessions
}
report! {
    /// Show usage by model.
    #[argh(subcommand, name = "models", example = "clown usage models --period month")]
    Models, Models
}
report! {
    /// Show usage by profile; - is outside of profiles.
    #[argh(subcommand, name = "profiles", example = "clown usage profiles --period month")]
    Profiles, Profiles
}
report! {
    /// Show usage by agent.
    #[argh(subcommand, name = "agents", example = "clown usage agents --period 30d")]
    Agents, Agents
}
report! {
    /// Show usage by directory worked in.
    #[argh(subcommand, name = "projects", example = "clown usage projects --limit 10")]
    Projects, Projects
}
report! {
    /// Show windows of five hours, and how fast the open one fills.
    ///
    /// The windows are estimated from the requests. Where the vendor told its own, as to Codex, they are shown too.
    #[argh(subcommand, name = "blocks", example = "clown usage blocks --period today")]
    Blocks, Blocks
}

impl Limits {
    /// `default`: the period where neither one nor a day is given.
    pub(super) fn select(self, default: Option<&str>) -> Result<Select> {
        let Self { period, since, until, timezone, lists } = self;
        let default = default.filter(|_| since.is_none() && until.is_none());
        let period = period.as_deref().or(default).map(period_of).transpose()?;
        let [profiles, agents, providers, models, projects] = lists;
        let timezone = timezone.filter(|zone| zone != "local").unwrap_or_else(local_zone);
        Ok(Select { period, since, until, timezone, profiles, agents, providers, models, projects })
    }
}

fn period_of(word: &str) -> Result<Period> {
    let known = Period::WORDS.iter().find(|(name, _)| *name == word);
    known.map(|(_, period)| *period).ok_or_else(|| {
        let words: Vec<&str> = Period::WORDS.iter().map(|(name, _)| *name).collect();
        let error = Error::usage(format!("--period cannot be {word:?}"));
        match closest(word, words.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}")),
            None => error.hint(format!("use one of: {}", words.join(", "))),
        }
    })
}

/// The zone of whoever asks; the daemon's own does not count.
pub(in crate::cli) fn local_zone() -> String {
    let zone = jiff::tz::TimeZone::system();
    if let Some(name) = zone.iana_name() {
        return name.to_owned();
    }
    let rule = std::env::var("TZ").unwrap_or_default();
    let rule = rule.trim_start_matches(':');
    if jiff::tz::TimeZone::posix(rule).is_ok() {
        return rule.to_owned();
    }
    let Ok(now) = jiff::Timestamp::try_from(std::time::SystemTime::now()) else { return String::new() };
    let seconds = zone.to_offset(now).seconds();
    if seconds == 0 {
        return String::new();
    }
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Whether anything but a time zone limits what is shown.
pub(super) fn filters(select: &Select) -> bool {
    *select != Select { timezone: select.timezone.clone(), period: select.period.filter(|p| *p == Period::All), ..Select::default() }
}

/// What to do when there is nothing to show.
pub(super) fn nothing(output: Output, known: bool, filtered: bool) {
    output.say(match (known, filtered) {
        (true, true) => "No usage fits that. All there is: clown usage --period all",
        (true, false) => "No usage. Look for new logs: clown usage rescan",
        (false, _) => "No usage yet. Run an agent: clown run ALIAS. Where clown looks: clown usage doctor",
    });
}

/// A sum without some of its parts must not pass for the whole.
pub(super) fn unpriced(output: Output, models: &[String]) {
    if !models.is_empty() {
        let some = models.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = if models.len() > 5 { format!(" and {} more", models.len() - 5) } else { String::new() };
        output.warn(&format!("no price is known for {some}{more}; costs with + are without them. Set one: [usage.prices] in config.toml"));
    }
}
