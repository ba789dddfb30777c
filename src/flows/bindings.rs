//! Which profile a directory chooses.

use std::path::{Path, PathBuf};

use super::place;
use crate::{
    app::App,
    base::error::{Error, Result},
    bindings::{self, FILE, Found, Stop},
    wire::{
        bindings::{Bind, Choice, Trust, TrustFile, Unbind, Which},
        envelope::Caller,
    },
};

pub fn which(app: &App, ask: Which, caller: &Caller) -> Result<Choice> {
    choice(app, &directory(ask.dir.as_deref(), caller)?, caller)
}

pub fn bind(app: &App, ask: Bind, caller: &Caller) -> Result<Choice> {
    let profile = app.profiles.find(&ask.alias)?;
    let dir = directory(ask.dir.as_deref(), caller)?;
    // Another profile is no other text to agree to, for whoever agreed to the rest.
    let agreed = found(&dir, caller)?.0.filter(|found| found.path == dir.join(FILE) && trusted(app, found).unwrap_or(false));
    bindings::bind(&dir, &profile.alias)?;
    if let (Some(_), Some(now)) = (agreed, found(&dir, caller)?.0) {
        agree(app, &now)?;
    }
    choice(app, &dir, caller)
}

pub fn unbind(app: &App, ask: Unbind, caller: &Caller) -> Result<Choice> {
    let dir = directory(ask.dir.as_deref(), caller)?;
    if !bindings::unbind(&dir)? {
        let error = Error::not_found(format!("{} is not bound to a profile", dir.display()));
        return Err(match found(&dir, caller)?.0.as_ref().and_then(|found| found.path.parent().map(Path::to_owned)) {
            Some(above) => error.hint(format!("a directory above it is: clown unbind --dir {}", above.display())),
            None => error.hint("bind it: clown bind ALIAS"),
        });
    }
    choice(app, &dir, caller)
}

pub fn trust(app: &App, ask: TrustFile, caller: &Caller) -> Result<Choice> {
    let dir = directory(ask.dir.as_deref(), caller)?;
    let Some(found) = found(&dir, caller)?.0 else {
        return Err(Error::not_found(format!("no {FILE} holds for {}", dir.display())).hint("bind the directory: clown bind ALIAS"));
    };
    if hash(&found) != ask.hash {
        return Err(Error::conflict(format!("{} changed since it was shown", found.path.display())).hint("look at it again: clown trust"));
    }
    agree(app, &found)?;
    choice(app, &dir, caller)
}

fn choice(app: &App, dir: &Path, caller: &Caller) -> Result<Choice> {
    let (found, stop) = found(dir, caller)?;
    let stopped = match stop {
        Stop::Found => String::new(),
        Stop::Home(home) => format!("{} is your home", home.display()),
        Stop::Border(last) => format!("{} is the top of its file system", last.display()),
        Stop::Root => "/ is the top".to_owned(),
    };
    let mut choice = Choice { dir: dir.display().to_string(), stopped, ..Choice::default() };
    let Some(found) = found else { return Ok(choice) };
    choice.hash = Some(hash(&found));
    choice.trust = match (found.binding.says_more(), trusted(app, &found)?) {
        (false, _) => Trust::NotNeeded,
        (true, true) => Trust::Given,
        (true, false) => Trust::Missing,
    };
    choice.file = Some(found.path.display().to_string());
    if let Some(alias) = &found.binding.profile {
        choice.agent = app.profiles.find(alias.as_str()).ok().map(|profile| profile.agent.to_string());
        choice.profile = Some(alias.to_string());
    }
    // Shown also where they do not hold yet.
    choice.args = found.binding.args;
    choice.env = found.binding.env;
    Ok(choice)
}

fn found(dir: &Path, caller: &Caller) -> Result<(Option<Found>, Stop)> {
    bindings::find(dir, &place::user_home(caller)?)
}

fn directory(named: Option<&str>, caller: &Caller) -> Result<PathBuf> {
    let dir = Path::new(named.unwrap_or(&caller.cwd));
    if !dir.is_absolute() {
        return Err(Error::invalid(format!("{} is no absolute path", dir.display())).hint("give the whole path of a directory"));
    }
    match std::fs::canonicalize(dir) {
        Ok(dir) if dir.is_dir() => Ok(dir),
        Ok(_) => Err(Error::invalid(format!("{} is no directory", dir.display())).hint("name a directory with --dir")),
        Err(e) => Err(Error::reading(dir)(e).hint("name a directory with --dir")),
    }
}

/// What an agreement to this file is noted under.
fn name(found: &Found) -> String {
    format!("binding:{}", found.path.display())
}

fn hash(found: &Found) -> String {
    blake3::hash(found.text.as_bytes()).to_hex().to_string()
}

fn trusted(app: &App, found: &Found) -> Result<bool> {
    app.approvals.holds(&name(found), &hash(found))
}

fn agree(app: &App, found: &Found) -> Result<()> {
    app.approvals.add(&name(found), &found.text, app.now())
}
