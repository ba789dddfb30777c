//! Lines by day, session, model and the like.

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use jiff::{Timestamp, civil::Date};

use super::{
    blocks,
    calendar::Calendar,
    ledger::Ledger,
    line::{Sum, figures},
    names::{Name, Names},
    select::{Chosen, OUTSIDE},
    span::{Span, monday_of},
    sums::Bucket,
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
    let chosen = Chosen::new(&ask.select, &span);
    // Lines are made only for this page.
    let (lines, count, totals) = if ask.group == Group::Blocks {
        blocks::page(ledger, ask, &span, now)
    } else {
        let (sums, totals) = sums(ledger, &chosen, ask.group, &span);
        let mut sums = sorted(ledger, sums, ask.group);
        let (count, wanted) = wanted(ask, sums.len());
        let sums = sums.drain(wanted).collect();
        (lines(ledger, sums, ask.group, ask.breakdown), count, totals)
    };
    let unpriced = if totals.partial() { ledger.unpriced() } else { Vec::new() };
    Ok(Page {
        group: ask.group,
        slice: span.slice(),
        lines,
        count,
        totals: figures(&totals),
        unpriced,
        windows: Vec::new(),
        known: !ledger.is_empty(),
    })
}

/// Lines of the whole report, and which of them this page has.
pub(super) fn wanted(ask: &Report, all: usize) -> (usize, Range<usize>) {
    let count = ask.last.map_or(all, |last| last.min(all));
    let first = match ask.group {
        Group::Models | Group::Profiles | Group::Agents | Group::Projects => 0,
        _ => all - count,
    };
    let begin = first + ask.skip.min(count);
    (count, begin..(begin + Page::MOST).min(first + count))
}

pub(super) fn sums(ledger: &Ledger, chosen: &Chosen<'_>, group: Group, span: &Span) -> (HashMap<Of, Sum>, Totals) {
    let masks = chosen.masks(ledger);
    let timeless = matches!(group, Group::Models | Group::Profiles | Group::Agents | Group::Projects) && span.is_open();
    let found = if timeless {
        grouped(ledger.whole().filter(|bucket| masks.has_whenever(bucket)), group, span)
    } else {
        grouped(ledger.buckets().filter(|bucket| masks.has(bucket)), group, span)
    };
    let mut totals = Totals::default();
    for (_, sum) in &found {
        totals.merge(&sum.totals);
    }
    (found.into_iter().collect(), totals)
}

fn grouped<'a>(buckets: impl Iterator<Item = &'a Bucket>, group: Group, span: &Span) -> Vec<(Of, Sum)> {
    let mut calendar = Calendar::new(span.zone.clone());
    let mut at: HashMap<Of, usize> = HashMap::new();
    let mut found: Vec<(Of, Sum)> = Vec::new();
    // Buckets of one file are neighbours, so most are of the line before them.
    let mut latest = usize::MAX;
    for bucket in buckets {
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
    found
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
pub(super) fn sorted(ledger: &Ledger, sums: HashMap<Of, Sum>, group: Group) -> Vec<(Of, Sum)> {
    let mut sums: Vec<(Of, Sum)> = sums.into_iter().collect();
    let names = &ledger.names;
    match group {
        Group::Daily | Group::Weekly | Group::Monthly | Group::Blocks => sums.sort_by_key(|(of, _)| *of),
        Group::Sessions => sums.sort_by(|(a, x), (b, y)| x.last.cmp(&y.last).then_with(|| texts(names, a).cmp(&texts(names, b)))),
        Group::Models | Group::Profiles | Group::Agents | Group::Projects => {
            sums.sort_by(|(a, x), (b, y)| {
                let rank = |sum: &Sum| Reverse((sum.totals.cost, sum.totals.tokens.total()));
                rank(x).cmp(&rank(y)).then_with(|| texts(names, a).cmp(&texts(names, b)))
            });
        }
    }
    sums
}

fn texts<'a>(names: &'a Names, of: &Of) -> [&'a str; 3] {
    match of {
        Of::Session(session, agent, profile) => [*session, *agent, *profile].map(|name| names.text(name)),
        Of::Name(name) => [names.text(*name), "", ""],
        Of::Day(_) => [""; 3],
    }
}

pub(super) fn lines(ledger: &Ledger, sums: Vec<(Of, Sum)>, group: Group, breakdown: bool) -> Vec<Line> {
    let names = &ledger.names;
    let by_session = if group == Group::Sessions { session_projects(ledger, &sums) } else { HashMap::new() };
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

/// The directory each of these sessions was in last.
fn session_projects(ledger: &Ledger, sessions: &[(Of, Sum)]) -> HashMap<Of, Name> {
    let mut wanted = ledger.names.mask(|_| false);
    for (of, _) in sessions {
        if let Of::Session(session, ..) = of
            && let Some(wanted) = wanted.get_mut(session.index())
        {
            *wanted = true;
        }
    }
    let is_wanted = |bucket: &&Bucket| bucket.key.project != Name::NONE && wanted.get(bucket.key.session.index()).is_some_and(|is| *is);
    let mut found: HashMap<Of, (i64, Name)> = HashMap::new();
    for bucket in ledger.buckets().filter(is_wanted) {
        let key = &bucket.key;
        let at = found.entry(Of::Session(key.session, key.agent, key.profile)).or_insert((i64::MIN, Name::NONE));
        let text = |name| ledger.names.text(name);
        if bucket.last > at.0 || (bucket.last == at.0 && text(key.project) > text(at.1)) {
            *at = (bucket.last, key.project);
        }
    }
    found.into_iter().map(|(of, (_, name))| (of, name)).collect()
}
