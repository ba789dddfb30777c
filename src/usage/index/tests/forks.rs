//! Codex's older history mode: a fork's file begins with its ancestors' items.

use super::codex::{T, at, count, file, meta, meta_at, turn};
use super::{Logs, Seen, sum};

/// Ids of version 7 with times 19:38:30 and later, after the parent's 19:37:52.
const CHILD: &str = "01a204c4-6868-7000-8000-000000000001";
const SIBLING: &str = "01a204c4-6868-7000-8000-000000000002";
const PARENT_TURN: &str = "01a204c3-d40c-77d2-9ac6-1d90616168ee";
const CHILD_TURN: &str = "01a204c4-7000-7000-8000-000000000003";

fn context(second: u32, id: &str) -> String {
    at(second, "turn_context", &format!(r#""turn_id":"{id}","model":"gpt-5.5""#))
}

fn own_turns(second: u32) -> String {
    [context(second, PARENT_TURN), count(second + 1, [100, 0, 0, 10], [100, 0, 0, 10]), count(second + 2, [250, 0, 0, 20], [150, 0, 0, 10])]
        .concat()
}

fn metas(child: &str) -> String {
    [meta_at(30, child, &format!(r#","forked_from_id":"{T}""#)), meta_at(30, T, "")].concat()
}

fn parent() -> String {
    [meta(T, ""), own_turns(1)].concat()
}

/// A child's file: its own description, the parent's, the parent's items, its own turn.
fn fork(child: &str, second: u32) -> String {
    let own = [context(second + 9, CHILD_TURN), count(second + 10, [450, 0, 0, 30], [200, 0, 0, 10])].concat();
    [metas(child), own_turns(second), own].concat()
}

fn sessions(rows: &[Seen]) -> Vec<(&str, u64)> {
    let mut all: Vec<_> = rows.iter().map(|row| (&*row.record.session, row.record.bill.tokens.input)).collect();
    all.sort_unstable();
    all
}

#[test]
fn x03_x04_what_a_fork_replays_is_its_parent_s() {
    let logs = Logs::new();
    logs.write(&file(T), parent()).write(&file(CHILD), fork(CHILD, 60));
    assert_eq!(sessions(&logs.rows()), [(T, 100), (T, 150), (CHILD, 200)]);
}

#[test]
fn x05_forks_of_one_thread_with_equal_counts_are_two() {
    let logs = Logs::new();
    logs.write(&file(T), parent()).write(&file(CHILD), fork(CHILD, 60)).write(&file(SIBLING), fork(SIBLING, 60));
    assert_eq!(sum(&logs.rows()).0, 4);
}

#[test]
fn x06_a_replay_without_turn_ids_ends_where_its_rhythm_does() {
    let plain = |second| {
        [turn(second, "gpt-5.5"), count(second, [100, 0, 0, 10], [100, 0, 0, 10]), count(second, [250, 0, 0, 20], [150, 0, 0, 10])].concat()
    };
    // The child's id and description are from 19:38:30. Its parent's items have their own times, or are stamped anew.
    let own = [turn(40, "gpt-5.5"), count(45, [450, 0, 0, 30], [200, 0, 0, 10])].concat();
    for replay in [plain(0), plain(30)] {
        let logs = Logs::new();
        logs.write(&file(T), [meta(T, ""), plain(1)].concat()).write(&file(CHILD), [metas(CHILD), replay, own.clone()].concat());
        assert_eq!(sessions(&logs.rows()), [(T, 100), (T, 150), (CHILD, 200)]);
    }
}

#[test]
fn x07_an_unknown_parent_s_history_counts_once_however_many_forks_bring_it() {
    let logs = Logs::new();
    logs.write(&file(CHILD), fork(CHILD, 60)).write(&file(SIBLING), fork(SIBLING, 60));
    assert_eq!(sessions(&logs.rows()), [(T, 100), (T, 150), (CHILD, 200), (SIBLING, 200)]);
    // And still once when the parent turns up.
    logs.write(&file(T), parent());
    assert_eq!(logs.rows().len(), 4);
}

#[test]
fn a_replay_of_sums_is_known_by_the_answers_they_were_told_with() {
    let record = |second: u32, id: &str, used: u64, sums: u64| {
        let of = |input| format!(r#"{{"input_tokens":{input},"output_tokens":10}}"#);
        let (used, sums) = (of(used), format!(r#"{{"input_tokens":{sums},"output_tokens":{}}}"#, sums / 10));
        at(second, "token_usage_record", &format!(r#""thread_id":"{T}","response_id":"{id}","usage":{used},"thread_token_usage":{sums}"#))
    };
    let bare = |second, total: u64, last: u64| {
        let info = format!(
            r#"{{"total_token_usage":{{"input_tokens":{total},"output_tokens":{}}},"last_token_usage":{{"input_tokens":{last},"output_tokens":10}}}}"#,
            total / 10
        );
        at(second, "event_msg", &format!(r#""type":"token_count","info":{info}"#))
    };
    let parent = [
        meta(T, ""),
        context(1, PARENT_TURN),
        record(2, "resp_1", 100, 100),
        bare(2, 100, 100),
        record(3, "resp_2", 150, 250),
        bare(3, 250, 150),
    ];
    let replay = [context(60, PARENT_TURN), bare(61, 100, 100), bare(61, 250, 150)].concat();
    let child = [metas(CHILD), replay, context(70, CHILD_TURN), bare(71, 450, 200)].concat();
    for first in [true, false] {
        let logs = Logs::new();
        let (parent, child) = ((file(T), parent.concat()), (file(CHILD), child.clone()));
        for (name, text) in if first { [&parent, &child] } else { [&child, &parent] } {
            logs.write(name, text);
            drop(logs.look());
        }
        assert_eq!(sessions(&logs.rows()), [(T, 100), (T, 150), (CHILD, 200)]);
    }
}
