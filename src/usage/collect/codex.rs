//! Codex: `sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl`, the same under `archived_sessions`, and both packed by zstd.
//!
//! Since 0.15x an answer is told twice: as a `token_usage_record`, which has the answer's id, and as a `token_count`. Older files have
//! the second only, whose sums are written again at every refresh; there a request is its thread and the thread's sums after it.

mod count;
mod fork;
mod limits;
mod meta;

use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, ends, within};
use super::json::Walk;
use super::sink::Sink;
use super::state::State;
use super::time;

pub(crate) struct Codex;

impl Collector for Codex {
    fn word(&self) -> &'static str {
        "codex"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let bases = home.places("CODEX_HOME", ".codex");
        bases.into_iter().flat_map(|base| [base.join("sessions"), base.join("archived_sessions")]).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        if !within(path, "sessions") && !within(path, "archived_sessions") {
            return None;
        }
        if ends(path, ".jsonl.zst") {
            return Some(Shape::PackedLines);
        }
        ends(path, ".jsonl").then_some(Shape::Lines)
    }

    /// The thread's id ends the file's name; a file whose first line is lost still belongs to it.
    fn begin(&self, path: &Path) -> State {
        let stem = super::agent::stem(path);
        let id = stem.len().checked_sub(36).and_then(|at| stem.get(at..)).unwrap_or(&stem);
        State { session: id.to_owned(), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let mut ts: &[u8] = b"";
        let mut kind: &[u8] = b"";
        let mut payload = None;
        Walk::new(line).object(|key, value| {
            match key {
                b"timestamp" => ts = value.raw().unwrap_or_default(),
                b"type" => {
                    kind = value.raw().unwrap_or_default();
                    return tells(kind) && payload.is_none();
                }
                b"payload" => {
                    payload = Some(value.clone());
                    // In the usual order nothing is behind it. Most of a file's bytes are in payloads that are not even walked over.
                    return kind.is_empty();
                }
                _ => {}
            }
            true
        });
        let Some(mut payload) = payload.filter(|_| tells(kind)) else { return };
        let ts = time::millis(ts);
        if kind == b"event_msg" {
            return event(&mut payload, ts, state, sink);
        }
        fork::time(ts, state);
        match kind {
            b"session_meta" => meta::session(&mut payload, state),
            b"turn_context" => meta::turn(&mut payload, state),
            _ => count::record(&mut payload, state, sink),
        }
    }
}

fn tells(kind: &[u8]) -> bool {
    matches!(kind, b"event_msg" | b"session_meta" | b"turn_context" | b"token_usage_record")
}

fn event(payload: &mut Walk<'_>, ts: Option<i64>, state: &mut State, sink: &mut dyn Sink) {
    let whole = payload.clone();
    let mut kind: &[u8] = b"";
    // The type comes first; an event of another kind is left at once.
    payload.object(|key, value| {
        if key == b"type" {
            kind = value.raw().unwrap_or_default();
        }
        kind.is_empty()
    });
    let tell = match kind {
        b"token_count" => count::event,
        b"task_started" | b"turn_started" => meta::started,
        b"thread_settings_applied" => meta::settings,
        _ => return,
    };
    fork::time(ts, state);
    tell(&mut whole.clone(), state, sink);
}
