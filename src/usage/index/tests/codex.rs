//! Codex's rules. Where a rule is one that other trackers miss, the test is named by the case (X..).

use super::{Logs, Seen, fixture, sum};
use crate::usage::record::ServiceTier;

pub(super) const T: &str = "01a204c3-d3ff-7013-906e-e30303c8271c";

pub(super) fn file(thread: &str) -> String {
    format!(".codex/sessions/2026/11/22/rollout-2026-11-22T19-37-52-{thread}.jsonl")
}

pub(super) fn at(second: u32, kind: &str, payload: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!("{{\"timestamp\":\"2026-11-22T19:{:02}:{second:02}.500Z\",\"type\":\"{kind}\",\"payload\":{{{payload}}}}}\n", 38 + minute)
}

pub(super) fn meta(thread: &str, more: &str) -> String {
    meta_at(0, thread, more)
}

pub(super) fn meta_at(second: u32, thread: &str, more: &str) -> String {
    at(second, "session_meta", &format!(r#""id":"{thread}","cwd":"/w","model_provider":"openai"{more}"#))
}

pub(super) fn turn(second: u32, model: &str) -> String {
    at(second, "turn_context", &format!(r#""cwd":"/w","model":"{model}""#))
}

/// Input, cached, written, output.
pub(super) type Four = [u64; 4];

pub(super) fn counts([input, cached, written, output]: Four) -> String {
    format!(
        r#"{{"input_tokens":{input},"cached_input_tokens":{cached},"cache_write_input_tokens":{written},"output_tokens":{output},"reasoning_output_tokens":2,"total_tokens":{}}}"#,
        input + output
    )
}

pub(super) fn count(second: u32, total: Four, last: Four) -> String {
    let info = format!(r#"{{"total_token_usage":{},"last_token_usage":{}}}"#, counts(total), counts(last));
    at(second, "event_msg", &format!(r#""type":"token_count","info":{info},"rate_limits":null"#))
}

fn rows_of(text: impl AsRef<[u8]>) -> Vec<Seen> {
    let logs = Logs::new();
    logs.write(&file(T), text);
    logs.rows()
}

#[test]
fn an_answer_told_as_record_and_as_count_is_one_and_a_resumed_thread_goes_on() {
    let rows = rows_of(fixture("codex-0.169-rollout-resumed.jsonl"));
    let (count, tokens) = sum(&rows);
    assert_eq!((count, tokens.input, tokens.cache_read, tokens.output, tokens.reasoning), (2, 1334, 888, 444, 110));
    assert_eq!((&*rows[0].record.key, &*rows[0].record.model), ("resp_29de709ee0af44ff9b66f54b", "gpt-5"));
    assert_eq!((&*rows[0].record.session, rows[0].record.project.as_deref()), (T, Some("/home/user/project")));
}

#[test]
fn x01_sums_told_again_are_no_new_request() {
    let text = [meta(T, ""), turn(1, "gpt-5.5"), count(2, [100, 0, 0, 10], [100, 0, 0, 10]), count(3, [100, 0, 0, 10], [100, 0, 0, 10])];
    let again = [count(4, [250, 50, 0, 20], [150, 50, 0, 10]), count(5, [250, 50, 0, 20], [150, 50, 0, 10])];
    let (count, tokens) = sum(&rows_of([text.concat(), again.concat()].concat()));
    assert_eq!((count, tokens.input, tokens.cache_read, tokens.output), (2, 200, 50, 20));
}

#[test]
fn x02_sums_alone_count_by_what_they_grew() {
    let bare =
        |second, total| at(second, "event_msg", &format!(r#""type":"token_count","info":{{"total_token_usage":{}}}"#, counts(total)));
    let text = [meta(T, ""), bare(1, [100, 0, 0, 10]), bare(2, [300, 0, 0, 30]), bare(3, [50, 0, 0, 5])].concat();
    let (count, tokens) = sum(&rows_of(text));
    assert_eq!((count, tokens.input, tokens.output), (3, 350, 35));
}

#[test]
fn x08_a_forks_first_sums_include_its_parent_and_are_not_its_own_usage() {
    let child = "01a204d0-0000-7013-906e-e30303c8271c";
    let more = format!(r#","forked_from_id":"{T}","history_mode":"paginated""#);
    let text = [meta(child, &more), count(1, [4444, 0, 0, 4], [1111, 0, 0, 1])].concat();
    let logs = Logs::new();
    logs.write(&file(child), text);
    let rows = logs.rows();
    assert_eq!((rows.len(), rows[0].record.bill.tokens.input), (1, 1111));
    assert_eq!(rows[0].record.parent_session.as_deref(), Some(T));
}

#[test]
fn x09_a_child_whose_count_equals_its_parent_s_is_not_dropped() {
    let child = "01a204d0-0000-7013-906e-e30303c8271c";
    let logs = Logs::new();
    logs.write(&file(T), [meta(T, ""), count(1, [100, 0, 0, 1], [100, 0, 0, 1])].concat());
    let more = format!(r#","forked_from_id":"{T}","history_mode":"paginated""#);
    logs.write(&file(child), [meta(child, &more), count(1, [200, 0, 0, 2], [100, 0, 0, 1])].concat());
    assert_eq!(logs.sum().0, 2);
}

#[test]
fn x10_the_prompt_of_each_request_is_kept_for_thresholds() {
    let rows = rows_of([meta(T, ""), turn(1, "gpt-5.5"), count(2, [280_000, 200_000, 0, 10], [280_000, 200_000, 0, 10])].concat());
    assert_eq!(rows[0].record.bill.tokens.prompt(), 280_000);
}

#[test]
fn x11_a_turn_s_model_is_its_own_and_none_is_guessed() {
    let text = [meta(T, ""), count(1, [10, 0, 0, 1], [10, 0, 0, 1]), turn(2, "gpt-5.5"), count(3, [30, 0, 0, 2], [20, 0, 0, 1])];
    let more =
        [turn(4, "codex-auto-review"), count(5, [60, 0, 0, 3], [30, 0, 0, 1]), turn(6, "o5"), count(7, [100, 0, 0, 4], [40, 0, 0, 1])];
    let mut rows = rows_of([text.concat(), more.concat()].concat());
    rows.sort_by_key(|row| row.record.bill.ts_ms);
    assert_eq!(rows.iter().map(|row| &*row.record.model).collect::<Vec<_>>(), ["unknown", "gpt-5.5", "gpt-5.5", "o5"]);
}

#[test]
fn x12_writes_are_a_part_of_the_input_and_taken_off_it() {
    let tokens = sum(&rows_of([meta(T, ""), count(1, [58000, 50000, 7000, 227], [58000, 50000, 7000, 227])].concat())).1;
    assert_eq!((tokens.input, tokens.cache_read, tokens.cache_write_other, tokens.total()), (1000, 50000, 7000, 58227));
}

#[test]
fn x13_limits_without_counts_are_no_request_and_tell_the_windows() {
    let logs = Logs::new();
    let limits = |used: f64| {
        format!(
            r#""type":"token_count","info":null,"rate_limits":{{"limit_id":"codex","primary":{{"used_percent":{used},"window_minutes":300,"resets_at":1795380000}},"secondary":{{"used_percent":3,"window_minutes":10080}},"plan_type":"pro"}}"#
        )
    };
    logs.write(&file(T), [meta(T, ""), at(2, "event_msg", &limits(12.5)), at(1, "event_msg", &limits(99.0))].concat());
    let (index, _) = logs.look();
    assert!(super::rows(&index).is_empty());
    let (agent, profile, limit) = index.limits().next().unwrap();
    assert_eq!((agent, profile, limit.plan.as_deref(), limit.windows.len()), ("codex", None, Some("pro"), 2));
    let first = limit.windows[0];
    assert_eq!((first.used_percent, first.minutes, first.resets_ms), (12.5, 300, 1_795_380_000_000));
}

#[test]
fn x14_a_packed_rollout_counts_and_its_plain_sibling_is_read_in_its_place() {
    let text = fixture("codex-0.169-rollout-resumed.jsonl");
    let packed = ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let logs = Logs::new();
    logs.write(&format!("{}.zst", file(T)), &packed);
    assert_eq!(logs.sum().0, 2);
    logs.write(&file(T), &text);
    let (index, report) = logs.look();
    assert_eq!((super::rows(&index).len(), report.files_found), (2, 1));
    std::fs::remove_file(logs.path(&file(T))).unwrap();
    logs.write(".codex/archived_sessions/rollout-x.jsonl.zst", [packed.clone(), packed].concat());
    assert_eq!(logs.sum().0, 2);
}

#[test]
fn x15_sums_that_go_down_start_anew_and_no_request_is_lost() {
    let (one, two) = ([100, 0, 0, 10], [200, 0, 0, 20]);
    let text = [meta(T, ""), count(1, one, one), count(2, two, one), count(3, one, one), count(4, two, one)].concat();
    let (count, tokens) = sum(&rows_of(text));
    assert_eq!((count, tokens.input, tokens.output), (4, 400, 40));
}

#[test]
fn counts_of_nothing_change_nothing() {
    let (none, one) = ([0, 0, 0, 0], [100, 0, 0, 10]);
    let zero = count(2, none, none).replace(r#""reasoning_output_tokens":2"#, r#""reasoning_output_tokens":0"#);
    assert_eq!(rows_of([meta(T, ""), count(1, one, one), zero, count(3, one, one)].concat()).len(), 1);
}

#[test]
fn x16_fast_is_priority_for_the_turns_that_had_it() {
    let settings = |second, tier: &str| {
        at(second, "event_msg", &format!(r#""type":"thread_settings_applied","thread_settings":{{"model":"gpt-5.5"{tier}}}"#))
    };
    let (a, b) = (count(2, [10, 0, 0, 1], [10, 0, 0, 1]), count(4, [20, 0, 0, 2], [10, 0, 0, 1]));
    let mut rows = rows_of([meta(T, ""), settings(1, r#","service_tier":"fast""#), a, settings(3, ""), b].concat());
    rows.sort_by_key(|row| row.record.bill.ts_ms);
    let tiers: Vec<_> = rows.iter().map(|row| row.record.bill.tier).collect();
    assert_eq!(tiers, [ServiceTier::Priority, ServiceTier::Standard]);
}

#[test]
fn x17_lines_in_any_key_order_tell_the_same() {
    let turned = r#"{"payload":{"info":{"last_token_usage":{"output_tokens":5,"input_tokens":9},"total_token_usage":{"output_tokens":5,"input_tokens":9}},"type":"token_count"},"type":"event_msg","timestamp":"2026-11-22T19:40:00Z"}"#;
    let tokens = sum(&rows_of(format!("{}{turned}\n", meta(T, "")))).1;
    assert_eq!((tokens.input, tokens.output), (9, 5));
}

#[test]
fn a_session_begun_by_an_older_release_and_resumed_by_a_newer_one_counts_each_answer_once() {
    let old = count(1, [100, 0, 0, 10], [100, 0, 0, 10]);
    let (used, sums) = (counts([50, 0, 0, 5]), counts([150, 0, 0, 15]));
    let record =
        at(2, "token_usage_record", &format!(r#""thread_id":"{T}","response_id":"resp_1","usage":{used},"thread_token_usage":{sums}"#));
    let rows = rows_of([meta(T, ""), old, record, count(3, [150, 0, 0, 15], [50, 0, 0, 5])].concat());
    assert_eq!((rows.len(), sum(&rows).1.input), (2, 150));
}

#[test]
fn an_archived_copy_of_a_rollout_adds_nothing_to_the_active_one() {
    let name = file(T).rsplit('/').next().unwrap().to_owned();
    let old = [meta(T, ""), count(1, [100, 0, 0, 10], [100, 0, 0, 10])].concat();
    for text in [fixture("codex-0.169-rollout-resumed.jsonl"), old] {
        let logs = Logs::new();
        let once = logs.write(&file(T), &text).sum();
        for copy in [name.clone(), format!("{name}.zst")] {
            let packed = ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
            let bytes = if copy.ends_with(".zst") { packed } else { text.clone().into_bytes() };
            logs.write(&format!(".codex/archived_sessions/{copy}"), bytes);
            assert_eq!(logs.sum(), once, "{copy}");
        }
    }
}

#[test]
fn today_s_configuration_changes_no_history() {
    let logs = Logs::new();
    logs.write(&file(T), [meta(T, ""), turn(1, "gpt-5.5"), count(2, [10, 0, 0, 1], [10, 0, 0, 1])].concat());
    let before = logs.rows();
    logs.write(".codex/config.toml", "model = \"other\"\nservice_tier = \"fast\"\n");
    assert_eq!(logs.rows(), before);
    assert_eq!((before[0].record.bill.tier, &*before[0].record.model), (ServiceTier::Standard, "gpt-5.5"));
}
