//! Reading again, importing, and what could not be read.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use super::{follow, moved, moved::MOVES, record, scope, tell};
use crate::{
    app::App,
    base::error::{Error, Result},
    usage::source::Place,
    wire::{
        envelope::Caller,
        usage::{Doctor, DoctorReply, Import, Imported, Rescan, Scanned},
    },
};

const MOST_PROBLEMS: usize = 200;

pub fn rescan(app: &App, _ask: Rescan, _caller: &Caller) -> Result<Scanned> {
    let begun = Instant::now();
    let scope = scope(app)?;
    follow(app, &scope);
    let (_, read) = app.usage.rescan(scope)?;
    tell(app)?;
    record::aggregates(app)?;
    let mut problems = read.problems;
    problems.truncate(MOST_PROBLEMS);
    Ok(Scanned {
        files: read.files,
        bytes_read: read.bytes,
        requests: app.usage.count(),
        milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        problems,
    })
}

pub fn import(app: &App, ask: Import, _caller: &Caller) -> Result<Imported> {
    let dir = PathBuf::from(&ask.dir);
    if !dir.is_absolute() || !dir.is_dir() {
        return Err(Error::invalid(format!("{:?} is no directory", ask.dir)).hint("name the agent's directory, like ~/.claude or ~/.codex"));
    }
    let snapshot = app.manifests.snapshot();
    let word = match snapshot.agent(&ask.agent) {
        Ok(found) => found.item.usage.clone().unwrap_or_else(|| ask.agent.clone()),
        // Logs of an agent that clown cannot run may still be read.
        Err(error) if !MOVES.iter().any(|(word, _)| *word == ask.agent) => return Err(error),
        Err(_) => ask.agent.clone(),
    };
    if let Some(alias) = &ask.profile {
        app.profiles.find(alias)?;
    }
    let variable = MOVES.iter().find(|(known, _)| *known == word).map(|(_, variable)| *variable);
    let env = variable.map(|variable| (variable.to_owned(), ask.dir.clone())).into_iter().collect();
    let (requests, read) = app.usage.import(scope(app)?, &word, &Place { home: dir, profile: ask.profile, env, only: None })?;
    tell(app)?;
    Ok(Imported { files: read.files, requests, problems: read.problems })
}

pub fn doctor(app: &App, _ask: Doctor, caller: &Caller) -> Result<DoctorReply> {
    let known = super::known(app)?;
    let scope = scope(app)?;
    let source = app.usage.source();
    let (index, size) = source.file();
    let mut collectors = source.census(&scope.places);
    // Places of agents that are not used are many.
    collectors.retain(|place| place.files > 0 || std::path::Path::new(&place.root).exists());
    collectors.extend(app.usage.census_of_sides());
    let mut rewritten = BTreeMap::new();
    let prices = app.usage.prices();
    app.usage.rows(|rows| {
        rows.each(&mut |row| {
            let record = &row.record;
            if rewritten.contains_key(record.model.as_ref()) {
                return;
            }
            let found = prices.find(record.provider.as_deref(), &record.model);
            let key = found.map(|found| found.matched.key.clone());
            rewritten.insert(record.model.to_string(), key.filter(|key| *key != *record.model));
        });
    });
    let mut problems = source.troubles();
    problems.extend(moved::wrong(app));
    problems.truncate(MOST_PROBLEMS);
    Ok(DoctorReply {
        index: index.display().to_string(),
        size,
        requests: app.usage.count(),
        collectors,
        problems,
        unpriced: known.ledger.unpriced(),
        rewritten: rewritten.into_iter().filter_map(|(model, key)| Some((model, key?))).collect(),
        prices: prices.hash().to_string(),
        prices_problem: prices.problem().map(str::to_owned).or_else(|| app.prices_problem()),
        watching: app.usage.is_watched(),
        elsewhere: moved::elsewhere(app, &scope.places, caller),
    })
}
