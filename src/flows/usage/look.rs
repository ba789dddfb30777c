//! Questions about usage.

use super::known;
use crate::{
    app::App,
    base::error::Result,
    flows::budgets,
    usage::query,
    wire::{
        envelope::Caller,
        usage::{Export, Exported, Group, Page, Report, Select, Statusline, StatuslineReply, Summary, SummaryReply, Window},
    },
};

pub fn summary(app: &App, ask: Summary, _caller: &Caller) -> Result<SummaryReply> {
    let known = known(app)?;
    let mut reply = query::summary(&known.ledger, &ask, app.seams.clock.now())?;
    reply.prices = app.usage.prices().hash().to_string();
    reply.windows = windows(app, &ask.select);
    reply.budgets = budgets::states(app, &known, None)?;
    let profiles = &ask.select.profiles;
    reply.budgets.retain(|state| profiles.is_empty() || profiles.contains(&state.budget.profile));
    Ok(reply)
}

pub fn report(app: &App, ask: Report, _caller: &Caller) -> Result<Page> {
    let known = known(app)?;
    let mut page = query::report(&known.ledger, &ask, app.seams.clock.now())?;
    if ask.group == Group::Blocks {
        page.windows = windows(app, &ask.select);
    }
    Ok(page)
}

pub fn export(app: &App, ask: Export, _caller: &Caller) -> Result<Exported> {
    known(app)?;
    let scope = super::scope(app)?;
    let provider = |alias: &str| scope.providers.get(alias).map(String::as_str);
    let prices = app.usage.prices();
    app.usage.rows(|rows| query::export(rows, &prices, provider, &ask, app.seams.clock.now()))
}

pub fn statusline(app: &App, ask: Statusline, _caller: &Caller) -> Result<StatuslineReply> {
    let known = known(app)?;
    let now = app.seams.clock.now();
    let mut reply = query::statusline(&known.ledger, &ask, now)?;
    if let Some(profile) = &ask.profile {
        let states = budgets::states(app, &known, Some(profile))?;
        reply.budget_percent = states.iter().map(|state| state.percent).reduce(f64::max);
    }
    Ok(reply)
}

/// Limits that vendors told, of what is selected. One whose time is over says nothing any more.
fn windows(app: &App, select: &Select) -> Vec<Window> {
    let now = app.seams.clock.now();
    let mut windows = app.usage.source().limits();
    let over = |window: &Window| window.resets_at.as_ref().and_then(|at| at.parse::<jiff::Timestamp>().ok()).is_some_and(|at| at <= now);
    windows.retain(|window| {
        let profile = window.profile.clone().unwrap_or_else(|| "-".to_owned());
        !over(window)
            && (select.agents.is_empty() || select.agents.contains(&window.agent))
            && (select.profiles.is_empty() || select.profiles.contains(&profile))
    });
    windows
}
