//! Reading again, importing, comparing, and what could not be read.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    time::Instant,
};

use super::{follow, record, scope, tell};
use crate::{
    app::App,
    base::error::{Error, Result},
    usage::{
        query::{self, Span, figures},
        record::Totals,
        source::Place,
    },
    wire::{
        envelope::Caller,
        usage::{Bill, Collector, Doctor, DoctorReply, Figures, Import, Imported, Reconcile, Reconciled, Rescan, Scanned},
    },
};

/// Bills in one reply.
const MOST_BILLS: usize = 500;
const MOST_PROBLEMS: usize = 200;

pub fn rescan(app: &App, _ask: Rescan, _caller: &Caller) -> Result<Scanned> {
    let begun = Instant::now();
    let scope = scope(app)?;
    follow(app, &scope);
    let (_, read) = app.usage.rescan(&scope)?;
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

/// The variable that moves an agent's logs, by the word of its collector.
const MOVES: &[(&str, &str)] = &[
    ("claude", "CLAUDE_CONFIG_DIR"),
    ("codex", "CODEX_HOME"),
    ("opencode", "OPENCODE_DATA_DIR"),
    ("gemini", "GEMINI_DATA_DIR"),
    ("qwen", "QWEN_DATA_DIR"),
    ("droid", "DROID_SESSIONS_DIR"),
    ("kimi", "KIMI_CODE_HOME"),
    ("pi", "PI_AGENT_DIR"),
    ("grok", "GROK_HOME"),
    ("amp", "AMP_DATA_DIR"),
];

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
    let (requests, read) = app.usage.import(&scope(app)?, &word, &Place { home: dir, profile: ask.profile, env })?;
    tell(app)?;
    Ok(Imported { files: read.files, requests, problems: read.problems })
}

/// A session may be copied into several homes; a bill counts for the session wherever it is.
pub fn reconcile(app: &App, ask: Reconcile, _caller: &Caller) -> Result<Reconciled> {
    let known = super::known(app)?;
    let span = Span::of(&ask.select, app.seams.clock.now())?;
    let scope = scope(app)?;
    let provider = |alias: &str| scope.providers.get(alias).map(String::as_str);
    let theirs = app.usage.source().bills();
    let billed: BTreeSet<(&str, &str)> = theirs.iter().map(|bill| (bill.agent.as_str(), bill.session.as_str())).collect();
    let mut ours: HashMap<(String, String, String), Totals> = HashMap::new();
    let prices = app.usage.prices();
    let mut whose: HashMap<(String, String), Option<String>> = HashMap::new();
    app.usage.rows(|rows| {
        rows.each(&mut |row| {
            let record = &row.record;
            // A sub-agent's requests stand on its parent's bill.
            let session = record.parent_session.as_deref().filter(|parent| billed.contains(&(row.agent, *parent)));
            let session = session.unwrap_or(&record.session);
            if !billed.contains(&(row.agent, session)) || !query::chosen(&ask.select, &span, &row, row.profile.and_then(provider)) {
                return;
            }
            let key = (row.agent.to_owned(), session.to_owned());
            whose.entry(key.clone()).or_insert_with(|| row.profile.map(str::to_owned));
            let cost = prices.total(record);
            ours.entry((key.0, key.1, record.model.to_string())).or_default().add(&record.bill, cost, record.sub_request);
        });
    });
    let mut bills = Vec::new();
    for bill in &theirs {
        let Some(profile) = whose.get(&(bill.agent.clone(), bill.session.clone())) else { continue };
        let mine = ours.remove(&(bill.agent.clone(), bill.session.clone(), bill.model.clone())).unwrap_or_default();
        bills.push(compared(bill, profile.clone(), &mine));
    }
    let differs = |bill: &Bill| bill.difference_tokens != 0 || bill.difference_usd.is_some_and(|usd| usd.abs() > 1e-9);
    let (compared, equal) = (bills.len(), bills.iter().filter(|bill| !differs(bill)).count());
    bills.sort_by_key(|bill| std::cmp::Reverse((differs(bill), bill.difference_tokens.unsigned_abs())));
    bills.truncate(MOST_BILLS);
    Ok(Reconciled { slice: span.slice(), bills, compared, equal, known: !known.ledger.is_empty() })
}

fn compared(bill: &crate::usage::source::Billed, profile: Option<String>, mine: &Totals) -> Bill {
    let ours = figures(mine);
    let mut told = Totals { tokens: bill.tokens, ..Totals::default() };
    told.requests = mine.requests;
    let theirs = Figures { cost_usd: (!bill.partial).then_some(bill.cost_usd), partial: bill.partial, ..figures(&told) };
    let tokens = |figures: &Figures| i64::try_from(figures.total_tokens).unwrap_or(i64::MAX);
    Bill {
        agent: bill.agent.clone(),
        profile,
        session: bill.session.clone(),
        model: bill.model.clone(),
        difference_tokens: tokens(&ours) - tokens(&theirs),
        difference_usd: ours.cost_usd.zip(theirs.cost_usd).map(|(ours, theirs)| ours - theirs),
        ours,
        theirs,
    }
}

pub fn doctor(app: &App, _ask: Doctor, _caller: &Caller) -> Result<DoctorReply> {
    let known = super::known(app)?;
    let scope = scope(app)?;
    let source = app.usage.source();
    let (index, size) = source.file();
    let roots = source.roots(&scope.places).into_iter();
    let mut collectors: Vec<Collector> =
        roots.map(|(agent, place, root)| Collector { agent, profile: place.profile, root: root.display().to_string() }).collect();
    // Places of agents that are not used are many.
    collectors.retain(|place| std::path::Path::new(&place.root).exists());
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
    })
}
