//! Gemini CLI: `tmp/<project>/chats/session-*.jsonl`, older ones `.json`. A message may be written again; the last writing counts.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, above, ends, within};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::time;
use crate::usage::record::{Bill, Record, Tokens};

pub(crate) struct Gemini;

impl Collector for Gemini {
    fn word(&self) -> &'static str {
        "gemini"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = home.listed("GEMINI_DATA_DIR").into_iter().map(|base| base.join("tmp")).collect();
        roots.extend(home.places("GEMINI_CLI_HOME", "").into_iter().map(|base| base.join(".gemini/tmp")));
        roots
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        match () {
            () if !within(path, "chats") => None,
            () if ends(path, ".jsonl") => Some(Shape::Lines),
            () if ends(path, ".json") => Some(Shape::Document),
            () => None,
        }
    }

    fn begin(&self, path: &Path) -> State {
        State { session: super::agent::stem(path), project: above(path, 2), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        object(&mut Walk::new(line), state, sink);
    }
}

/// A header, a change (`$set`), a whole session, or one message.
fn object(walk: &mut Walk<'_>, state: &mut State, sink: &mut dyn Sink) {
    let (mut id, mut kind, mut model, mut ts, mut tokens) = (None, None, None, None, None);
    walk.object(|key, value| {
        match key {
            b"sessionId" => {
                if let Some(session) = value.text() {
                    state.session = session.into_owned();
                }
            }
            b"$set" => object(value, state, sink),
            b"messages" => value.array(|value| object(value, state, sink)),
            b"id" => id = value.text(),
            b"type" => kind = value.raw(),
            b"model" => model = value.text(),
            b"timestamp" => ts = value.raw().and_then(time::millis),
            b"tokens" => tokens = read(value),
            _ => {}
        }
        true
    });
    let (Some(b"gemini"), Some(id), Some(tokens)) = (kind, id, tokens) else { return };
    let bill = Bill { tokens, ts_ms: state.time(ts), ..Bill::default() };
    sink.request(Seen {
        record: Record {
            key: id,
            session: Cow::Borrowed(&state.session),
            project: Some(Cow::Borrowed(&state.project)),
            model: model.unwrap_or_default(),
            bill,
            ..Record::default()
        },
        rank: Some(state.lines),
        ..Seen::default()
    });
}

fn read(walk: &mut Walk<'_>) -> Option<Tokens> {
    let mut counts = [0_u64; 6];
    let mut any = false;
    walk.object(|key, value| {
        let names: [&[u8]; 6] = [b"input", b"output", b"cached", b"thoughts", b"tool", b"total"];
        if let Some(place) = names.iter().position(|name| *name == key).and_then(|at| counts.get_mut(at)) {
            *place = value.count().unwrap_or(0);
            any = true;
        }
        true
    });
    let [input, output, cached, thoughts, tool, total] = counts;
    any.then(|| tokens(input.saturating_add(tool), output, cached, thoughts, total))
}

/// The prompt includes what the cache had. Google counts thoughts beside the output and other vendors' endpoints inside it; the total
/// tells which.
pub(super) fn tokens(input: u64, output: u64, cached: u64, thoughts: u64, total: u64) -> Tokens {
    let inside = total == input.saturating_add(output);
    Tokens {
        input: input.saturating_sub(cached),
        output: if inside { output } else { output.saturating_add(thoughts) },
        reasoning: if inside { thoughts.min(output) } else { thoughts },
        cache_read: cached.min(input),
        ..Tokens::default()
    }
}
