//! Qwen Code: `projects/<directory>/chats/<session>.jsonl`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, ends, stem, within};
use super::gemini;
use super::json::Walk;
use super::sink::{Problem, Seen, Sink};
use super::state::State;
use super::time;
use crate::usage::record::{Bill, Record, Tokens};

pub(crate) struct Qwen;

impl Collector for Qwen {
    fn word(&self) -> &'static str {
        "qwen"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        home.places("QWEN_DATA_DIR", ".qwen").into_iter().map(|base| base.join("projects")).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        (ends(path, ".jsonl") && within(path, "chats")).then_some(Shape::Lines)
    }

    fn begin(&self, path: &Path) -> State {
        State { session: stem(path), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let (mut id, mut session, mut kind, mut model, mut cwd, mut ts, mut tokens) = (None, None, None, None, None, None, None);
        Walk::new(line).object(|key, value| {
            match key {
                b"uuid" => id = value.text(),
                b"sessionId" => session = value.text(),
                b"type" => kind = value.raw(),
                b"model" => model = value.text(),
                b"cwd" => cwd = value.text(),
                b"timestamp" => ts = value.raw().and_then(time::millis),
                b"usageMetadata" => tokens = read(value),
                _ => {}
            }
            true
        });
        let ts_ms = state.time(ts);
        let (Some(b"assistant"), Some(tokens)) = (kind, tokens) else { return };
        if id.is_none() {
            sink.problem(Problem::Incomplete);
        }
        sink.request(Seen {
            record: Record {
                key: id.unwrap_or_else(|| Cow::Owned(format!("{}:{}", state.session, state.lines))),
                session: session.unwrap_or(Cow::Borrowed(&state.session)),
                project: cwd,
                model: model.unwrap_or_default(),
                bill: Bill { tokens, ts_ms, ..Bill::default() },
                ..Record::default()
            },
            ..Seen::default()
        });
    }
}

fn read(walk: &mut Walk<'_>) -> Option<Tokens> {
    let (mut input, mut output, mut cached, mut thoughts, mut total, mut any) = (0, 0, 0, 0, 0, false);
    walk.object(|key, value| {
        let place = match key {
            b"promptTokenCount" => &mut input,
            b"candidatesTokenCount" => &mut output,
            b"cachedContentTokenCount" => &mut cached,
            b"thoughtsTokenCount" => &mut thoughts,
            b"totalTokenCount" => &mut total,
            _ => return true,
        };
        *place = value.count().unwrap_or(0);
        any = true;
        true
    });
    any.then(|| gemini::tokens(input, output, cached, thoughts, total))
}
