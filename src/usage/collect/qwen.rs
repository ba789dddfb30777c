//! Qwen Code: `projects/<directory>/chats/<session>.jsonl`, and `usage/token-usage-<month>.jsonl` for what it asks beside its chats,
//! such as what to remember of them. The latter has every request, those of chats under another id.

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
        home.places("QWEN_DATA_DIR", ".qwen").into_iter().flat_map(|base| [base.join("projects"), base.join("usage")]).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        let beside = within(path, "usage") && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("token-usage-"));
        (ends(path, ".jsonl") && (within(path, "chats") || beside)).then_some(Shape::Lines)
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
        if kind.is_none() && tokens.is_none() {
            return beside(line, ts_ms, sink);
        }
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

/// Of lines of `token-usage-*.jsonl`.
const VERSION: u64 = 1;

/// A chat's own requests stand in the chat.
fn beside(line: &[u8], ts_ms: i64, sink: &mut dyn Sink) {
    let (mut version, mut source) = (None, None);
    let mut record = Record::default();
    let [mut input, mut output, mut cached, mut thoughts, mut total] = [0; 5];
    Walk::new(line).object(|key, value| {
        let mut text = |place: &mut Cow<'_, str>| *place = Cow::Owned(value.text().unwrap_or_default().into_owned());
        match key {
            b"schemaVersion" => version = value.count(),
            b"id" => text(&mut record.key),
            b"sessionId" => text(&mut record.session),
            b"model" => text(&mut record.model),
            b"source" => source = value.text(),
            b"inputTokens" => input = value.count().unwrap_or(0),
            b"outputTokens" => output = value.count().unwrap_or(0),
            b"cachedTokens" => cached = value.count().unwrap_or(0),
            b"thoughtsTokens" => thoughts = value.count().unwrap_or(0),
            b"totalTokens" => total = value.count().unwrap_or(0),
            _ => {}
        }
        true
    });
    match (version, source.as_deref()) {
        (Some(version), _) if version > VERSION => sink.problem(Problem::Version),
        (Some(_), Some(source)) if source != "main" && !record.key.is_empty() => {
            record.bill = Bill { tokens: gemini::tokens(input, output, cached, thoughts, total), ts_ms, ..Bill::default() };
            sink.request(Seen { record, ..Seen::default() });
        }
        _ => {}
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
