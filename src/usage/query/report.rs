//! Lines by day, session, model and the like.

use std::{cmp::Reverse, collections::HashMap};

use jiff::{Timestamp, civil::Date};

use super::{
    blocks,
    calendar::Calendar,
    ledger::{Bucket, Ledger},
    line::{Sum, figures},
    names::Name,
    select::{Chosen, OUTSIDE},
    span::{Span, monday_of},
};
use crate::{
    base::error::Result,
    usage::record::Totals,
    wire::usage::{Group, Line, Page, Report},
};

/// What a line is a sum of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Of {
    Day(Date),
    Name(Name),
    /// Agents and profiles name their sessions by themselves.
    Session(Name, Name, Name),
}

pub fn report(ledger: &Ledger, ask: &Report, now: Timestamp) -> Result<Page> {
    let span = Span::of(&ask.select, now)?;
    let (mut lines, totals) = if ask.group == Group::Blocks {
        blocks::lines(ledger, ask, &span, now)
    } else {
        let (sums, totals) = sums(ledger, &Chosen::new(&ask.select, &span), ask.group, &span);
        (ordered(ledger, sums, ask.group, ask.breakdown), totals)
    };
    if let Some(last) = ask.last {
        let count = lines.len();
        match ask.group {
            Group::Models | Group::Profiles | Group::Agents | Group::Projects => lines.truncate(last),
            _ => drop(lines.drain(..count.saturating_sub(last))),
        }
    }
    let count = lines.len();
    let unpriced = if totals.partial() { ledger.unpriced() } else { Vec::new() };
    Ok(Page {
        group: ask.group,
        slice: span.slice(),
        lines: lines.into_iter().skip(ask.skip).take(Page::MOST).collect(),
        count,
        totals: figures(&totals),
        unpriced,
        windows: Vec::new(),
        known: !ledger.is_empty(),
    })
}

pub(super) fn sums(ledger: &Ledger, chosen: &Chosen<'_>, group: Group, span: &Span) -> (HashMap<Of, Sum>, Totals) {
    let masks = chosen.masks(ledger);
    let mut calendar = Calendar::new(span.zone.clone());
    let mut at: HashMap<Of, usize> = HashMap::new();
    let mut found: Vec<(Of, Sum)> = Vec::new();
    // Buckets of one file are neighbours, so most are of the line before them.
    let mut latest = usize::MAX;
    for bucket in ledger.buckets.iter().filter(|bucket| masks.has(bucket)) {
        let of = of(bucket, group, &mut calendar);
        if found.get(latest).is_none_or(|(before, _)| *before != of) {
            latest = *at.entry(of).or_insert_with(|| {
                found.push((of, Sum::default()));
                found.len() - 1
            });
        }
        if let Some((_, sum)) = found.get_mut(latest) {
            sum.add(bucket);
        }
    }
    let mut totals = Totals::default();
    for (_, sum) in &found {
        totals.merge(&sum.totals);
    }
    (found.into_iter().collect(), totals)
}

fn of(bucket: &Bucket, group: Group, calendar: &mut Calendar) -> Of {
    let key = &bucket.key;
    let mut day = || calendar.day(key.slot.start_ms());
    match group {
        Group::Daily | Group::Blocks => Of::Day(day()),
        Group::Weekly => Of::Day(monday_of(day())),
        Group::Monthly => Of::Day(day().first_of_month()),
        Group::Sessions => Of::Session(key.session, key.agent, key.profile),
        Group::Models => Of::Name(key.model),
        Group::Profiles => Of::Name(key.profile),
        Group::Agents => Of::Name(key.agent),
        Group::Projects => Of::Name(key.project),
    }
}

/// Days and sessions by time; the rest by cost, then tokens, then name.
pub(super) fn ordered(ledger: &Ledger, sums: HashMap<Of, Sum>, group: Group, breakdown: bool) -> Vec<Line> {
    let mut sums: Vec<(Of, Sum)> = sums.into_iter().collect();
    let names = &ledger.names;
    match group {
        Group::Daily | Group::Weekly | Group::Monthly | Group::Blocks => sums.sort_by_key(|(of, _)| *of),
        Group::Sessions => sums.sort_by_key(|(of, sum)| (sum.last, *of)),
        Group::Models | Group::Profiles | Group::Agents | Group::Projects => {
            let text = |of: &Of| if let Of::Name(name) = of { names.text(*name) } else { "" };
            sums.sort_by(|(a, x), (b, y)| {
                let rank = |sum: &Sum| Reverse((sum.totals.cost, sum.totals.tokens.total()));
                rank(x).cmp(&rank(y)).then_with(|| text(a).cmp(text(b)))
            });
        }
    }
    let by_session = if group == Group::Sessions { session_projects(ledger) } else { HashMap::new() };
    let line = |(of, sum): (Of, Sum)| {
        let mut line = sum.line(names, breakdown && group != Group::Models);
        let told = |name: Name| Some(names.text(name)).filter(|text| !text.is_empty()).map(str::to_owned);
        let whose = |name: Name| Some(told(name).unwrap_or_else(|| OUTSIDE.to_owned()));
        match (of, group) {
            (Of::Day(day), Group::Monthly) => line.date = Some(day.strftime("%Y-%m").to_string()),
            (Of::Day(day), _) => line.date = Some(day.to_string()),
            (Of::Session(session, agent, profile), _) => {
                line.session = told(session);
                line.agent = told(agent);
                line.profile = whose(profile);
                line.project = by_session.get(&of).and_then(|name| told(*name));
            }
            (Of::Name(name), Group::Models) => line.model = whose(name),
            (Of::Name(name), Group::Profiles) => line.profile = whose(name),
            (Of::Name(name), Group::Agents) => line.agent = whose(name),
            (Of::Name(name), _) => line.project = whose(name),
        }
        if group == Group::Models {
            line.models.clear();
        }
        line
    };
    sums.into_iter().map(line).collect()
}

/// The directory each session was in last.
fn session_projects(ledger: &Ledger) -> HashMap<Of, Name> {
    let mut found: HashMap<Of, (i64, Name)> = HashMap::new();
    for bucket in ledger.buckets.iter().filter(|bucket| bucket.key.project != Name::NONE) {
        let key = &bucket.key;
        let at = found.entry(Of::Session(key.session, key.agent, key.profile)).or_insert((i64::MIN, Name::NONE));
        if bucket.last > at.0 {
            *at = (bucket.last, key.project);
        }
    }
    found.into_iter().map(|(of, (_, name))| (of, name)).collect()
}
