//! Translation bugs that broke agents behind other proxies, by their number in the project's list. Those of one reader or
//! writer stand beside it.

use serde_json::{Value, json};

use crate::{
    proxy::{
        stream::{
            convert::{Extra, Translator},
            sse,
        },
        translate::{names::Names, read_anthropic, read_responses, write_anthropic, write_chat, write_gemini, write_responses},
    },
    wire::manifest::Format,
};

/// What an Anthropic client gets of an upstream's stream.
fn events(from: Format, stream: &str) -> Vec<Value> {
    let out =
        Translator::new(from, Format::Anthropic, true, Names::default(), "claude-x", 0, &Extra::default()).stream([stream.as_bytes()]);
    let mut all = Vec::new();
    sse::Parser::default().feed(&out, |frame| all.push(serde_json::from_slice(frame.data).unwrap()));
    all
}

fn chat(deltas: &[Value], finish: &str) -> String {
    let chunk = |delta: &Value, finish: Value| {
        format!("data: {}\n\n", json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    };
    let mut text: String = deltas.iter().map(|d| chunk(d, Value::Null)).collect();
    text += &chunk(&json!({}), json!(finish));
    text + "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n"
}

fn of<'e>(events: &'e [Value], kind: &str) -> Vec<&'e Value> {
    events.iter().filter(|e| e["type"] == kind).collect()
}

/// Every delta is of the kind of the block that is open, at its index.
fn regular(events: &[Value]) {
    let mut open: Option<(u64, String)> = None;
    let mut next = 0;
    for event in events {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!((event["index"].as_u64(), &open), (Some(next), &None), "{events:#?}");
                open = Some((next, event["content_block"]["type"].as_str().unwrap().to_owned()));
            }
            "content_block_delta" => {
                let (index, kind) = open.as_ref().unwrap();
                assert_eq!(event["index"].as_u64(), Some(*index));
                let fits: &[&str] = match kind.as_str() {
                    "text" => &["text_delta"],
                    "thinking" => &["thinking_delta", "signature_delta"],
                    _ => &["input_json_delta"],
                };
                assert!(fits.contains(&event["delta"]["type"].as_str().unwrap()), "{event} in a block of {kind}");
            }
            "content_block_stop" => {
                assert_eq!(event["index"].as_u64(), open.take().map(|(index, _)| index));
                next += 1;
            }
            _ => {}
        }
    }
    assert!(open.is_none());
}

/// BerriAI/litellm#32357: thinking inside of a text block, and a second message_start.
#[test]
fn bug_2_thinking_has_a_block_of_its_own_and_a_message_starts_once() {
    let deltas =
        [json!({"role": "assistant", "content": "a"}), json!({"role": "assistant", "reasoning_content": "b"}), json!({"content": "c"})];
    let all = events(Format::OpenaiChat, &chat(&deltas, "stop"));
    assert_eq!(of(&all, "message_start").len(), 1);
    assert_eq!(of(&all, "content_block_start").len(), 3);
    regular(&all);
}

/// BerriAI/litellm#33224: a text block was opened before the reasoning came.
#[test]
fn bug_3_an_empty_text_opens_no_block_before_thinking() {
    let deltas =
        [json!({"role": "assistant", "content": ""}), json!({"content": "", "reasoning_content": "hm"}), json!({"content": "yes"})];
    let all = events(Format::OpenaiChat, &chat(&deltas, "stop"));
    let kinds: Vec<&Value> = of(&all, "content_block_start").iter().map(|e| &e["content_block"]["type"]).collect();
    assert_eq!(kinds, ["thinking", "text"]);
    regular(&all);
}

/// BerriAI/litellm#13373, #14315: "Content block not found", since indices did not fit.
#[test]
fn bug_5_indices_count_up_whatever_the_upstream_numbers() {
    let call = |index: u32, id: &str| json!({"tool_calls": [{"index": index, "id": id, "function": {"name": "t", "arguments": "{}"}}]});
    let deltas = [json!({"content": "a"}), call(7, "x"), call(3, "y"), json!({"content": "b"})];
    let all = events(Format::OpenaiChat, &chat(&deltas, "tool_calls"));
    assert_eq!(of(&all, "content_block_start").len(), 4);
    regular(&all);
}

/// BerriAI/litellm#24176: Claude Code could not read a message_start without all its counts.
#[test]
fn bug_6_a_message_starts_with_all_counts_and_stops_plainly() {
    for (from, stream) in [
        (Format::OpenaiChat, chat(&[json!({"content": "a"})], "stop")),
        (
            Format::Gemini,
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\r\n\r\n".to_owned(),
        ),
    ] {
        let all = events(from, &stream);
        let usage = &all[0]["message"]["usage"];
        for key in ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"] {
            assert!(usage[key].is_u64(), "{from}: {key} in {usage}");
        }
        assert_eq!(all[0]["message"]["content"], json!([]));
        assert_eq!(all.last().unwrap(), &json!({"type": "message_stop"}));
    }
}

const CLAUDE: &str = r#"{"model":"claude-x","max_tokens":9,"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
    "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],
    "tools":[{"name":"t","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral","ttl":"1h"}}],
    "messages":[{"role":"user","content":[{"type":"text","text":"u","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}"#;

/// Claude Code's request in each other format.
fn foreign() -> Vec<String> {
    let request = read_anthropic::read(CLAUDE.as_bytes()).unwrap();
    let mut names = Names::default();
    let mut bodies = vec![
        write_chat::write(&request, "m", Default::default(), &mut names, 0),
        write_responses::write(&request, "m", Default::default(), &mut names, 0),
        write_gemini::write(&request, write_gemini::Dialect::of("gemini-3-pro"), &mut names, 0),
    ];
    let plain = write_anthropic::Dialect { cache: false, ..Default::default() };
    bodies.push(write_anthropic::write(&request, "m", plain, &mut names, 0));
    bodies.into_iter().map(|b| String::from_utf8(b).unwrap()).collect()
}

/// BerriAI/litellm PR#39355: `cache_control.ttl` went to upstreams that refuse it.
#[test]
fn bug_8_no_cache_mark_reaches_who_does_not_know_it() {
    foreign().iter().for_each(|body| assert!(!body.contains("cache_control") && !body.contains("ttl"), "{body}"));
}

/// BerriAI/litellm#26240, anthropics/claude-code#21612: `context_management: Extra inputs are not permitted`.
#[test]
fn bug_9_context_management_reaches_no_other_format() {
    foreign().iter().for_each(|body| assert!(!body.contains("context_management"), "{body}"));
}

/// router-for-me/CLIProxyAPI#2596: an answer to a call was sent without the call, which only the lost socket knew.
#[test]
fn bug_18_a_conversation_kept_elsewhere_is_refused_in_words_and_null_is_none() {
    let body = |id: &str| format!(r#"{{"model":"m","previous_response_id":{id},"input":[{{"role":"user","content":"u"}}]}}"#);
    let refused = read_responses::read(body("\"resp_1\"").as_bytes()).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("previous_response_id"), "{refused}");
    assert!(read_responses::read(body("null").as_bytes()).is_ok());
}

/// router-for-me/CLIProxyAPI#5561: `stream_id` was answered with 400.
#[test]
fn bug_19_fields_of_a_newer_client_do_not_fail_a_request() {
    let body = br#"{"model":"m","stream_id":"s1","type":"response.create","generate":true,"input":"u"}"#;
    assert_eq!(read_responses::read(body).unwrap().turns.len(), 1);
}

/// router-for-me/CLIProxyAPI#3697: "Stream completed without receiving message_start".
#[test]
fn bug_21_a_stream_without_anything_ends_as_an_error_that_is_told() {
    for stream in ["", ": keep-alive\n\n", "data: [DONE]\n\n"] {
        let all = events(Format::OpenaiChat, stream);
        assert_eq!((all.len(), &all[0]["type"]), (1, &json!("error")), "{stream:?}: {all:?}");
        assert!(all[0]["error"]["message"].as_str().is_some_and(|m| !m.is_empty()));
    }
}

/// musistudio/claude-code-router#639: an answer without words interrupted the agent.
#[test]
fn bug_23_an_answer_without_words_is_a_whole_message() {
    let all = events(Format::OpenaiChat, &chat(&[json!({"role": "assistant", "content": ""})], "stop"));
    let kinds: Vec<&Value> = all.iter().map(|e| &e["type"]).collect();
    assert_eq!(kinds, ["message_start", "message_delta", "message_stop"]);
    assert_eq!(all[1]["delta"]["stop_reason"], "end_turn");
}

/// farion1231/cc-switch#2556: a call that began without `input` crashed Claude Code on Windows.
#[test]
fn bug_24_a_call_begins_with_an_empty_input() {
    let call = json!({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "t", "arguments": "{\"a\":1}"}}]});
    let all = events(Format::OpenaiChat, &chat(&[call], "tool_calls"));
    assert_eq!(of(&all, "content_block_start")[0]["content_block"]["input"], json!({}));
}
