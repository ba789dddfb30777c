//! What a run used, put into its record; and the sums by day, kept for other programs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{compare::Bills, known};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        fsx,
    },
    usage::{
        query::{chosen_rows, figures},
        record::Totals,
    },
    wire::{
        sessions::{ModelUse, Session, Use},
        usage::Figures,
    },
};

pub(crate) const AGGREGATES_VERSION: u32 = 1;

/// After the end of a run: its record gets what it used. Nobody waits for that.
pub(crate) fn close(app: &App, id: &str) {
    let Some(app) = app.me.get().and_then(std::sync::Weak::upgrade) else { return };
    let (id, host) = (id.to_owned(), std::sync::Arc::clone(&app.host));
    host.later(Box::new(move || {
        app.usage.changed();
        let done = super::tell(&app).and_then(|_| fill(&app, &id)).and_then(|()| aggregates(&app));
        if let Err(error) = done {
            tracing::warn!(%error, session = %id, "what the session used is not in its record");
        }
    }));
}

fn fill(app: &App, id: &str) -> Result<()> {
    let session = app.sessions.get(id)?;
    let used = used(app, &session)?;
    app.sessions.amend(id, |session| session.usage = Some(used))?;
    Ok(())
}

/// Requests of the profile while the run lasted. A request while two runs of one profile lasted belongs to the one that began later.
fn used(app: &App, session: &Session) -> Result<Use> {
    let time = |text: &str| text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).ok();
    let from = time(&session.started).unwrap_or(i64::MAX);
    let to = session.ended.as_deref().and_then(time).unwrap_or(i64::MAX);
    let others =
        app.sessions.list(&crate::wire::sessions::List { profile: Some(session.profile.clone()), limit: 500, ..Default::default() })?;
    let later: Vec<(i64, i64)> = others
        .sessions
        .iter()
        .filter(|other| other.id > session.id)
        .filter_map(|other| Some((time(&other.started)?, other.ended.as_deref().and_then(time).unwrap_or(i64::MAX))))
        .collect();
    let mut models: BTreeMap<String, Totals> = BTreeMap::new();
    let mut all = Totals::default();
    let mut source = "log";
    let bills = Bills::of(app);
    let mut billed = BTreeSet::new();
    let prices = app.usage.prices();
    app.usage.rows(|rows| {
        chosen_rows(rows, &session.profile, &mut |row| {
            let ts = row.record.bill.ts_ms;
            let mine = (from..=to).contains(&ts) && !later.iter().any(|(from, to)| (*from..=*to).contains(&ts));
            if mine {
                let cost = prices.total(&row.record);
                all.add(&row.record.bill, cost, row.record.sub_request);
                models.entry(row.record.model.to_string()).or_default().add(&row.record.bill, cost, row.record.sub_request);
                billed.extend(bills.session(row));
                if row.record.key.starts_with("proxy:") {
                    source = "log+proxy";
                }
            }
        });
    });
    Ok(Use {
        figures: figures(&all),
        models: models.into_iter().map(|(model, totals)| ModelUse { model, figures: figures(&totals) }).collect(),
        prices: prices.hash().to_string(),
        source: source.to_owned(),
        runtime_ms: session.ended.as_deref().and_then(time).map(|end| u64::try_from(end - from).unwrap_or(0)),
        difference_usd: bills.difference(app, &billed),
    })
}

#[derive(Serialize)]
struct Aggregates {
    version: u32,
    written: String,
    prices: String,
    days: Vec<Day>,
}

/// A day in UTC, whatever zone anybody asks in.
#[derive(Serialize)]
struct Day {
    date: String,
    profile: Option<String>,
    agent: String,
    project: Option<String>,
    model: String,
    #[serde(flatten)]
    figures: Figures,
}

/// Day, profile, agent, project, model.
type Of = (String, Option<String>, String, Option<String>, String);

/// Writes `telemetry/aggregates.json`. It may be deleted: everything in it comes from the index.
pub(crate) fn aggregates(app: &App) -> Result<()> {
    known(app)?;
    let mut sums: BTreeMap<Of, Totals> = BTreeMap::new();
    let prices = app.usage.prices();
    app.usage.rows(|rows| {
        rows.each(&mut |row| {
            let record = &row.record;
            let day = jiff::Timestamp::from_millisecond(record.bill.ts_ms).unwrap_or_default().strftime("%Y-%m-%d").to_string();
            let text = |text: &std::borrow::Cow<'_, str>| text.to_string();
            let key = (day, row.profile.map(str::to_owned), row.agent.to_owned(), record.project.as_ref().map(text), text(&record.model));
            let cost = prices.total(record);
            sums.entry(key).or_default().add(&record.bill, cost, record.sub_request);
        });
    });
    let day = |((date, profile, agent, project, model), totals): (_, Totals)| Day {
        date,
        profile,
        agent,
        project,
        model,
        figures: figures(&totals),
    };
    let document = Aggregates {
        version: AGGREGATES_VERSION,
        written: app.now(),
        prices: prices.hash().to_string(),
        days: sums.into_iter().map(day).collect(),
    };
    let mut text = serde_json::to_vec(&document).map_err(|e| Error::io("cannot encode sums of usage").cause(e))?;
    text.push(b'\n');
    fsx::write_atomic(&app.paths.aggregates_file(), &text, fsx::Mode::Private)
}
