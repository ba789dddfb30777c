//! Where the replay of another thread ends.
//!
//! In the older history mode a fork's file begins with its ancestors' items, stamped anew within seconds or with their own times. What
//! is replayed was billed to the ancestor. Times of lines are no identity, and neither are equal counts: two forks of one thread may
//! well use the same. So a replayed request is told as a copy under its own thread's name, and the index knows the original by it.

use crate::usage::collect::state::{Fork, State};
use crate::usage::collect::time;

/// Longer than this between two lines, and an agent was waiting for a model.
const PAUSE_MS: i64 = 1000;

pub(super) fn begin(born_ms: i64, parent: &str, replays: bool, state: &mut State) {
    let ancestors = vec![(parent.to_owned(), time::of_uuid7(parent).unwrap_or(0))];
    let replaying = if replays { parent.to_owned() } else { String::new() };
    state.fork = Some(Box::new(Fork { born_ms, ancestors, replaying, by_rhythm: true }));
}

/// The file brings the description of another thread: what follows is that one's.
pub(super) fn ancestor(id: &str, state: &mut State) {
    let born_ms = time::of_uuid7(&state.session).unwrap_or(state.ts_ms);
    let fork = state.fork.get_or_insert_with(|| Box::new(Fork { born_ms, by_rhythm: true, ..Fork::default() }));
    if !fork.ancestors.iter().any(|(known, _)| known == id) {
        fork.ancestors.push((id.to_owned(), time::of_uuid7(id).unwrap_or(0)));
    }
    if fork.replaying.is_empty() {
        fork.replaying = fork.ancestors.first().map(|(id, _)| id.clone()).unwrap_or_default();
    }
}

/// A turn begins. Its id tells when it first did, and so whose it is: the youngest thread's that was there.
pub(super) fn turn(id: Option<&str>, state: &mut State) {
    let Some(began) = id.and_then(time::of_uuid7) else { return rhythm(state) };
    let Some(fork) = &mut state.fork else { return };
    if began >= fork.born_ms {
        state.fork = None;
        return;
    }
    fork.by_rhythm = false;
    let there = fork.ancestors.iter().filter(|(_, born)| *born <= began).max_by_key(|(_, born)| *born);
    let owner = there.or_else(|| fork.ancestors.iter().min_by_key(|(_, born)| *born));
    fork.replaying = owner.map(|(id, _)| id.clone()).unwrap_or_default();
}

/// Before turns had ids: a replay is written without a pause, or has the times of what it replays.
pub(super) fn rhythm(state: &mut State) {
    if state.paused && state.fork.as_ref().is_some_and(|fork| fork.by_rhythm && state.ts_ms >= fork.born_ms) {
        state.fork = None;
    }
}

/// Takes a line's time, and whether anything was waited for since the line before it.
pub(super) fn time(ts: Option<i64>, state: &mut State) {
    let before = state.ts_ms;
    state.paused = state.time(ts).saturating_sub(before) >= PAUSE_MS;
}

/// Whose request is told of now, and whether that is a copy.
pub(super) fn owner(state: &State) -> (&str, bool) {
    match &state.fork {
        Some(fork) if !fork.replaying.is_empty() => (&fork.replaying, true),
        _ => (&state.session, false),
    }
}
