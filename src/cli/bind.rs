//! `clown bind`, `unbind`, `which` and `trust`: the profile of a directory.

use argh::{ArgsInfo, FromArgs};

use super::{
    connect::Daemon,
    output::{Output, printable},
    prompt,
    table::fields,
};
use crate::{
    base::error::{Error, Result},
    wire::{
        bindings::{Bind, Choice, Trust, TrustFile, Unbind, Which},
        runs::Begin,
    },
};

#[derive(FromArgs, ArgsInfo)]
/// Choose the profile of a directory and of those below it, by its .clown.toml.
#[argh(subcommand, name = "bind", example = "clown bind work\nclown bind work --dir ~/projects/shop")]
pub(super) struct BindArgs {
    /// name of the profile
    #[argh(positional)]
    alias: String,
    /// directory (default: this one)
    #[argh(option)]
    dir: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Take the profile out of a directory's .clown.toml.
#[argh(subcommand, name = "unbind", example = "clown unbind")]
pub(super) struct UnbindArgs {
    /// directory (default: this one)
    #[argh(option)]
    dir: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Tell which profile a directory chooses, and why.
#[argh(subcommand, name = "which", example = "clown which\nclown which --dir ~/projects/shop --json")]
pub(super) struct WhichArgs {
    /// directory (default: this one)
    #[argh(option)]
    dir: Option<String>,
}

#[derive(FromArgs, ArgsInfo)]
/// Show what a .clown.toml sets beyond the profile, and agree to it.
#[argh(subcommand, name = "trust", example = "clown trust\nclown trust --dir ~/projects/shop --yes")]
pub(super) struct TrustArgs {
    /// directory (default: this one)
    #[argh(option)]
    dir: Option<String>,
    /// agree without being asked
    #[argh(switch, short = 'y')]
    yes: bool,
}

impl BindArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let choice = Daemon::needed(output)?.call(&Bind { alias: self.alias, dir: absolute(self.dir)? })?;
        show(&choice, output);
        output.say("Bound. In this directory and below: clown run");
        Ok(0)
    }
}

impl UnbindArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let choice = Daemon::needed(output)?.call(&Unbind { dir: absolute(self.dir)? })?;
        show(&choice, output);
        output.say("Unbound.");
        Ok(0)
    }
}

impl WhichArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let choice = Daemon::needed(output)?.call(&Which { dir: absolute(self.dir)? })?;
        show(&choice, output);
        Ok(0)
    }
}

impl TrustArgs {
    pub fn run(self, output: Output) -> Result<i32> {
        let mut daemon = Daemon::needed(output)?;
        let dir = absolute(self.dir)?;
        let choice = daemon.call(&Which { dir })?;
        if choice.file.is_none() {
            return Err(nothing_chosen(&choice));
        }
        let choice = if choice.trust == Trust::Missing { agree(&mut daemon, output, choice, self.yes)? } else { choice };
        show(&choice, output);
        Ok(0)
    }
}

/// What to run where the directory chooses. Where its settings are not agreed to, asks.
pub(super) fn begin(daemon: &mut Daemon, output: Output, choice: Choice, args: Vec<String>) -> Result<Begin> {
    let choice = if choice.trust == Trust::Missing { agree(daemon, output, choice, false)? } else { choice };
    let Some(alias) = choice.profile.clone() else { return Err(nothing_chosen(&choice)) };
    if choice.agent.is_none() {
        let file = choice.file.as_deref().unwrap_or_default();
        return Err(Error::not_found(format!("{file} names the profile {alias}, and there is none of that name"))
            .hint("bind the directory to one you have: clown bind ALIAS"));
    }
    Ok(Begin { alias, args: choice.args.into_iter().chain(args).collect(), env: choice.env })
}

fn agree(daemon: &mut Daemon, output: Output, choice: Choice, yes: bool) -> Result<Choice> {
    let (file, hash) = (choice.file.clone().unwrap_or_default(), choice.hash.clone().unwrap_or_default());
    if !yes {
        if output.json || !prompt::possible() {
            return Err(Error::refused(format!("{file} sets more than the profile, and you have not agreed to it"))
                .hint(format!("after reading it: clown trust --dir {} --yes", choice.dir)));
        }
        prompt::tell(describe(&choice).trim_end());
        if !prompt::confirm(&format!("Agree to {}?", printable(&file)))? {
            return Err(Error::refused("you did not agree; nothing was run or changed"));
        }
    }
    daemon.call(&TrustFile { dir: Some(choice.dir), hash })
}

fn nothing_chosen(choice: &Choice) -> Error {
    Error::not_found(format!("no profile is named, and no .clown.toml chooses one for {}", choice.dir))
        .hint("name one: clown run ALIAS; or choose one for this directory: clown bind ALIAS")
}

fn show(choice: &Choice, output: Output) {
    output.data(choice, || describe(choice));
    if choice.profile.is_none() {
        output.say("No profile is chosen here. Choose one: clown bind ALIAS");
    } else if choice.agent.is_none() {
        output.warn("there is no profile of that name; see clown profiles list");
    }
    if choice.trust == Trust::Missing {
        output.warn(&format!("nothing runs by this file before you agree to it: clown trust --dir {}", choice.dir));
    }
}

fn describe(choice: &Choice) -> String {
    let why = match (&choice.file, choice.stopped.as_str()) {
        (Some(file), _) => format!("{file} says so"),
        (None, stopped) => format!("no .clown.toml here or above; {stopped}"),
    };
    let trust = match choice.trust {
        Trust::NotNeeded => "",
        Trust::Given => "agreed",
        Trust::Missing => "not agreed yet",
    };
    fields(&[
        ("directory", choice.dir.clone()),
        ("profile", choice.profile.clone().unwrap_or_else(|| "none".to_owned())),
        ("agent", choice.agent.clone().unwrap_or_default()),
        ("because", why),
        ("args", choice.args.join(" ")),
        ("env", choice.env.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("\n")),
        ("settings", trust.to_owned()),
    ])
}

/// The daemon has another working directory.
pub(super) fn absolute(dir: Option<String>) -> Result<Option<String>> {
    let whole = |dir: String| match std::path::absolute(&dir).ok().and_then(|p| p.to_str().map(str::to_owned)) {
        Some(dir) => Ok(dir),
        None => Err(Error::invalid(format!("{dir:?} is not a usable path")).hint("name a directory")),
    };
    dir.map(whole).transpose()
}
