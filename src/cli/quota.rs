//! `clown quota`

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, printable},
    table::Table,
};
use crate::{
    base::{
        error::{Error, Result},
        secret::reference,
    },
    wire::{
        providers::{Left, Outcome, Quota, QuotaRow, Quotas},
        runs::KeySource,
        secret::KeyText,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Show what providers say is left: money, credits, or windows of a plan. Each is asked with the key of its profile.
#[argh(subcommand, name = "quota", usage = "[<alias>]", example = "clown quota\nclown quota work --json")]
pub(super) struct QuotaArgs {
    /// only this profile; its key may then be read by its command
    #[argh(positional)]
    alias: Option<String>,
}

impl QuotaArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        let named = self.alias.is_some();
        let mut quotas = daemon.call(&Quota { alias: self.alias, ..Default::default() })?;
        for row in &mut quotas.profiles {
            // A command may ask the user something, so only for a profile that was named.
            let Some(source) = row.needs.take().filter(|source| named || matches!(source, KeySource::Env { .. })) else { continue };
            match reference::fetch(&source, |name| std::env::var_os(name)) {
                Ok(key) => {
                    let keys = [(row.alias.clone(), KeyText::new(key.expose().to_owned()))].into();
                    let mut again = daemon.call(&Quota { alias: Some(row.alias.clone()), keys })?;
                    if let Some(told) = again.profiles.pop() {
                        *row = told;
                    }
                }
                Err(error) if named => return Err(error),
                Err(error) => row.message = Some(error.to_string()),
            }
        }
        output.data(&quotas, || text(&quotas));
        if quotas.profiles.is_empty() {
            output.say("There are no profiles. Make one: clown init");
        }
        let failed = named && quotas.profiles.iter().any(|row| !matches!(row.outcome, Outcome::Ok | Outcome::Unknown));
        if failed && !output.json {
            let row = quotas.profiles.first();
            let why = row.and_then(|row| row.message.clone()).unwrap_or_default();
            let id = row.map(|row| row.provider.clone()).unwrap_or_default();
            let alias = row.map(|row| row.alias.clone()).unwrap_or_default();
            return Err(Error::io(why).hint(format!("see what is wrong: clown providers probe {id} --profile {alias}")));
        }
        Ok(i32::from(failed))
    }
}

fn text(quotas: &Quotas) -> String {
    if quotas.profiles.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["profile", "provider", "what", "left", "of", "resets", "note"]);
    for row in &quotas.profiles {
        let head = [row.alias.clone(), row.provider.clone()];
        if row.figures.is_empty() {
            table.row([head[0].clone(), head[1].clone(), String::new(), "unknown".into(), String::new(), String::new(), note(row)]);
        }
        for figure in &row.figures {
            let [alias, provider] = head.clone();
            table.row([alias, provider, printable(&figure.name), left(figure), amount(figure.limit, figure), resets(figure), note(row)]);
        }
    }
    table.render()
}

fn note(row: &QuotaRow) -> String {
    printable(row.message.as_deref().unwrap_or_default())
}

fn left(figure: &Left) -> String {
    match (figure.left, figure.used) {
        (Some(_), _) => amount(figure.left, figure),
        (None, Some(_)) => format!("no limit; {} used", amount(figure.used, figure)),
        (None, None) => String::new(),
    }
}

fn amount(number: Option<f64>, figure: &Left) -> String {
    let Some(number) = number else { return String::new() };
    match figure.unit.as_deref() {
        Some("%") => format!("{number} %"),
        Some(unit) if unit.len() == 3 && unit.bytes().all(|b| b.is_ascii_uppercase()) => format!("{number:.2} {unit}"),
        Some(unit) => format!("{number} {}", printable(unit)),
        None => number.to_string(),
    }
}

fn resets(figure: &Left) -> String {
    let Some(at) = figure.resets.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok()) else { return String::new() };
    let Ok(now) = jiff::Timestamp::try_from(std::time::SystemTime::now()) else { return String::new() };
    match at.as_second() - now.as_second() {
        ..=0 => "now".into(),
        seconds @ 1..3600 => format!("in {} min", seconds.div_euclid(60) + 1),
        seconds @ 3600..172_800 => format!("in {} h", seconds / 3600),
        seconds => format!("in {} d", seconds / 86_400),
    }
}
