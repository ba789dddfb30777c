//! Claude Code: `projects/<directory>/<session>.jsonl` and what is below it. One line for each block of an answer, each with the usage
//! of the whole answer so far.
//!
//! A request is its `message.id`. Copies of it stand in resumed sessions and side branches.

mod bill;
mod usage;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, ends, within};
use super::json::{Walk, plain};
use super::sink::{Problem, Seen, Sink};
use super::state::State;
use super::time;
use crate::usage::record::{Bill, Record};
use usage::{Part, Usage};

pub(crate) struct Claude;

/// Written by Claude Code itself where no model answered.
const LOCAL: &[u8] = b"<synthetic>";

impl Collector for Claude {
    fn word(&self) -> &'static str {
        "claude"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let named = home.listed("CLAUDE_CONFIG_DIR");
        let bases = if named.is_empty() {
            let config = home.listed("XDG_CONFIG_HOME").into_iter().next().unwrap_or_else(|| home.path.join(".config"));
            vec![home.path.join(".claude"), config.join("claude")]
        } else {
            named
        };
        bases.into_iter().map(|base| if base.ends_with("projects") { base } else { base.join("projects") }).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        (ends(path, ".jsonl") && within(path, "projects")).then_some(Shape::Lines)
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let told = Line::read(&mut Walk::new(line));
        match told.kind {
            b"assistant" => told.tell(state, sink),
            b"progress" if told.inner => told.tell(state, sink),
            b"cost-state" if line.len() < bill::LONGEST => bill::read(line, state.lines, sink),
            _ => {}
        }
    }
}

/// Kinds of lines that tell something. A line mostly names its kind before its text, and what tells nothing is left there: half of a
/// transcript's bytes are never looked at.
fn tells(kind: &[u8]) -> bool {
    matches!(kind, b"assistant" | b"progress" | b"cost-state")
}

#[derive(Default)]
struct Line<'a> {
    kind: &'a [u8],
    /// The message is a sub-agent's, inside a line about its progress.
    inner: bool,
    id: &'a [u8],
    model: &'a [u8],
    usage: Option<Usage<'a>>,
    request: &'a [u8],
    uuid: &'a [u8],
    session: &'a [u8],
    agent: &'a [u8],
    cwd: &'a [u8],
    time: Option<i64>,
    sidechain: bool,
    aborted: bool,
    cost: Option<f64>,
}

impl<'a> Line<'a> {
    fn read(walk: &mut Walk<'a>) -> Self {
        let mut line = Self::default();
        line.fields(walk, false);
        line
    }

    fn fields(&mut self, walk: &mut Walk<'a>, inner: bool) {
        walk.object(|key, value| {
            let mut set = |place: &mut &'a [u8]| {
                if let Some(text) = value.raw() {
                    *place = text;
                }
            };
            match key {
                b"type" if !inner => {
                    set(&mut self.kind);
                    return tells(self.kind);
                }
                b"requestId" => set(&mut self.request),
                b"uuid" => set(&mut self.uuid),
                b"sessionId" => set(&mut self.session),
                b"agentId" => set(&mut self.agent),
                b"cwd" => set(&mut self.cwd),
                b"timestamp" => self.time = value.raw().and_then(time::millis).or(self.time),
                b"isSidechain" => self.sidechain |= value.truth(),
                b"isAbortedMidStream" => self.aborted |= value.truth(),
                b"costUSD" => self.cost = value.number(),
                b"message" => self.message(value),
                b"data" if !inner => {
                    value.object(|key, value| {
                        if key == b"message" {
                            self.inner = true;
                            self.fields(value, true);
                        }
                        true
                    });
                }
                _ => {}
            }
            true
        });
    }

    fn message(&mut self, walk: &mut Walk<'a>) {
        walk.object(|key, value| {
            match key {
                b"id" => self.id = value.raw().unwrap_or_default(),
                b"model" => self.model = value.raw().unwrap_or_default(),
                b"usage" => self.usage = Usage::read(value),
                _ => {}
            }
            true
        });
    }

    fn tell(&self, state: &mut State, sink: &mut dyn Sink) {
        let ts_ms = state.time(self.time);
        let Some(usage) = &self.usage else { return };
        if self.model == LOCAL {
            return;
        }
        let key = self.key(state.lines);
        if self.id.is_empty() || self.model.is_empty() || ts_ms == 0 {
            sink.problem(Problem::Incomplete);
        }
        let mut record = Record {
            key: Cow::Borrowed(&key),
            session: plain(self.session),
            project: some(self.cwd),
            agent_id: some(self.agent),
            model: plain(self.model),
            bill: Bill { ts_ms, ..usage.bill() },
            sidechain: self.sidechain || self.inner,
            aborted: self.aborted,
            source_cost: self.cost.filter(|cost| *cost > 0.0),
            ..Record::default()
        };
        sink.request(Seen { record: record.clone(), other_id: self.request, ..Seen::default() });
        for (number, advice) in usage.parts.iter().filter(|part| part.kind == Part::ADVISOR).enumerate() {
            record.key = Cow::Owned(format!("{key}~{number}"));
            record.model = if advice.model.is_empty() { plain(self.model) } else { plain(advice.model) };
            record.bill = Bill { ts_ms, tokens: advice.tokens, web_searches: 0, ..usage.bill() };
            record.sub_request = true;
            record.source_cost = None;
            sink.request(Seen { record: record.clone(), other_id: self.request, ..Seen::default() });
        }
    }

    /// The message's id; without one, what else is the request's own.
    fn key(&self, line: u64) -> Cow<'a, str> {
        match [self.id, self.request, self.uuid].into_iter().find(|id| !id.is_empty()) {
            Some(id) => plain(id),
            None => Cow::Owned(format!("{}:{line}", plain(self.session))),
        }
    }
}

fn some(raw: &[u8]) -> Option<Cow<'_, str>> {
    (!raw.is_empty()).then(|| plain(raw))
}
