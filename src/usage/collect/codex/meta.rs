//! Whose a file is, and which model and tier a turn has.

use super::fork;
use crate::usage::collect::json::Walk;
use crate::usage::collect::sink::Sink;
use crate::usage::collect::state::State;
use crate::usage::collect::time;

/// Names a kind of work, not a model.
const LABEL: &str = "codex-auto-review";

pub(super) fn session(payload: &mut Walk<'_>, state: &mut State) {
    let (mut id, mut session, mut forked_from, mut spawned_by) = (None, None, None, None);
    let (mut cwd, mut provider, mut paginated) = (None, None, false);
    let mut born = None;
    payload.object(|key, value| {
        match key {
            b"id" => id = value.text(),
            b"session_id" => session = value.text(),
            b"forked_from_id" => forked_from = value.text(),
            b"parent_thread_id" => spawned_by = value.text().or(spawned_by.take()),
            b"source" => spawned_by = source(value).map(Into::into).or(spawned_by.take()),
            b"timestamp" => born = value.raw().and_then(time::millis),
            b"cwd" => cwd = value.text(),
            b"model_provider" => provider = value.text(),
            b"history_mode" => paginated = value.raw() == Some(b"paginated"),
            _ => {}
        }
        true
    });
    let Some(id) = id.or(session) else { return };
    if state.begun {
        if id != state.session && !state.paginated {
            fork::ancestor(&id, state);
        }
        return;
    }
    state.begun = true;
    state.paginated = paginated;
    let set = |place: &mut String, told: Option<std::borrow::Cow<'_, str>>| {
        if let Some(told) = told {
            *place = told.into_owned();
        }
    };
    let born = time::of_uuid7(&id).or(born).unwrap_or(state.ts_ms);
    set(&mut state.session, Some(id));
    set(&mut state.project, cwd);
    set(&mut state.provider, provider);
    let replays = forked_from.is_some();
    if let Some(parent) = forked_from.or(spawned_by) {
        if !paginated {
            fork::begin(born, &parent, replays, state);
        }
        set(&mut state.parent, Some(parent));
    }
}

/// `source.subagent.thread_spawn.parent_thread_id`. Of a thread no other one began it is a word.
fn source(walk: &mut Walk<'_>) -> Option<String> {
    let mut parent = None;
    walk.object(|key, value| {
        if key == b"subagent" || key == b"thread_spawn" {
            parent = source(value).or(parent.take());
        } else if key == b"parent_thread_id" {
            parent = value.text().map(Into::into);
        }
        true
    });
    parent
}

pub(super) fn turn(payload: &mut Walk<'_>, state: &mut State) {
    let mut id = None;
    payload.object(|key, value| {
        match key {
            b"turn_id" => id = value.text(),
            b"model" => model(value, state),
            b"service_tier" => state.tier = value.text().unwrap_or_default().into_owned(),
            b"cwd" if state.project.is_empty() => state.project = value.text().unwrap_or_default().into_owned(),
            _ => {}
        }
        true
    });
    fork::turn(id.as_deref(), state);
}

pub(super) fn started(payload: &mut Walk<'_>, state: &mut State, _: &mut dyn Sink) {
    let mut id = None;
    payload.object(|key, value| {
        if key == b"turn_id" {
            id = value.text();
        }
        true
    });
    fork::turn(id.as_deref(), state);
}

/// All settings of the thread from here on: without a tier it has none.
pub(super) fn settings(payload: &mut Walk<'_>, state: &mut State, _: &mut dyn Sink) {
    payload.object(|key, value| {
        if key == b"thread_settings" {
            state.tier.clear();
            value.object(|key, value| {
                match key {
                    b"model" => model(value, state),
                    b"service_tier" => state.tier = value.text().unwrap_or_default().into_owned(),
                    _ => {}
                }
                true
            });
        }
        true
    });
}

pub(super) fn model(value: &mut Walk<'_>, state: &mut State) {
    if let Some(model) = value.text().filter(|model| model != LABEL) {
        state.model = model.into_owned();
    }
}
