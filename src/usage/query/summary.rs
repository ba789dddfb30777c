//! A card's worth of sums, and a line's worth.

use std::collections::HashMap;

use jiff::{Timestamp, ToSpan, civil::Date};

use super::{
    blocks,
    ledger::Ledger,
    line::{Sum, figures},
    report::{Of, lines, sorted, sums},
    select::Chosen,
    span::Span,
};
use crate::{
    base::error::Result,
    usage::record::Totals,
    wire::usage::{Figures, Group, Line, Period, Select, Statusline, StatuslineReply, Summary, SummaryReply},
};

/// Days in a sparkline.
const DAYS: i64 = 30;
/// Lines of each list.
const TOP: usize = 5;

/// Limits and windows are not known here; the flow adds them.
pub fn summary(ledger: &Ledger, ask: &Summary, now: Timestamp) -> Result<SummaryReply> {
    let span = Span::of(&ask.select, now)?;
    let chosen = Chosen::new(&ask.select, &span);
    let top = |group: Group| {
        let mut sums = sorted(ledger, sums(ledger, &chosen, group, &span).0, group);
        sums.truncate(TOP);
        lines(ledger, sums, group, false)
    };
    let (days, totals) = sums(ledger, &chosen, Group::Daily, &span);
    let within = |period: Period| total(ledger, &ask.select, &span.with(period));
    Ok(SummaryReply {
        slice: span.slice(),
        totals: figures(&totals),
        today: within(Period::Today),
        yesterday: within(Period::Yesterday),
        week: within(Period::Week),
        month: within(Period::Month),
        days: every_day(ledger, days, &span),
        agents: top(Group::Agents),
        profiles: top(Group::Profiles),
        models: top(Group::Models),
        projects: top(Group::Projects),
        active: blocks::active(ledger, &chosen, now.as_millisecond()),
        windows: Vec::new(),
        unpriced: if totals.partial() { ledger.unpriced() } else { Vec::new() },
        budgets: Vec::new(),
        prices: String::new(),
        known: !ledger.is_empty(),
    })
}

/// What the line below a prompt shows.
pub fn statusline(ledger: &Ledger, ask: &Statusline, now: Timestamp) -> Result<StatuslineReply> {
    let profiles = vec![ask.profile.clone().unwrap_or_else(|| super::select::OUTSIDE.to_owned())];
    let select = Select { agents: vec![ask.agent.clone()], profiles, timezone: ask.timezone.clone(), ..Select::default() };
    let span = Span::of(&select, now)?;
    let chosen = Chosen::new(&select, &span);
    let masks = chosen.masks(ledger);
    let mut session = Totals::default();
    if let Some(wanted) = &ask.session {
        let mine = ledger.names.mask(|text| text == wanted);
        let is_mine = |name: super::names::Name| mine.get(name.index()).is_some_and(|mine| *mine);
        for bucket in ledger.buckets().filter(|bucket| is_mine(bucket.key.session) && masks.has_whenever(bucket)) {
            session.merge(&bucket.totals);
        }
    }
    Ok(StatuslineReply {
        session: figures(&session),
        today: total(ledger, &select, &span.with(Period::Today)),
        block: blocks::active(ledger, &chosen, now.as_millisecond()).pop(),
        budget_percent: None,
    })
}

/// The sum of what is chosen.
pub(crate) fn total(ledger: &Ledger, select: &Select, span: &Span) -> Figures {
    let masks = Chosen::new(select, span).masks(ledger);
    let mut totals = Totals::default();
    for bucket in ledger.buckets().filter(|bucket| masks.has(bucket)) {
        totals.merge(&bucket.totals);
    }
    figures(&totals)
}

/// Days without use have a line too, so that a sparkline shows time.
fn every_day(ledger: &Ledger, mut days: HashMap<Of, Sum>, span: &Span) -> Vec<Line> {
    let day_of = |of: &Of| if let Of::Day(day) = of { Some(*day) } else { None };
    let used = |days: &HashMap<Of, Sum>| days.keys().filter_map(day_of).max();
    let last = span.last.unwrap_or(span.today).min(used(&days).unwrap_or(span.today).max(span.today));
    let first = span.first.max(last.checked_sub((DAYS - 1).days()).ok()).unwrap_or(last);
    let mut lines = Vec::new();
    let mut day: Option<Date> = Some(first);
    while let Some(date) = day.filter(|day| *day <= last) {
        let sum = days.remove(&Of::Day(date)).unwrap_or_default();
        lines.push(Line { date: Some(date.to_string()), models: Vec::new(), ..sum.line(&ledger.names, false) });
        day = date.tomorrow().ok();
    }
    lines
}
