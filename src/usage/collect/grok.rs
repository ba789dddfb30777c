//! Grok Build: `sessions/<directory>/<session>/usage.json`; `updates.jsonl` beside it tells of the same turns and is read where there is
//! no `usage.json`. Usage is billed for each model of a turn. What a turn names itself is those summed, or an alias.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, above, ends};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::time;
use super::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record};

pub(crate) struct Grok;

const NAMES: Names = [b"inputTokens", b"outputTokens", b"reasoningTokens", b"cachedReadTokens", b"cacheCreationTokens"];

impl Collector for Grok {
    fn word(&self) -> &'static str {
        "grok"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        home.places("GROK_HOME", ".grok").into_iter().map(|base| base.join("sessions")).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        match () {
            () if ends(path, "usage.json") => Some(Shape::Document),
            () if ends(path, "updates.jsonl") && !path.with_file_name("usage.json").exists() => Some(Shape::Lines),
            () => None,
        }
    }

    /// The directory worked in is the name of the one above the session's, with `%2F` for each slash.
    fn begin(&self, path: &Path) -> State {
        let project = above(path, 2).replace("%2F", "/").replace("%2f", "/");
        State { session: above(path, 1), project, ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let (mut ts, mut turns, mut update) = (None, None, None);
        Walk::new(line).object(|key, value| {
            match key {
                b"timestamp" => ts = stamp(value),
                b"turns" => turns = Some(value.clone()),
                b"params" => {
                    value.object(|key, value| {
                        match key {
                            b"timestamp" => ts = stamp(value),
                            b"update" => update = Some(value.clone()),
                            _ => {}
                        }
                        true
                    });
                }
                _ => {}
            }
            true
        });
        state.time(ts);
        if let Some(mut turns) = turns {
            turns.array(|value| turn(value, None, state, sink));
        }
        if let Some(mut update) = update {
            completed(&mut update, state, sink);
        }
    }
}

/// A text, or seconds since 1970.
fn stamp(value: &mut Walk<'_>) -> Option<i64> {
    if let Some(raw) = value.raw() {
        return time::millis(raw);
    }
    value.count().and_then(|seconds| i64::try_from(seconds).ok()).map(|at| if at < 100_000_000_000 { at.saturating_mul(1000) } else { at })
}

fn completed(update: &mut Walk<'_>, state: &mut State, sink: &mut dyn Sink) {
    let (mut is_turn, mut usage) = (false, None);
    update.object(|key, value| {
        match key {
            b"sessionUpdate" => is_turn = value.raw() == Some(b"turn_completed"),
            b"usage" => usage = Some(value.clone()),
            _ => {}
        }
        true
    });
    if let (true, Some(mut usage)) = (is_turn, usage) {
        state.resets += 1;
        turn(&mut usage, Some(u64::from(state.resets)), state, sink);
    }
}

fn turn(walk: &mut Walk<'_>, number: Option<u64>, state: &mut State, sink: &mut dyn Sink) {
    let (mut number, mut ts, mut model) = (number, None, None);
    let mut models: Vec<(String, Counters)> = Vec::new();
    let all = Counters::read(&mut walk.clone(), &NAMES);
    walk.object(|key, value| {
        match key {
            b"turnNumber" => number = value.count(),
            b"endedAt" => ts = stamp(value),
            b"primaryModelId" => model = value.text(),
            b"modelUsage" => {
                value.object(|model, value| {
                    let model = String::from_utf8_lossy(model).into_owned();
                    models.extend(Counters::read(value, &NAMES).map(|counters| (model, counters)));
                    true
                });
            }
            _ => {}
        }
        true
    });
    if models.is_empty() {
        models.extend(all.map(|counters| (model.unwrap_or_default().into_owned(), counters)));
    }
    let ts_ms = state.time(ts);
    for (model, counters) in &models {
        sink.request(Seen {
            record: Record {
                key: Cow::Owned(format!("{}:{}:{model}", state.session, number.unwrap_or(0))),
                session: Cow::Borrowed(&state.session),
                project: Some(Cow::Borrowed(&state.project)),
                model: Cow::Borrowed(model),
                bill: Bill { tokens: counters.inclusive(), ts_ms, ..Bill::default() },
                ..Record::default()
            },
            ..Seen::default()
        });
    }
}
