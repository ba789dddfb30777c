//! Claude Code's rules. Where a rule is one that other trackers miss, the test is named by the case (C..).

use super::{Logs, Seen, fixture, orders, sum};
use crate::usage::record::{Geo, ServiceTier, Speed, Tokens};

const MAIN: &str = ".claude/projects/-w/S.jsonl";
const COPY: &str = ".claude/projects/-w/A.jsonl";

/// A line with this usage.
fn line(id: &str, request: &str, usage: &str) -> String {
    format!(
        r#"{{"parentUuid":"p","isSidechain":false,"message":{{"id":"{id}","type":"message","role":"assistant","model":"claude-opus-5-5","content":[{{"type":"text","text":"hi"}}],"usage":{{{usage}}}}},"requestId":"{request}","type":"assistant","uuid":"u","timestamp":"2026-11-22T10:00:00.000Z","cwd":"/w","sessionId":"S","version":"2.1.330"}}
"#
    )
}

fn used(input: u64, output: u64) -> String {
    format!(r#""input_tokens":{input},"output_tokens":{output},"cache_read_input_tokens":50"#)
}

fn rows_of(text: impl AsRef<[u8]>) -> Vec<Seen> {
    let logs = Logs::new();
    logs.write(MAIN, text);
    logs.rows()
}

fn only(text: impl AsRef<[u8]>) -> Seen {
    let rows = rows_of(text);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

#[test]
fn c01_each_block_of_an_answer_repeats_its_usage_and_it_counts_once() {
    let rows = rows_of(fixture("claude-2.1.330-two-blocks-one-message.jsonl"));
    let (count, tokens) = sum(&rows);
    assert_eq!((count, tokens.input, tokens.output, tokens.cache_read), (2, 2222, 444, 6666));
}

#[test]
fn c02_of_growing_snapshots_the_one_with_most_output_counts_whole_wherever_it_stands() {
    for order in orders(&[used(7, 1), used(7, 412), used(7, 30)]) {
        let text: String = order.iter().map(|usage| line("msg_1", "req_1", usage)).collect();
        let row = only(text);
        assert_eq!((row.record.bill.tokens.output, row.record.bill.tokens.input), (412, 7));
    }
}

#[test]
fn c03_c04_a_side_chain_s_replay_is_not_billed_before_or_after_its_parent() {
    let parent = line("msg_1", "req_1", &used(7, 100));
    let replay = line("msg_1", "req_2", &used(7, 120)).replace(r#""isSidechain":false"#, r#""isSidechain":true"#);
    for (main, copy) in [(&parent, &replay), (&replay, &parent)] {
        let logs = Logs::new();
        logs.write(MAIN, main).write(COPY, copy).write(".claude/projects/-w/S/subagents/agent-1.jsonl", &replay);
        let rows = logs.rows();
        assert_eq!((rows.len(), rows[0].record.bill.tokens.output, rows[0].record.sidechain), (1, 100, false));
    }
}

#[test]
fn a_sub_agent_s_own_requests_count_and_name_it() {
    let logs = Logs::new();
    logs.write(MAIN, fixture("claude-2.1.330-transcript-with-subagent.jsonl"));
    logs.write(".claude/projects/-w/S/subagents/agent-ad8.jsonl", fixture("claude-2.1.330-subagent.jsonl"));
    let (index, _) = logs.look();
    let rows = super::rows(&index);
    let (count, tokens) = sum(&rows);
    let (_, bill) = index.bills().next().unwrap();
    // To the token what Claude Code's own bill says.
    assert_eq!((count, tokens), (5, bill.models[0].tokens));
    assert!((bill.cost_usd - 0.058_852_999_999_999_996).abs() < 1e-18);
    let side: Vec<_> = rows.iter().filter(|row| row.record.sidechain).collect();
    assert_eq!((side.len(), side[0].record.agent_id.as_deref()), (2, Some("ad87af0fb702c22b1")));
}

#[test]
fn c05_a_resumed_session_s_copies_count_once_and_belong_to_the_session_they_were_made_in() {
    let logs = Logs::new();
    let first = line("msg_1", "req_1", &used(7, 100));
    let second = line("msg_2", "req_2", &used(8, 100)).replace(r#""sessionId":"S""#, r#""sessionId":"T""#);
    logs.write(".claude/projects/-w/T.jsonl", format!("{first}{second}")).write(MAIN, &first);
    let rows = logs.rows();
    assert_eq!(rows.iter().map(|row| &*row.record.session).collect::<Vec<_>>(), ["S", "T"]);
}

#[test]
fn c06_without_a_request_id_the_message_id_is_the_identity() {
    let bare = line("msg_1", "", &used(7, 100)).replace(r#""requestId":"","#, "");
    assert_eq!(only(format!("{bare}{bare}")).record.bill.tokens.output, 100);
}

#[test]
fn a_proxy_s_constant_id_is_told_apart_by_request_id_and_prompt() {
    let lines = [line("msg_0", "req_1", &used(7, 1)), line("msg_0", "req_2", &used(9, 1)), line("msg_0", "req_1", &used(7, 5))];
    for order in orders(&lines) {
        let rows = rows_of(order.concat());
        let (count, tokens) = sum(&rows);
        assert_eq!((count, tokens.input, tokens.output), (2, 16, 6));
        assert_ne!(rows[0].record.key, rows[1].record.key);
    }
    // The same prompt under another request id is the same request, copied by something that renames.
    assert_eq!(rows_of([line("msg_0", "req_1", &used(7, 1)), line("msg_0", "req_2", &used(7, 1))].concat()).len(), 1);
}

#[test]
fn a_request_that_links_two_makes_them_one_in_any_order() {
    let lines = [line("msg_0", "req_1", &used(7, 1)), line("msg_0", "req_2", &used(9, 2)), line("msg_0", "req_2", &used(7, 3))];
    for order in orders(&lines) {
        assert_eq!(only(order.concat()).record.bill.tokens.output, 3);
    }
}

fn writes(total: u64, m5: u64, h1: u64) -> Tokens {
    let split = format!(
        r#""input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":{total},"cache_creation":{{"ephemeral_5m_input_tokens":{m5},"ephemeral_1h_input_tokens":{h1}}}"#
    );
    only(line("m", "r", &split)).record.bill.tokens
}

#[test]
fn c07_writes_for_an_hour_are_apart() {
    let tokens = writes(900, 300, 600);
    assert_eq!((tokens.cache_write_5m, tokens.cache_write_1h, tokens.cache_write_other), (300, 600, 0));
}

#[test]
fn c08_a_split_of_zeros_beside_a_total_is_no_split() {
    assert_eq!(writes(444, 0, 0).cache_write_other, 444);
    let bare = only(line("m", "r", r#""output_tokens":1,"cache_creation_input_tokens":444"#));
    assert_eq!(bare.record.bill.tokens.cache_write_other, 444);
}

#[test]
fn c09_what_a_split_leaves_out_is_written_for_a_time_nobody_told() {
    let tokens = writes(1000, 300, 200);
    assert_eq!((tokens.cache_write_other, tokens.cache_write()), (500, 1000));
}

#[test]
fn c10_c11_c12_speed_place_tier_and_searches_are_kept() {
    let usage = r#""input_tokens":1,"output_tokens":1,"speed":"fast","inference_geo":"us","service_tier":"priority","server_tool_use":{"web_search_requests":3}"#;
    let bill = only(line("m", "r", usage)).record.bill;
    assert_eq!((bill.speed, bill.geo, bill.tier, bill.web_searches), (Speed::Fast, Geo::Us, ServiceTier::Priority, 3));
}

#[test]
fn c13_local_answers_and_decoys_are_not_billed() {
    let local = line("m", "r", &used(1, 1)).replace("claude-opus-5-5", "<synthetic>");
    let result = r#"{"type":"user","toolUseResult":{"usage":{"input_tokens":9},"totalTokens":9},"sessionId":"S"}"#;
    let inside = line("m2", "r2", "").replace(r#""text":"hi""#, r#""input":{"usage":{"output_tokens":9}}"#);
    assert_eq!(sum(&rows_of(format!("{local}{result}\n{inside}"))).1, Tokens::default());
}

#[test]
fn c14_c15_c22_nulls_spaces_key_order_and_versions_hide_nothing() {
    let odd = r#" { "version" : null , "message" : { "usage" : { "service_tier" : null , "iterations" : null, "cache_creation" : null, "output_tokens" : 5 , "input_tokens" : 2 } , "model" : "m" , "id" : "x" } , "isSidechain" : null, "requestId" : null, "cwd":null, "timestamp" : "2026-11-22T10:00:00Z", "type" : "assistant" }"#;
    let row = only(format!("{odd}\r\n"));
    assert_eq!((row.record.bill.tokens.input, row.record.bill.tokens.output, &*row.record.model), (2, 5, "m"));
}

#[test]
fn c16_garbage_and_half_lines_are_counted_and_hide_nothing_behind_them() {
    let logs = Logs::new();
    let good = line("msg_1", "req_1", &used(7, 100));
    let half = good.get(..300).unwrap();
    logs.write(MAIN, format!("garbage\n{half}\n\0\0\0\0{good}\n[1]\n{}", line("msg_2", "r", &used(1, 1))));
    let (index, report) = logs.look();
    assert_eq!(super::rows(&index).len(), 2);
    let troubles: Vec<_> = report.troubles.iter().map(|trouble| (trouble.problem, trouble.count)).collect();
    use crate::usage::collect::Problem::{Half, NotJson};
    assert_eq!(troubles, [(NotJson, 2), (Half, 1)]);
    assert_eq!(index.troubles().collect::<Vec<_>>(), report.troubles);
}

#[test]
fn c17_the_last_line_counts_without_a_line_s_end() {
    let text = line("msg_1", "req_1", &used(7, 100));
    assert_eq!(rows_of(text.trim_end()).len(), 1);
    assert_eq!(rows_of(text.trim_end().strip_suffix('}').unwrap()).len(), 0);
}

#[test]
fn c18_a_request_cut_off_in_mid_stream_is_billed_as_far_as_told() {
    let aborted = line("m", "r", &used(7, 3)).replace(r#""isSidechain":false"#, r#""isAbortedMidStream":true"#);
    let row = only(aborted);
    assert!(row.record.aborted && row.record.bill.tokens.output == 3);
}

#[test]
fn c19_bytes_that_are_no_utf8_hide_nothing() {
    let mut text = line("msg_1", "req_1", &used(7, 100)).into_bytes();
    let at = text.windows(4).position(|four| four == b"\"hi\"").unwrap();
    text[at + 1] = 0xff;
    assert_eq!(only(text).record.bill.tokens.output, 100);
}

#[test]
fn c20_compaction_is_billed_an_advisor_at_its_own_model_and_a_failed_fallback_not() {
    let usage = r#""input_tokens":10,"output_tokens":20,"iterations":[{"type":"compaction","input_tokens":5000,"output_tokens":600},{"type":"message","input_tokens":10,"output_tokens":20},{"type":"advisor_message","model":"claude-haiku-5-5","input_tokens":70,"output_tokens":8},{"type":"fallback_message","input_tokens":9999,"output_tokens":9}]"#;
    let rows = rows_of(line("m", "r", usage).repeat(2));
    let told: Vec<_> = rows.iter().map(|row| (&*row.record.model, row.record.bill.tokens.input, row.record.sub_request)).collect();
    assert_eq!(told, [("claude-opus-5-5", 5010, false), ("claude-haiku-5-5", 70, true)]);
}

#[test]
fn c21_progress_lines_of_old_builds_tell_of_a_sub_agent_nobody_else_tells_of() {
    let inner = line("msg_9", "req_9", &used(7, 100));
    let progress = format!(r#"{{"type":"progress","data":{{"type":"agent_progress","message":{}}},"sessionId":"S"}}"#, inner.trim_end());
    let row = only(format!("{progress}\n"));
    assert!(row.record.sidechain && row.record.bill.tokens.output == 100);
    // In newer builds somebody does.
    assert_eq!(rows_of(format!("{progress}\n{inner}")).len(), 1);
}

#[test]
fn a_line_s_kind_is_found_wherever_it_stands_in_it() {
    let last = line("msg_1", "req_1", &used(7, 1));
    let first = last.replace(r#","type":"assistant""#, "").replacen('{', r#"{"type":"assistant","#, 1);
    assert_eq!((rows_of(&last), first.starts_with(r#"{"type":"assistant""#)), (rows_of(&first), true));
    assert_eq!(rows_of(&first).len(), 1);
    // A person's line may hold the same words.
    for text in [&last, &first] {
        assert_eq!(rows_of(text.replace(r#""type":"assistant""#, r#""type":"user""#)), []);
    }
    let logs = Logs::new();
    logs.write(MAIN, r#"{"sessionId":"S","totalCostUSD":0.5,"modelUsage":{},"note":"\"usage\"","type":"cost-state"}"#);
    assert_eq!(logs.look().0.bills().count(), 1);
}

#[test]
fn thinking_is_a_part_of_the_output() {
    let tokens = only(line("m", "r", r#""output_tokens":412,"output_tokens_details":{"thinking_tokens":120}"#)).record.bill.tokens;
    assert_eq!((tokens.output, tokens.reasoning, tokens.total()), (412, 120, 412));
}

#[test]
fn an_older_release_s_transcript_counts_as_its_upstream_did() {
    let (count, tokens) = sum(&rows_of(fixture("claude-2.1.197-transcript.jsonl")));
    assert_eq!((count, tokens.input, tokens.output, tokens.cache_read, tokens.cache_write_other), (2, 2222, 444, 6666, 888));
}

#[test]
fn a_session_s_last_bill_counts() {
    let logs = Logs::new();
    let bill = |cost: &str| {
        format!(
            "{{\"type\":\"cost-state\",\"sessionId\":\"S\",\"totalCostUSD\":{cost},\"modelUsage\":{{}},\"hasUnknownModelCost\":true}}\n"
        )
    };
    logs.write(MAIN, [bill("2.5"), bill("2.75")].concat());
    drop(logs.look());
    logs.append(MAIN, bill("3.5"));
    let (index, _) = logs.look();
    let bills: Vec<_> = index.bills().map(|(agent, bill)| (agent, bill.cost_usd, bill.partial)).collect();
    assert_eq!(bills, [("claude", 3.5, true)]);
}

#[test]
fn a_null_in_place_of_any_value_drops_no_line() {
    let usage = r#""input_tokens":7,"output_tokens":100,"service_tier":"standard","speed":"standard","inference_geo":"","iterations":[],"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"server_tool_use":{"web_search_requests":0}"#;
    let whole: serde_json::Value = serde_json::from_str(&line("msg_1", "req_1", usage)).unwrap();
    fn places(of: &serde_json::Value, at: &str, found: &mut Vec<String>) {
        for (key, value) in of.as_object().into_iter().flatten() {
            let at = format!("{at}/{key}");
            places(value, &at, found);
            found.push(at);
        }
    }
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    assert!(all.len() > 25, "{all:?}");
    // Without these a line tells nothing that could be counted.
    let told = ["/type", "/message", "/message/usage", "/message/usage/output_tokens"];
    for place in all.iter().filter(|place| !told.contains(&place.as_str())) {
        let mut odd = whole.clone();
        *odd.pointer_mut(place).unwrap() = serde_json::Value::Null;
        assert_eq!(only(format!("{odd}\n")).record.bill.tokens.output, 100, "{place}");
    }
}

#[test]
fn the_model_that_answered_is_billed_and_not_the_one_that_was_asked_for() {
    let fallback =
        line("m", "r", &used(1, 1)).replace(r#""type":"assistant","#, r#""type":"assistant","requestedModel":"claude-haiku-5-5","#);
    assert_eq!(&*only(fallback).record.model, "claude-opus-5-5");
}

#[test]
fn a_price_that_an_old_release_wrote_is_kept_to_compare_and_changes_no_tokens() {
    let old = line("m", "r", &used(7, 100)).replacen('{', r#"{"costUSD":0.25,"#, 1);
    let row = only(old);
    assert_eq!((row.record.source_cost, row.record.bill.tokens.output), (Some(0.25), 100));
}

#[test]
fn an_empty_list_of_iterations_leaves_the_usage_as_it_is() {
    let tokens = only(line("m", "r", r#""input_tokens":10,"output_tokens":20,"iterations":[]"#)).record.bill.tokens;
    assert_eq!((tokens.input, tokens.output), (10, 20));
}

#[test]
fn the_text_of_a_tool_s_result_is_never_taken_for_tokens() {
    let result = r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"WORDS"}]},"sessionId":"S","timestamp":"2026-11-22T10:00:00Z"}"#;
    let text = [result.replace("WORDS", &"many words ".repeat(5000)), line("m", "r", &used(1, 1))].join("\n");
    assert_eq!(only(text).record.bill.tokens.total(), 52);
}

#[test]
fn a_workflow_s_sub_agents_and_those_of_older_releases_count() {
    let logs = Logs::new();
    for (number, path) in
        ["S/subagents/workflows/w1/agent-1.jsonl", "agent-2.jsonl", "S/subagents/deep/er/agent-3.jsonl"].iter().enumerate()
    {
        logs.write(&format!(".claude/projects/-w/{path}"), line(&format!("msg_{number}"), "r", &used(1, 1)));
    }
    assert_eq!(logs.sum().0, 3);
}
