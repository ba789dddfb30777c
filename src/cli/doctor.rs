//! `clown doctor`

use std::path::PathBuf;

use anstyle::AnsiColor;
use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

mod bundle;
mod here;
mod self_test;
mod variables;

pub use self_test::{CHILD_COMMAND, child};

use super::output::{Output, paint, printable};
use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
        upkeep,
    },
    ipc::client::{Client, Lost},
    wire::{
        doctor::{Finding, Fix, Level, Mended, Report, Run},
        error::{Code, exit},
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Look for what is wrong on this machine, and say what would mend it. Ends with 1 when something does not work.
#[argh(
    subcommand,
    name = "doctor",
    example = "clown doctor\nclown doctor --fix\nclown doctor --bundle report.txt\nclown doctor --self-test"
)]
pub(super) struct Doctor {
    /// mend what needs no question: access modes of clown's own files, files left by a crash
    #[argh(switch)]
    fix: bool,
    /// also write a report for others into this new file; keys, names of homes and users are left out
    #[argh(option, arg_name = "file")]
    bundle: Option<String>,
    /// try instead what clown promises, in a scratch home: kills a daemon of its own, counts a run; about 20 s
    #[argh(switch)]
    self_test: bool,
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    /// Whether a daemon took part.
    daemon: bool,
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a Mended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<&'a str>,
}

/// What was found, and by whom.
struct Seen {
    daemon: bool,
    findings: Vec<Finding>,
}

impl Doctor {
    pub fn run(self, output: Output) -> Result<i32> {
        let paths = Paths::from_env()?;
        if self.self_test {
            if self.fix || self.bundle.is_some() {
                return Err(Error::usage("--self-test is tried alone").hint("leave --fix and --bundle out, or run doctor twice"));
            }
            return self_test::run(&paths, output);
        }
        // Before anything is changed: a place that cannot be written is told first.
        let bundle = self.bundle.as_ref().map(|file| bundle::open(&PathBuf::from(file))).transpose()?;
        let mended = if self.fix { Some(fix(&paths)?) } else { None };
        let mut seen = look(&paths);
        // The worst first; within a level the order of looking.
        seen.findings.sort_by_key(|finding| finding.level);
        if let Some(bundle) = bundle {
            bundle.write(&paths, &seen)?;
        }
        let document = Document { daemon: seen.daemon, findings: &seen.findings, fix: mended.as_ref(), bundle: self.bundle.as_deref() };
        output.data(&document, || text(&seen.findings));
        say(&seen, mended.as_ref(), self.bundle.as_deref(), output);
        let broken = seen.findings.iter().any(|f| f.level == Level::Error) || mended.is_some_and(|m| !m.failed.is_empty());
        Ok(if broken { exit::FAILURE } else { exit::SUCCESS })
    }
}

fn look(paths: &Paths) -> Seen {
    let mut findings = here::program();
    findings.push(here::tree(paths));
    let (client, told) = here::daemon(paths);
    findings.extend(told);
    let report = client.map(|mut client| client.call(&Run {}).map_err(Lost::into_error));
    let daemon = matches!(report, Some(Ok(_)));
    let report = match report {
        Some(Ok(report)) => report,
        other => {
            if let Some(Err(error)) = other {
                findings.push(upkeep::failed("daemon", &error));
            }
            let now = std::time::SystemTime::now();
            let mut seen_here = upkeep::machine(paths, now);
            seen_here.extend(upkeep::troubles(paths, &[], false, now).iter().map(upkeep::Trouble::finding));
            seen_here.push(here::unseen());
            Report { findings: seen_here, variables: Vec::new() }
        }
    };
    findings.extend(report.findings);
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.into_string().ok());
    findings.extend(variables::compare(&report.variables, &set.collect()));
    Seen { daemon, findings }
}

/// By the daemon, which knows the homes of profiles; else here.
fn fix(paths: &Paths) -> Result<Mended> {
    match Client::connect(paths) {
        Ok(mut client) => client.call(&Fix {}).map_err(Lost::into_error),
        Err(error) if matches!(error.code(), Code::Unreachable | Code::Refused | Code::Conflict) => {
            Ok(upkeep::mend(&upkeep::troubles(paths, &[], false, std::time::SystemTime::now())))
        }
        Err(error) => Err(error),
    }
}

fn text(findings: &[Finding]) -> String {
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let width = findings.iter().map(|f| f.id.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let color = match finding.level {
            Level::Error => AnsiColor::Red,
            Level::Warning => AnsiColor::Yellow,
            Level::Note => AnsiColor::Cyan,
            Level::Ok => AnsiColor::Green,
        };
        let level = paint(&format!("{:<7}", finding.level), color, terminal);
        let indent = width + 10;
        let what = printable(&finding.what).replace('\n', " ");
        let fix = finding.fix.as_ref().filter(|_| finding.level != Level::Ok);
        let fix = fix.map(|fix| format!("{:indent$}fix: {}\n", "", printable(fix).replace('\n', " "))).unwrap_or_default();
        format!("{level}  {:<width$} {what}\n{fix}", finding.id)
    };
    findings.iter().map(line).collect()
}

fn say(seen: &Seen, mended: Option<&Mended>, bundle: Option<&str>, output: Output) {
    if let Some(mended) = mended {
        mended.mended.iter().for_each(|done| output.say(&format!("Mended: {}.", printable(done))));
        mended.failed.iter().for_each(|why| output.warn(&printable(why)));
        if mended.mended.is_empty() && mended.failed.is_empty() {
            output.say("There was nothing that --fix mends.");
        }
    }
    if let Some(file) = bundle {
        output.say(&format!("The report is in {}. Read it before you pass it on.", printable(file)));
    }
    let count = |level: Level| seen.findings.iter().filter(|f| f.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    if errors + warnings == 0 {
        output.say("Nothing is wrong.");
    } else if mended.is_none() && seen.findings.iter().any(|f| f.safe) {
        output.say("Some of it can be mended for you: clown doctor --fix");
    }
}
