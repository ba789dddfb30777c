use std::borrow::Cow;

use jiff::Timestamp;

use super::*;
use crate::{
    usage::{
        pricing::{Overrides, Prices},
        record::{Bill, Record, Tokens},
        row::{InOrder, Row, Rows},
    },
    wire::usage::{Export, Group, Line, Page, Period, Report, Select, Statusline, Summary},
};

mod blocks;
mod days;
pub(crate) mod deltas;
mod filters;
mod measure;

/// A made request.
#[derive(Clone)]
pub(crate) struct One {
    pub agent: &'static str,
    pub profile: Option<&'static str>,
    pub at: &'static str,
    pub model: &'static str,
    pub project: &'static str,
    pub session: &'static str,
    pub input: u64,
    pub output: u64,
}

impl Default for One {
    fn default() -> Self {
        Self {
            agent: "claude",
            profile: None,
            at: "2026-11-22T10:00:00Z",
            model: "claude-opus-5-5",
            project: "/w/app",
            session: "s1",
            input: 1000,
            output: 100,
        }
    }
}

pub(crate) struct Made(pub Vec<One>);

impl Rows for Made {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        for one in &self.0 {
            let ts_ms = one.at.parse::<Timestamp>().unwrap().as_millisecond();
            let tokens = Tokens { input: one.input, output: one.output, ..Tokens::default() };
            let record = Record {
                session: Cow::Borrowed(one.session),
                project: Some(Cow::Borrowed(one.project)).filter(|p| !p.is_empty()),
                model: Cow::Borrowed(one.model),
                bill: Bill { tokens, ts_ms, ..Bill::default() },
                ..Record::default()
            };
            visit(Row { agent: one.agent, profile: one.profile, file: "", record });
        }
    }
}

impl InOrder for Made {}

pub(crate) fn prices() -> Prices {
    Prices::new(None, &Overrides::default()).unwrap()
}

pub(crate) fn ledger(ones: &[One]) -> Ledger {
    Ledger::of(&Made(ones.to_vec()), &Terms { prices: &prices(), provider: &|alias| (alias == "work").then_some("zai") })
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

pub(crate) fn ask(group: Group, select: Select) -> Report {
    Report { group, select, breakdown: false, skip: 0, last: None }
}

pub(crate) fn lines(ones: &[One], group: Group, select: Select) -> Page {
    report(&ledger(ones), &ask(group, select), at(NOW)).unwrap()
}

pub(crate) fn tokens_by(page: &Page, name: impl Fn(&Line) -> Option<String>) -> Vec<(String, u64)> {
    page.lines.iter().map(|line| (name(line).unwrap(), line.figures.total_tokens)).collect()
}
