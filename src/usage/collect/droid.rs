//! Droid: `sessions/<directory>/<session>.settings.json`, which holds a session's sums. Nothing tells of single requests, so a session
//! is one record, as large as its greatest sums; its time is that of the file's last change.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, above, ends, stem};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record};

pub(crate) struct Droid;

const NAMES: Names = [b"inputTokens", b"outputTokens", b"thinkingTokens", b"cacheReadTokens", b"cacheCreationTokens"];

impl Collector for Droid {
    fn word(&self) -> &'static str {
        "droid"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        home.places("DROID_SESSIONS_DIR", ".factory/sessions")
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        ends(path, ".settings.json").then_some(Shape::Document)
    }

    fn begin(&self, path: &Path) -> State {
        State { session: stem(path), project: above(path, 1), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let (mut model, mut provider, mut counters) = (None, None, None);
        Walk::new(line).object(|key, value| {
            match key {
                b"model" => model = value.text(),
                b"providerLock" => provider = value.text(),
                // Not `inclusiveTokenUsage`: children have files of their own.
                b"tokenUsage" => counters = Counters::read(value, &NAMES),
                _ => {}
            }
            true
        });
        // A model of the user's own settings is so marked.
        let model = model.map(|model: Cow<'_, str>| model.strip_prefix("custom:").map(|own| Cow::Owned(own.to_owned())).unwrap_or(model));
        let Some(counters) = counters.filter(|counters| !counters.is_nothing()) else { return };
        let tokens = counters.disjoint();
        sink.request(Seen {
            record: Record {
                key: Cow::Borrowed(&state.session),
                session: Cow::Borrowed(&state.session),
                project: Some(Cow::Borrowed(&state.project)),
                provider,
                model: model.unwrap_or_default(),
                bill: Bill { tokens, ts_ms: state.ts_ms, ..Bill::default() },
                ..Record::default()
            },
            rank: Some(tokens.total()),
            ..Seen::default()
        });
    }
}
