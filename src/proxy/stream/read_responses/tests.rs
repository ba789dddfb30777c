use serde_json::{Value, json};

use super::*;
use crate::proxy::stream::order::{Orderer, Step};

fn steps(events: &[Value]) -> Vec<Step> {
    let (mut reader, mut orderer, mut steps) = (Reader::default(), Orderer::default(), Vec::new());
    for data in events {
        let bytes = serde_json::to_vec(data).unwrap();
        reader.take(&bytes, &mut |e| orderer.take(e, &mut |s| steps.push(s)));
    }
    orderer.finish(&mut |s| steps.push(s));
    steps
}

fn arguments(steps: &[Step]) -> String {
    steps.iter().filter_map(|s| if let Step::Arguments(a) = s { Some(a.plain().into_owned()) } else { None }).collect()
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "up", "status": "in_progress", "output": []}})
}

fn completed() -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": [], "usage": {
        "input_tokens": 100, "input_tokens_details": {"cached_tokens": 40}, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 109}}})
}

fn call(kind: &str, arguments: &str) -> Value {
    json!({"type": kind, "output_index": 0, "item": {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "Bash", "arguments": arguments}})
}

/// BerriAI/litellm#25321: arguments that come only at the end were lost.
#[test]
fn bug_01_arguments_are_found_wherever_they_come() {
    let (added, want) = (call("response.output_item.added", ""), "{\"a\":\"é\"}");
    let done = json!({"type": "response.function_call_arguments.done", "output_index": 0, "item_id": "other", "arguments": want});
    let delta = json!({"type": "response.function_call_arguments.delta", "output_index": 0, "item_id": "fc_1", "delta": want});
    let whole = call("response.output_item.done", want);
    for events in [
        vec![created(), added.clone(), done.clone(), completed()],
        vec![created(), added.clone(), whole.clone(), completed()],
        vec![created(), whole.clone(), completed()],
        vec![created(), added, delta, done, whole, completed()],
    ] {
        let steps = steps(&events);
        assert_eq!(arguments(&steps), want, "{events:?}");
        let usage = Usage { input: 60, cache_read: 40, cache_write: 0, output: 9, reasoning: 3 };
        assert_eq!(steps.last(), Some(&Step::End { stop: Stop::ToolUse, usage }));
    }
}

/// router-for-me/CLIProxyAPI#1407: no end is no success.
#[test]
fn bug_17_a_reply_without_its_last_event_is_an_error() {
    let all = steps(&[created(), json!({"type": "response.output_text.delta", "output_index": 0, "delta": "a"})]);
    assert!(matches!(all.last(), Some(Step::Error { kind: ErrorKind::Broken, .. })), "{all:?}");
}

#[test]
fn free_text_becomes_json_however_it_is_cut() {
    let text = "*** \"q\"\n\\ é";
    for cut in text.char_indices().map(|(at, _)| at) {
        let (a, b) = text.split_at(cut);
        let item = json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "p", "input": text});
        let delta = |d: &str| json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": d});
        let added = json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": ""}});
        let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
        let all = steps(&[created(), added, delta(a), delta(b), done, completed()]);
        assert_eq!(serde_json::from_str::<Value>(&arguments(&all)).unwrap(), json!({"input": text}));
    }
}

#[test]
fn failures_keep_the_upstreams_words() {
    for (event, kind) in [
        (
            json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "words"}}}),
            ErrorKind::RateLimit,
        ),
        (json!({"type": "error", "code": "context_length_exceeded", "message": "words"}), ErrorKind::Invalid),
        (json!({"error": {"type": "invalid_request_error", "message": "words"}}), ErrorKind::Invalid),
    ] {
        assert_eq!(steps(&[created(), event]).last(), Some(&Step::Error { kind, message: Str::quote("words") }));
    }
    let cut =
        json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}});
    assert!(matches!(steps(&[created(), cut]).last(), Some(Step::End { stop: Stop::MaxTokens, .. })));
}

/// Two reasoning items in a row: each has a proof of its own.
#[test]
fn bug_14_each_reasoning_item_keeps_its_own_proof() {
    let item = |n: u32| json!({"type": "response.output_item.done", "output_index": n, "item": {"type": "reasoning", "id": format!("rs_{n}"), "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "g"}});
    let all = steps(&[created(), item(0), item(1), completed()]);
    assert_eq!(all.iter().filter(|s| matches!(s, Step::OpenThought)).count(), 2);
    assert_eq!(all.iter().filter(|s| matches!(s, Step::Seal(_))).count(), 2);
}
