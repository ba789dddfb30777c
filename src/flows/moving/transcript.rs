//! Transcripts from one profile to another of the same agent.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::homes::bring;
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        fsx,
    },
    flows::place::live_sessions,
    moving::{
        database,
        select::{self, Picked},
    },
    profiles::inside,
    wire::{
        envelope::Caller,
        manifest::HomeFiles,
        moving::{MoveSession, MovedSession},
        profiles::Profile,
    },
};

const ID: &str = "{id}";
const SHORTEST: usize = 4;
/// What an agent still writes after its end was seen.
const LATE: Duration = Duration::from_secs(10);

/// A transcript that was found.
struct Found<'a> {
    profile: &'a Profile,
    id: String,
}

pub fn move_session(app: &App, ask: MoveSession, _caller: &Caller) -> Result<MovedSession> {
    let to = app.profiles.find(&ask.to)?;
    let spec = app.manifests.snapshot().agent(to.agent.as_str())?.item.files.clone();
    if spec.transcript.is_empty() {
        return Err(Error::unsupported(format!("sessions of {} cannot be taken one by one", to.agent))
            .hint(format!("take all of them: clown profiles clone {} NAME --with-history", to.alias)));
    }
    if ask.id.len() < SHORTEST {
        return Err(Error::invalid(format!("a session id needs at least {SHORTEST} characters")));
    }
    let (profiles, _) = app.profiles.list()?;
    let from = ask.from.as_deref().map(|alias| app.profiles.find(alias)).transpose()?;
    if let Some(from) = from.as_ref().filter(|f| f.agent != to.agent) {
        return Err(Error::invalid(format!("profile {} is one of {}, and {} one of {}", from.alias, from.agent, to.alias, to.agent))
            .hint("a session stays with its agent"));
    }
    let others: Vec<&Profile> = profiles
        .iter()
        .filter(|p| p.agent == to.agent && p.alias != to.alias && from.as_ref().is_none_or(|f| f.alias == p.alias))
        .collect();
    let found = one(app, &ask.id, &others, &to, &spec)?;
    if live_sessions(app, found.profile.alias.as_str())? > 0 {
        return Err(Error::conflict(format!("profile {} is running, and may be writing this session", found.profile.alias))
            .hint("end it first, then move the session"));
    }
    let files = move_files(found.profile, &to, &spec, &found.id, ask.copy)?;
    app.usage.changed();
    Ok(MovedSession {
        id: found.id,
        agent: to.agent.to_string(),
        from: found.profile.alias.to_string(),
        to: to.alias.to_string(),
        files,
        copied: ask.copy,
    })
}

/// The one transcript that is meant.
fn one<'a>(app: &App, id: &str, others: &[&'a Profile], to: &Profile, spec: &HomeFiles) -> Result<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for &profile in others {
        found.extend(transcripts(profile, spec)?.into_iter().filter(|(t, _)| t.starts_with(id)).map(|(id, _)| Found { profile, id }));
    }
    if found.is_empty() {
        found = of_run(app, id, others, spec)?;
    }
    let missing = || {
        let there = transcripts(to, spec).is_ok_and(|all| all.iter().any(|(t, _)| t.starts_with(id)));
        let error = Error::not_found(format!("no profile of {} has a session {id:?}", to.agent));
        if there {
            error.hint(format!("profile {} has it already", to.alias))
        } else {
            error.hint("it is the agent's own id of the session")
        }
    };
    let first = found.first().map(|f| f.id.clone()).ok_or_else(missing)?;
    if found.iter().any(|f| f.id != first) {
        let ids: Vec<String> = found.iter().map(|f| f.id.clone()).collect();
        return Err(Error::invalid(format!("{id:?} may be any of: {}", super::some_of(&ids))).hint("give more of the id"));
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|f| f.profile.alias.as_str()).collect();
        return Err(Error::conflict(format!("session {first} is in more than one profile: {}", names.join(", ")))
            .hint("say which one: --from ALIAS"));
    }
    found.pop().ok_or_else(missing)
}

/// What was written while one of clown's own sessions lasted.
fn of_run<'a>(app: &App, id: &str, others: &[&'a Profile], spec: &HomeFiles) -> Result<Vec<Found<'a>>> {
    let Ok(session) = app.sessions.get(id) else { return Ok(Vec::new()) };
    let Some(&profile) = others.iter().find(|p| p.alias.as_str() == session.profile) else { return Ok(Vec::new()) };
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok().map(SystemTime::from);
    let Some(began) = time(&session.started) else { return Ok(Vec::new()) };
    let ended = session.ended.as_deref().and_then(time).map(|t| t + LATE);
    let during = |(_, place): &(String, PathBuf)| {
        let written = fs::metadata(place).and_then(|m| m.modified()).ok();
        written.is_some_and(|t| t >= began && ended.is_none_or(|end| t <= end))
    };
    Ok(transcripts(profile, spec)?.into_iter().filter(during).map(|(id, _)| Found { profile, id }).collect())
}

/// Ids and files of all transcripts in a home.
fn transcripts(profile: &Profile, spec: &HomeFiles) -> Result<Vec<(String, PathBuf)>> {
    let Some(pattern) = spec.transcript.first() else { return Ok(Vec::new()) };
    let files = select::files(Path::new(&profile.home), &[pattern.replace(ID, "*")], &mut Vec::new())?;
    Ok(files.into_iter().filter_map(|file| Some((id_of(file.path.rsplit('/').next()?)?, file.place))).collect())
}

/// Ids are UUIDs, at the end of a file's name before its first dot.
fn id_of(name: &str) -> Option<String> {
    let stem = name.split('.').next()?;
    let id = stem.get(stem.len().checked_sub(36)?..)?;
    uuid::Uuid::try_parse(id).ok().map(|_| id.to_owned())
}

/// The transcript goes last: what is cut off can be done again.
fn move_files(from: &Profile, to: &Profile, spec: &HomeFiles, id: &str, copy: bool) -> Result<Vec<String>> {
    let (source, target) = (Path::new(&from.home), Path::new(&to.home));
    let mut files: Vec<Picked> = Vec::new();
    for pattern in spec.transcript.iter().rev() {
        for file in select::files(source, &[pattern.replace(ID, id)], &mut Vec::new())? {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    for file in &files {
        inside(target, &file.path)?;
        let there = join(target, &file.path);
        if fs::symlink_metadata(&there).is_ok() && fs::read(&there).ok() != fs::read(&file.place).ok() {
            return Err(Error::exists(format!("profile {} has session {id} already, in another form: {}", to.alias, there.display()))
                .hint("move that file away, or leave the session where it is"));
        }
    }
    for file in &files {
        let there = join(target, &file.path);
        if copy {
            copy_file(&file.place, &there)?;
        } else {
            bring(&file.place, &there, file.executable)?;
        }
    }
    Ok(files.into_iter().map(|file| file.path).collect())
}

fn join(dir: &Path, path: &str) -> PathBuf {
    path.split('/').fold(dir.to_owned(), |dir, part| dir.join(part))
}

/// Whole or not at all.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let dir = to.parent().ok_or_else(|| Error::invalid(format!("{} has no directory", to.display())))?;
    fsx::create_private_dir(dir)?;
    let mut temp = tempfile::Builder::new().prefix(fsx::TEMP_START).suffix(fsx::TEMP_END).tempfile_in(dir).map_err(Error::writing(to))?;
    let mut source = fs::File::open(from).map_err(Error::reading(from))?;
    std::io::copy(&mut source, &mut temp).and_then(|_| temp.as_file().sync_all()).map_err(Error::writing(to))?;
    temp.persist(to).map_err(|e| Error::writing(to)(e.error))?;
    fsx::sync_dir(dir).map_err(Error::writing(dir))
}

/// All transcripts of a profile into another one's home, which has none. How many files.
pub fn copy_history(app: &App, from: &Profile, to: &Profile) -> Result<usize> {
    let spec = app.manifests.snapshot().agent(from.agent.as_str())?.item.files.clone();
    let (source, target) = (Path::new(&from.home), Path::new(&to.home));
    let files = select::files(source, &spec.history, &mut Vec::new())?;
    for file in &files {
        inside(target, &file.path)?;
        copy_file(&file.place, &join(target, &file.path))?;
    }
    let databases = select::files(source, &spec.databases, &mut Vec::new())?;
    for file in &databases {
        inside(target, &file.path)?;
        let there = join(target, &file.path);
        if let Some(dir) = there.parent() {
            fsx::create_private_dir(dir)?;
        }
        if fs::symlink_metadata(&there).is_err() {
            database::snapshot(&file.place, &there)?;
        }
    }
    Ok(files.len() + databases.len())
}
