//! Kimi Code: `sessions/<directory>/<session>/agents/<agent>/wire.jsonl`, and the older Kimi CLI: `sessions/*/<session>/wire.jsonl`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, above, ends, within};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record};

pub(crate) struct Kimi;

const NAMES: Names = [b"inputOther", b"output", b"reasoning", b"inputCacheRead", b"inputCacheCreation"];
const OLD_NAMES: Names = [b"input_other", b"output", b"reasoning", b"input_cache_read", b"input_cache_creation"];

#[derive(Default)]
struct Told<'a> {
    agent: Option<Cow<'a, str>>,
    model: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    counters: Option<Counters>,
    ts_ms: Option<i64>,
}

impl Collector for Kimi {
    fn word(&self) -> &'static str {
        "kimi"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let mut bases = home.places("KIMI_CODE_HOME", ".kimi-code");
        bases.extend(home.places("KIMI_DATA_DIR", ".kimi"));
        bases.into_iter().map(|base| base.join("sessions")).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        ends(path, "wire.jsonl").then_some(Shape::Lines)
    }

    fn begin(&self, path: &Path) -> State {
        let up = if within(path, "agents") { 3 } else { 1 };
        State { session: above(path, up), project: above(path, up + 1), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let mut told = Told::default();
        let (mut is_usage, mut is_request) = (false, false);
        Walk::new(line).object(|key, value| {
            match key {
                b"type" => {
                    let kind = value.raw();
                    is_usage = kind == Some(b"usage.record");
                    is_request = kind == Some(b"llm.request");
                }
                b"agentId" => told.agent = value.text(),
                b"model" => told.model = value.text(),
                b"usage" => told.counters = Counters::read(value, &NAMES),
                b"time" => told.ts_ms = value.count().and_then(|ms| i64::try_from(ms).ok()),
                #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
                b"timestamp" => told.ts_ms = value.number().map(|seconds| (seconds * 1000.0) as i64),
                b"message" => is_usage |= old(value, &mut told),
                _ => {}
            }
            true
        });
        let ts_ms = state.time(told.ts_ms);
        if is_request {
            state.model = told.model.take().unwrap_or_default().into_owned();
        }
        let (true, Some(counters)) = (is_usage, told.counters) else { return };
        let agent = told.agent.as_deref().unwrap_or("main");
        // No request has a name here. One agent asks one thing at a time.
        let unnamed = || Cow::Owned(format!("{}/{agent}:{ts_ms}.{}.{}", state.session, counters.input, counters.output));
        sink.request(Seen {
            record: Record {
                key: told.id.unwrap_or_else(unnamed),
                session: Cow::Borrowed(&state.session),
                project: Some(Cow::Borrowed(&state.project)),
                agent_id: (agent != "main").then_some(Cow::Borrowed(agent)),
                // A record has the name of a configuration's entry; the request before it has the model's own.
                model: if state.model.is_empty() { told.model.unwrap_or_default() } else { Cow::Borrowed(&state.model) },
                bill: Bill { tokens: counters.disjoint(), ts_ms, ..Bill::default() },
                ..Record::default()
            },
            ..Seen::default()
        });
    }
}

/// `message {type: "StatusUpdate", payload {token_usage, message_id}}`
fn old<'a>(walk: &mut Walk<'a>, told: &mut Told<'a>) -> bool {
    let mut is_status = false;
    walk.object(|key, value| {
        match key {
            b"type" => is_status = value.raw() == Some(b"StatusUpdate"),
            b"payload" => {
                value.object(|key, value| {
                    match key {
                        b"token_usage" => told.counters = Counters::read(value, &OLD_NAMES),
                        b"message_id" => told.id = value.text(),
                        _ => {}
                    }
                    true
                });
            }
            _ => {}
        }
        true
    });
    is_status
}
