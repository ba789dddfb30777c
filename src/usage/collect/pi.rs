//! pi and its fork omp: `sessions/--<directory>--/<time>_<id>.jsonl`. Branches copy what was before them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, ends, stem};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::time;
use super::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record};

pub(crate) struct Pi;

const NAMES: Names = [b"input", b"output", b"reasoning", b"cacheRead", b"cacheWrite"];

impl Collector for Pi {
    fn word(&self) -> &'static str {
        "pi"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let mut roots = home.places("PI_AGENT_DIR", ".pi/agent/sessions");
        roots.push(home.path.join(".omp/agent/sessions"));
        roots
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        ends(path, ".jsonl").then_some(Shape::Lines)
    }

    fn begin(&self, path: &Path) -> State {
        let stem = stem(path);
        let id = stem.rsplit('_').next().unwrap_or_default().to_owned();
        State { session: id, ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        let (mut kind, mut id, mut cwd, mut ts, mut message) = (None, None, None, None, None);
        Walk::new(line).object(|key, value| {
            match key {
                b"type" => kind = value.raw(),
                b"id" => id = value.text(),
                b"cwd" => cwd = value.text(),
                b"timestamp" => ts = value.raw().and_then(time::millis),
                b"message" => message = Some(value.clone()),
                _ => {}
            }
            true
        });
        let ts_ms = state.time(ts);
        match (kind, message) {
            (Some(b"session"), _) => {
                state.session = id.map_or_else(|| std::mem::take(&mut state.session), Cow::into_owned);
                state.project = cwd.unwrap_or_default().into_owned();
            }
            (Some(b"message"), Some(mut message)) => tell(&mut message, id, ts_ms, state, sink),
            _ => {}
        }
    }
}

fn tell(walk: &mut Walk<'_>, id: Option<Cow<'_, str>>, ts_ms: i64, state: &State, sink: &mut dyn Sink) {
    let (mut role, mut provider, mut model, mut response, mut counters, mut cost) = (None, None, None, None, None, None);
    walk.object(|key, value| {
        match key {
            b"role" => role = value.raw(),
            b"provider" => provider = value.text(),
            b"model" => model = value.text(),
            b"responseId" => response = value.text(),
            b"usage" => {
                counters = Counters::read(&mut value.clone(), &NAMES);
                cost = total(value);
            }
            _ => {}
        }
        true
    });
    let (Some(b"assistant"), Some(counters)) = (role, counters) else { return };
    // An entry's own id has eight digits: not enough to be the only one.
    let key = response.unwrap_or_else(|| Cow::Owned(format!("{}:{ts_ms}", id.unwrap_or_default())));
    sink.request(Seen {
        record: Record {
            key,
            session: Cow::Borrowed(&state.session),
            project: (!state.project.is_empty()).then_some(Cow::Borrowed(state.project.as_str())),
            provider,
            model: model.unwrap_or_default(),
            bill: Bill { tokens: counters.disjoint(), ts_ms, ..Bill::default() },
            source_cost: cost,
            ..Record::default()
        },
        ..Seen::default()
    });
}

/// `cost.total`; 0 is one that pi does not know.
fn total(usage: &mut Walk<'_>) -> Option<f64> {
    let mut total = None;
    usage.object(|key, value| {
        if key == b"cost" {
            value.object(|key, value| {
                if key == b"total" {
                    total = value.number();
                }
                true
            });
        }
        true
    });
    total.filter(|cost| *cost > 0.0)
}
