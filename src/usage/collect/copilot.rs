//! Copilot CLI: `session-state/<session>/events.jsonl`. Newer ones tell of each request; in older ones the sums at a session's end are
//! all there is.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, above, ends};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::time;
use super::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record};

pub(crate) struct Copilot;

const NAMES: Names = [b"inputTokens", b"outputTokens", b"reasoningTokens", b"cacheReadTokens", b"cacheWriteTokens"];

impl Collector for Copilot {
    fn word(&self) -> &'static str {
        "copilot"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        home.places("COPILOT_HOME", ".copilot").into_iter().map(|base| base.join("session-state")).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        ends(path, "events.jsonl").then_some(Shape::Lines)
    }

    fn begin(&self, path: &Path) -> State {
        State { session: above(path, 1), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let (mut kind, mut ts, mut data) = (None, None, None);
        Walk::new(line).object(|key, value| {
            match key {
                b"type" => kind = value.raw(),
                b"timestamp" => ts = value.raw().and_then(time::millis),
                b"data" => data = Some(value.clone()),
                _ => {}
            }
            true
        });
        state.time(ts);
        let Some(mut data) = data else { return };
        match kind {
            Some(b"session.start") => start(&mut data, state),
            Some(b"session.usage_record") => {
                data.object(|key, value| {
                    if key == b"usage" {
                        usage(value, state, sink);
                    }
                    true
                });
            }
            Some(b"session.shutdown") if !state.one_by_one => shutdown(&mut data, state, sink),
            _ => {}
        }
    }
}

fn start(data: &mut Walk<'_>, state: &mut State) {
    data.object(|key, value| {
        if key == b"context" {
            value.object(|key, value| {
                if key == b"cwd" {
                    state.project = value.text().unwrap_or_default().into_owned();
                }
                true
            });
        }
        true
    });
}

fn usage(walk: &mut Walk<'_>, state: &mut State, sink: &mut dyn Sink) {
    let (mut model, mut provider, mut call, mut id, mut session) = (None, None, None, None, None);
    let counters = Counters::read(&mut walk.clone(), &NAMES);
    walk.object(|key, value| {
        match key {
            b"model" => model = value.text(),
            b"modelProvider" => provider = value.text(),
            b"apiCallId" => call = value.text(),
            b"accounting" => {
                value.object(|key, value| {
                    match key {
                        b"usageId" => id = value.text(),
                        b"sourceSessionId" => session = value.text(),
                        _ => {}
                    }
                    true
                });
            }
            _ => {}
        }
        true
    });
    let Some(counters) = counters else { return };
    state.one_by_one = true;
    let key = id.or(call).unwrap_or_else(|| Cow::Owned(format!("{}:{}", state.session, state.lines)));
    sink.request(Seen {
        record: Record {
            key,
            session: session.unwrap_or(Cow::Borrowed(&state.session)),
            project: (!state.project.is_empty()).then_some(Cow::Borrowed(state.project.as_str())),
            provider,
            model: model.unwrap_or_default(),
            bill: Bill { tokens: counters.inclusive(), ts_ms: state.ts_ms, ..Bill::default() },
            ..Record::default()
        },
        ..Seen::default()
    });
}

/// Sums of a session so far, for each model. A later end of the same session brings greater ones.
fn shutdown(data: &mut Walk<'_>, state: &State, sink: &mut dyn Sink) {
    data.object(|key, value| {
        match key {
            b"accountingSnapshot" => shutdown(value, state, sink),
            b"modelMetrics" => {
                value.object(|model, value| {
                    let mut counters = None;
                    value.object(|key, value| {
                        if key == b"usage" {
                            counters = Counters::read(value, &NAMES);
                        }
                        true
                    });
                    let Some(counters) = counters else { return true };
                    let model = String::from_utf8_lossy(model);
                    sink.request(Seen {
                        record: Record {
                            key: Cow::Owned(format!("{}:{model}", state.session)),
                            session: Cow::Borrowed(&state.session),
                            model,
                            bill: Bill { tokens: counters.inclusive(), ts_ms: state.ts_ms, ..Bill::default() },
                            ..Record::default()
                        },
                        rank: Some(counters.sum()),
                        ..Seen::default()
                    });
                    true
                });
            }
            _ => {}
        }
        true
    });
}
