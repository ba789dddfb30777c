//! What an answer used.

use std::borrow::Cow;

use super::{fork, limits, meta};
use crate::usage::collect::json::Walk;
use crate::usage::collect::sink::{Seen, Sink};
use crate::usage::collect::state::State;
use crate::usage::collect::tokens::{Counters, Names};
use crate::usage::record::{Bill, Record, ServiceTier};

const NAMES: Names = [b"input_tokens", b"output_tokens", b"reasoning_output_tokens", b"cached_input_tokens", b"cache_write_input_tokens"];

/// Nobody told the model. It is not guessed.
const UNKNOWN: &str = "unknown";

/// `token_usage_record`: one answer, with its id.
pub(super) fn record(payload: &mut Walk<'_>, state: &mut State, sink: &mut dyn Sink) {
    let (mut thread, mut response, mut usage, mut sums) = (None, None, None, None);
    payload.object(|key, value| {
        match key {
            b"thread_id" => thread = value.text(),
            b"response_id" => response = value.text(),
            b"usage" => usage = Counters::read(value, &NAMES),
            b"thread_token_usage" => sums = Counters::read(value, &NAMES),
            _ => {}
        }
        true
    });
    let Some(usage) = usage else { return };
    fork::rhythm(state);
    state.one_by_one = true;
    let (owner, replayed) = fork::owner(state);
    let owner = thread.as_deref().unwrap_or(owner).to_owned();
    let copy = replayed || owner != state.session;
    let by_sums = sums.map(|sums| key(&owner, state.resets, sums, usage));
    state.sums = sums.or(state.sums);
    let Some(name) = response.map(Cow::into_owned).or_else(|| by_sums.clone()) else { return };
    tell(&name, &owner, usage, copy, false, state, sink);
    // A fork's replay may bring the sums alone. They are this answer's.
    if let Some(by_sums) = by_sums.filter(|by_sums| !state.paginated && *by_sums != name) {
        tell(&by_sums, &owner, usage, copy, true, state, sink);
    }
}

/// `token_count`: the thread's sums, the last answer's counts, and the account's limits. Any of them may be missing.
pub(super) fn event(payload: &mut Walk<'_>, state: &mut State, sink: &mut dyn Sink) {
    let (mut sums, mut last) = (None, None);
    fork::rhythm(state);
    let told_at = state.ts_ms;
    let replayed = fork::owner(state).1;
    payload.object(|key, value| {
        match key {
            b"info" => {
                value.object(|key, value| {
                    match key {
                        b"total_token_usage" => sums = Counters::read(value, &NAMES),
                        b"last_token_usage" => last = Counters::read(value, &NAMES),
                        b"model" if state.model.is_empty() => meta::model(value, state),
                        _ => {}
                    }
                    true
                });
            }
            b"rate_limits" if !replayed => limits::read(value, told_at, sink),
            _ => {}
        }
        true
    });
    let before = state.sums;
    // The same sums again: only shown again. No sums at all: nothing to go by.
    let Some(sums) = sums.filter(|sums| !sums.is_nothing() && Some(*sums) != before) else { return };
    state.sums = Some(sums);
    if state.one_by_one {
        return;
    }
    let back = before.is_some_and(|before| sums.sum() < before.sum());
    state.resets += u32::from(back);
    let used = match (last, before) {
        (Some(last), _) => last,
        (None, Some(before)) if !back => sums.less(before),
        (None, _) => sums,
    };
    if used.is_nothing() {
        return;
    }
    let (owner, copy) = fork::owner(state);
    let owner = owner.to_owned();
    tell(&key(&owner, state.resets, sums, used), &owner, used, copy, false, state, sink);
}

fn key(thread: &str, resets: u32, sums: Counters, used: Counters) -> String {
    let mut key = String::with_capacity(thread.len() + 64);
    key.push_str(thread);
    let parts = [(':', u64::from(resets)), (':', sums.input), ('.', sums.output), ('.', used.input), ('.', used.output)];
    for (mark, number) in parts {
        key.push(mark);
        decimal(&mut key, number);
    }
    key
}

/// What `{number}` would write; made for each answer of a long history, where the machinery of formats is what costs.
fn decimal(to: &mut String, mut number: u64) {
    let mut digits = ['0'; 20];
    let mut first = digits.len();
    for place in digits.iter_mut().rev() {
        first -= 1;
        *place = char::from(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    to.extend(digits.iter().skip(first));
}

fn tell(key: &str, owner: &str, used: Counters, copy: bool, elsewhere: bool, state: &State, sink: &mut dyn Sink) {
    let some = |text: &'static str, known: &str| if known.is_empty() { text.to_owned() } else { known.to_owned() };
    let parent = (!copy && !state.parent.is_empty()).then_some(Cow::Borrowed(state.parent.as_str()));
    sink.request(Seen {
        record: Record {
            key: Cow::Borrowed(key),
            session: Cow::Borrowed(owner),
            parent_session: parent,
            project: (!state.project.is_empty()).then_some(Cow::Borrowed(state.project.as_str())),
            provider: (!state.provider.is_empty()).then_some(Cow::Borrowed(state.provider.as_str())),
            model: Cow::Owned(some(UNKNOWN, &state.model)),
            bill: Bill { tokens: used.inclusive(), tier: ServiceTier::of(&state.tier), ts_ms: state.ts_ms, ..Bill::default() },
            ..Record::default()
        },
        copy,
        elsewhere,
        ..Seen::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_a_format_would_write() {
        for number in [0, 9, 10, 4_711, u64::MAX] {
            let sums = Counters { input: number, output: 1, ..Counters::default() };
            let used = Counters { input: 20, output: number, ..Counters::default() };
            assert_eq!(key("t", 3, sums, used), format!("t:3:{number}.1.20.{number}"));
        }
    }
}
