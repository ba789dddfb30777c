//! What is in order on this machine, and what is not. Looks only; `fix` mends what needs no question.

mod machine;
mod profiles;

use std::{path::PathBuf, time::SystemTime};

use crate::{
    app::App,
    base::{error::Result, upkeep},
    wire::{
        doctor::{Finding, Fix, Level, Mended, Report, Run},
        envelope::Caller,
    },
};

pub fn run(app: &App, _ask: Run, caller: &Caller) -> Result<Report> {
    let now = SystemTime::from(app.seams.clock.now());
    let mut findings = upkeep::machine(&app.paths, now);
    findings.extend(upkeep::troubles(&app.paths, &homes(app), true, now).iter().map(upkeep::Trouble::finding));
    findings.extend(machine::settings(app));
    findings.extend(machine::keys(app, caller));
    findings.extend(machine::ports(app));
    findings.extend(machine::registry(app, caller));
    findings.extend(machine::usage(app, caller));
    findings.extend(profiles::agents(app, caller));
    findings.extend(profiles::profiles(app));
    findings.extend(profiles::proxies(app, caller));
    Ok(Report { findings, variables: profiles::variables(app) })
}

pub fn fix(app: &App, _ask: Fix, _caller: &Caller) -> Result<Mended> {
    let now = SystemTime::from(app.seams.clock.now());
    Ok(upkeep::mend(&upkeep::troubles(&app.paths, &homes(app), true, now)))
}

fn homes(app: &App) -> Vec<PathBuf> {
    let (profiles, _) = app.profiles.list().unwrap_or_default();
    profiles.into_iter().map(|profile| PathBuf::from(profile.home)).collect()
}

fn ok(id: &str, what: impl Into<String>) -> Finding {
    Finding::new(id, Level::Ok, what)
}

fn note(id: &str, what: impl Into<String>) -> Finding {
    Finding::new(id, Level::Note, what)
}

fn warning(id: &str, what: impl Into<String>) -> Finding {
    Finding::new(id, Level::Warning, what)
}

fn error(id: &str, what: impl Into<String>) -> Finding {
    Finding::new(id, Level::Error, what)
}
