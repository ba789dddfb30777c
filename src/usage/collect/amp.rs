//! Amp: `threads/T-*.json`. The ledger lists what was billed; the message an entry leads to tells more about its tokens.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, ends, stem};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::time;
use super::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record};

pub(crate) struct Amp;

const NAMES: Names = [b"inputTokens", b"outputTokens", b"reasoningTokens", b"cacheReadInputTokens", b"cacheCreationInputTokens"];
const LEDGER: Names = [b"input", b"output", b"reasoning", b"cacheReadInputTokens", b"cacheCreationInputTokens"];

#[derive(Default)]
struct Entry {
    id: String,
    model: String,
    ts: Option<i64>,
    counters: Counters,
    message: String,
}

impl Collector for Amp {
    fn word(&self) -> &'static str {
        "amp"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let named = home.listed("AMP_DATA_DIR");
        let bases = if named.is_empty() { vec![home.data().join("amp")] } else { named };
        bases.into_iter().map(|base| base.join("threads")).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        ends(path, ".json").then_some(Shape::Document)
    }

    fn begin(&self, path: &Path) -> State {
        State { session: stem(path), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let (mut ledger, mut messages) = (Vec::new(), Vec::new());
        Walk::new(line).object(|key, value| {
            match key {
                b"usageLedger" => {
                    value.object(|key, value| {
                        if key == b"events" {
                            value.array(|value| ledger.push(event(value)));
                        }
                        true
                    });
                }
                b"messages" => value.array(|value| messages.extend(message(value))),
                _ => {}
            }
            true
        });
        if ledger.is_empty() {
            messages.iter().for_each(|entry| tell(entry, state, sink));
            return;
        }
        let details: HashMap<&str, Counters> = messages.iter().map(|entry| (entry.message.as_str(), entry.counters)).collect();
        for mut entry in ledger {
            if let Some(details) = details.get(entry.message.as_str()).filter(|_| !entry.message.is_empty()) {
                entry.counters = *details;
            }
            tell(&entry, state, sink);
        }
    }
}

fn event(walk: &mut Walk<'_>) -> Entry {
    let mut entry = Entry::default();
    walk.object(|key, value| {
        match key {
            b"id" => entry.id = word(value),
            b"model" => entry.model = word(value),
            b"timestamp" => entry.ts = value.raw().and_then(time::millis),
            b"toMessageId" => entry.message = word(value),
            b"tokens" => entry.counters = Counters::read(value, &LEDGER).unwrap_or_default(),
            _ => {}
        }
        true
    });
    entry
}

fn message(walk: &mut Walk<'_>) -> Option<Entry> {
    let mut entry = Entry::default();
    let mut counters = None;
    walk.object(|key, value| {
        match key {
            b"messageId" | b"id" => entry.message = word(value),
            b"usage" => {
                counters = Counters::read(&mut value.clone(), &NAMES);
                value.object(|key, value| {
                    match key {
                        b"model" => entry.model = word(value),
                        b"timestamp" => entry.ts = value.raw().and_then(time::millis),
                        _ => {}
                    }
                    true
                });
            }
            _ => {}
        }
        true
    });
    entry.counters = counters?;
    Some(entry)
}

/// A string, or a number as one: messages are numbered.
fn word(value: &mut Walk<'_>) -> String {
    value.text().map(Cow::into_owned).or_else(|| value.count().map(|number| number.to_string())).unwrap_or_default()
}

fn tell(entry: &Entry, state: &mut State, sink: &mut dyn Sink) {
    let ts_ms = state.time(entry.ts);
    let named = if entry.id.is_empty() { &entry.message } else { &entry.id };
    sink.request(Seen {
        record: Record {
            key: Cow::Owned(format!("{}:{named}", state.session)),
            session: Cow::Borrowed(&state.session),
            model: Cow::Borrowed(&entry.model),
            bill: Bill { tokens: entry.counters.disjoint(), ts_ms, ..Bill::default() },
            ..Record::default()
        },
        ..Seen::default()
    });
}
