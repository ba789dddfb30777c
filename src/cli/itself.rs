//! `clown self`: the program itself.

use std::{cmp::Ordering, path::Path};

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

mod fetch;
mod pages;
mod renew;
mod swap;

use self::swap::Place;
use super::{output::Output, service, table::fields};
use crate::base::{
    error::{Error, Result},
    fsx,
    installed::Manager,
    paths::Paths,
    release,
};

#[derive(FromArgs, ArgsInfo)]
/// Renew this program, or take that back.
#[argh(subcommand, name = "self", example = "clown self update --check")]
pub(super) struct Itself {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Update(UpdateArgs),
}

#[derive(FromArgs, ArgsInfo)]
/// Put the newest release in this program's place. It must be signed, and the former program is kept beside it.
#[argh(subcommand, name = "update", example = "clown self update --check\nclown self update\nclown self update --rollback")]
struct UpdateArgs {
    /// only tell whether there is a newer release
    #[argh(switch)]
    check: bool,
    /// put the kept program back; the one of now is kept in its place
    #[argh(switch)]
    rollback: bool,
}

/// The document of `--check`.
#[derive(Serialize)]
struct Found {
    version: &'static str,
    latest: String,
    published: String,
    newer: bool,
    program: String,
    /// Who has to renew it, when clown does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<&'static str>,
}

/// The document of an update.
#[derive(Serialize)]
struct Updated {
    /// Before.
    version: &'static str,
    latest: String,
    updated: bool,
    program: String,
    /// The former program.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
    /// What became of a daemon that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon: Option<renew::Daemon>,
}

const OURS: &str = env!("CARGO_PKG_VERSION");

impl Itself {
    pub fn run(self, output: Output) -> Result<i32> {
        let Command::Update(args) = self.command;
        if args.check && args.rollback {
            return Err(Error::usage("--check and --rollback are two things").hint("see clown self update --help"));
        }
        let place = Place::here()?;
        let manager = Manager::of(&place.program);
        if args.check {
            return check(&place, manager.as_ref(), output);
        }
        if let Some(manager) = manager {
            return Err(Error::refused(format!("{} was installed by {}", place.program.display(), manager.name()))
                .hint(format!("renew it with: {}", manager.update())));
        }
        let paths = Paths::from_env()?;
        let turn =
            fsx::begin_lock(&paths.update_lock())?.within(std::time::Duration::ZERO).map_err(Error::writing(&paths.update_lock()))?;
        if turn.is_none() {
            return Err(Error::conflict("another clown is renewing the program now").hint("wait until it ended"));
        }
        if args.rollback { rollback(&paths, &place, output) } else { update(&paths, &place, output) }
    }
}

fn check(place: &Place, manager: Option<&Manager>, output: Output) -> Result<i32> {
    let source = fetch::Source::known(output)?;
    let release = source.release()?;
    let newer = release::compare(&release, OURS)? == Ordering::Greater;
    let found = Found {
        version: OURS,
        newer,
        program: place.program.display().to_string(),
        managed_by: manager.map(Manager::name),
        latest: release.version,
        published: release.published,
    };
    output.data(&found, || {
        let pairs = [("this", OURS.to_owned()), ("newest", found.latest.clone()), ("published", found.published.clone())];
        fields(&[("program", found.program.clone()), pairs[0].clone(), pairs[1].clone(), pairs[2].clone()])
    });
    match manager {
        _ if !newer => output.say("This is the newest."),
        Some(manager) => output.say(&format!("It was installed by {}. Renew it with: {}", manager.name(), manager.update())),
        None => output.say("Renew it: clown self update"),
    }
    Ok(0)
}

fn update(paths: &Paths, place: &Place, output: Output) -> Result<i32> {
    let source = fetch::Source::known(output)?;
    let release = source.release()?;
    match release::compare(&release, OURS)? {
        Ordering::Greater => {}
        Ordering::Equal => return current(place, release.version, output),
        Ordering::Less => {
            return Err(Error::refused(format!("the release there is clown {}, older than this {OURS}", release.version))
                .hint("an update never goes back; to put the program of before the last update back: clown self update --rollback"));
        }
    }
    let program = release::program(&release).map_err(|error| error.or_hint("nothing was changed; ask whoever publishes clown"))?;
    place.may_change()?;
    output.say(&format!("Fetching clown {} ({:.1} MB).", release.version, program.length as f64 / 1e6));
    let bytes = release::unpack(program, &source.program(program)?)?;
    replace(paths, place, &bytes, Some(&release.version), output)
}

fn current(place: &Place, latest: String, output: Output) -> Result<i32> {
    let program = place.program.display().to_string();
    output.data(&Updated { version: OURS, latest, updated: false, program, kept: None, daemon: None }, String::new);
    output.say(&format!("clown {OURS} is the newest."));
    Ok(0)
}

fn rollback(paths: &Paths, place: &Place, output: Output) -> Result<i32> {
    let Some(bytes) = fsx::read_optional(&place.kept)? else {
        return Err(Error::not_found(format!("there is no former program: {} is missing", place.kept.display()))
            .hint("an update keeps one; to go further back install the release you want"));
    };
    replace(paths, place, &bytes, None, output)
}

/// `version`: what the new program must say that it is; any when it is taken back.
fn replace(paths: &Paths, place: &Place, bytes: &[u8], version: Option<&str>, output: Output) -> Result<i32> {
    let said = place.stage(bytes, version)?;
    // Asked while this process still has its own program.
    let service = service::running(paths);
    place.swap()?;
    let daemon = renew::daemon(paths, &place.program, service, output);
    if let Err(error) = pages::renew(&place.program) {
        output.warn(&format!("the manual pages or completions are those of before: {error}"));
    }
    let shown = |path: &Path| path.display().to_string();
    let updated = Updated {
        version: OURS,
        latest: said.clone(),
        updated: true,
        program: shown(&place.program),
        kept: Some(shown(&place.kept)),
        daemon: Some(daemon),
    };
    output.data(&updated, String::new);
    output.say(&format!("{} is clown {said} now; {OURS} is kept as {}.", updated.program, shown(&place.kept)));
    if version.is_some() {
        output.say("To take it back: clown self update --rollback");
    }
    Ok(0)
}
