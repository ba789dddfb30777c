//! Gemini's replies as an Anthropic client sees them, and as events.

use serde_json::{Value, json};

use super::*;
use crate::{
    proxy::{
        stream::{
            convert::{Extra, Translator},
            order::{Orderer, Step},
            sse,
        },
        translate::names::Names,
    },
    wire::manifest::Format,
};

fn translate(pieces: &[&[u8]]) -> Vec<u8> {
    let extra = Extra { estimate: 7, ..Extra::default() };
    Translator::new(Format::Gemini, Format::Anthropic, true, Names::default(), "claude-x", 0, &extra).stream(pieces.iter().copied())
}

fn steps(body: &[u8]) -> Vec<Step> {
    let (mut orderer, mut steps) = (Orderer::default(), Vec::new());
    whole(body, &mut |e| orderer.take(e, &mut |s| steps.push(s)));
    orderer.finish(&mut |s| steps.push(s));
    steps
}

fn chunk(parts: Value, finish: Option<&str>) -> Value {
    let mut chunk =
        json!({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}], "modelVersion": "gemini-x", "responseId": "r1"});
    if let Some(reason) = finish {
        chunk["candidates"][0]["finishReason"] = reason.into();
        chunk["usageMetadata"] = json!({"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 15, "thoughtsTokenCount": 5, "totalTokenCount": 120});
    }
    chunk
}

fn rich() -> Vec<Value> {
    vec![
        chunk(json!([{"text": "hm ", "thought": true}]), None),
        chunk(json!([{"text": "héllo\n\"q\""}]), None),
        chunk(json!([{"functionCall": {"name": "Bash", "args": {"command": "ls 世"}}, "thoughtSignature": "Sig+/="}]), None),
        chunk(
            json!([{"functionCall": {"name": "Bash", "args": {"command": "ls 世"}}}, {"functionCall": {"id": "own", "name": "Now"}}]),
            Some("STOP"),
        ),
    ]
}

fn stream(chunks: &[Value]) -> String {
    chunks.iter().map(|c| format!("data: {c}\r\n\r\n")).collect()
}

fn events(chunks: &[Value]) -> Vec<Value> {
    let mut all = Vec::new();
    sse::Parser::default().feed(&translate(&[stream(chunks).as_bytes()]), |f| all.push(serde_json::from_slice(f.data).unwrap()));
    all
}

#[test]
fn a_reply_with_thought_text_and_calls() {
    let all = events(&rich());
    let starts: Vec<&Value> = all.iter().filter_map(|e| e.get("content_block")).collect();
    let kinds: Vec<&str> = starts.iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["thinking", "text", "thinking", "tool_use", "tool_use", "tool_use"]);
    let tail = &all[all.len() - 2];
    assert_eq!(tail["delta"]["stop_reason"], "tool_use", "although Gemini says STOP");
    assert_eq!(
        tail["usage"],
        json!({"input_tokens": 60, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 40, "output_tokens": 20, "output_tokens_details": {"thinking_tokens": 5}})
    );
    let pieces: Vec<&Value> = all.iter().filter_map(|e| e["delta"].get("partial_json")).collect();
    assert_eq!(pieces, [r#"{"command":"ls 世"}"#, r#"{"command":"ls 世"}"#, "{}"]);
}

/// musistudio/claude-code-router#198: JSON split across TCP chunks.
#[test]
fn bug_22_every_cut_gives_the_same_bytes() {
    let stream = stream(&rich());
    let bytes = translate(&[stream.as_bytes()]);
    for cut in 0..=stream.len() {
        let (a, b) = stream.as_bytes().split_at(cut);
        assert_eq!(translate(&[a, b]), bytes, "cut at {cut}");
    }
}

/// BerriAI/litellm#21331, for calls that have no id at all.
#[test]
fn bug_12_parallel_calls_without_ids_are_told_apart() {
    let ids = |chunks: &[Value]| -> Vec<String> {
        events(chunks).iter().filter_map(|e| Some(e["content_block"]["id"].as_str()?.to_owned())).collect()
    };
    let first = ids(&rich());
    assert!(first[0] != first[1] && first[2] == "own");
    assert_eq!(first, ids(&rich()), "the same bytes give the same ids");
    let mut later = rich();
    later.iter_mut().for_each(|c| c["responseId"] = "r2".into());
    assert_ne!(first[0], ids(&later)[0], "the same call in a later reply is another call");
}

/// lbjlaq/Antigravity-Manager#123: the signature must survive the client to be put back.
#[test]
fn bug_15_a_signature_stands_right_before_its_call_or_behind_its_text() {
    let sealed = |s: &str| Seal::Gemini(Str::quote(s)).sealed().plain().into_owned();
    let all = events(&rich());
    let at = all.iter().position(|e| e["delta"]["signature"] == sealed("Sig+/=")).unwrap();
    assert_eq!((&all[at + 1]["type"], &all[at + 2]["content_block"]["type"]), (&json!("content_block_stop"), &json!("tool_use")));

    let text = [
        chunk(json!([{"text": "a"}]), None),
        chunk(json!([{"text": "b", "thoughtSignature": "S1"}]), None),
        chunk(json!([{"text": "c"}, {"text": "", "thoughtSignature": "S2"}]), Some("STOP")),
    ];
    let all = events(&text);
    let kinds: Vec<&str> = all.iter().filter_map(|e| e["content_block"]["type"].as_str()).collect();
    assert_eq!(kinds, ["text", "thinking"], "the text is not torn apart");
    assert!(all.iter().any(|e| e["delta"]["signature"] == sealed("S2")));
}

/// CLIProxyAPI says `end_turn` for these.
#[test]
fn why_it_ended() {
    for (reason, want) in [
        ("STOP", Stop::End),
        ("MAX_TOKENS", Stop::MaxTokens),
        ("SAFETY", Stop::Refusal),
        ("RECITATION", Stop::Refusal),
        ("PROHIBITED_CONTENT", Stop::Refusal),
        ("SOMETHING_NEW", Stop::End),
    ] {
        let steps = steps(chunk(json!([{"text": "a"}]), Some(reason)).to_string().as_bytes());
        assert!(matches!(steps.last(), Some(Step::End { stop, .. }) if *stop == want), "{reason}: {steps:?}");
    }
    let blocked = steps(br#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}"#);
    assert!(matches!(blocked.last(), Some(Step::End { stop: Stop::Refusal, usage: Usage { input: 4, .. } })), "{blocked:?}");
}

/// router-for-me/CLIProxyAPI#4873: what was cut off or malformed was finished and executed.
#[test]
fn bug_16_a_reply_without_its_end_or_with_a_malformed_call_is_an_error() {
    let cut = stream(&rich()[..3]);
    assert!(String::from_utf8(translate(&[cut.as_bytes()])).unwrap().contains("in the middle"));
    let mut malformed = chunk(json!([{"text": "a"}]), Some("MALFORMED_FUNCTION_CALL"));
    malformed["candidates"][0]["finishMessage"] = "print(x)".into();
    let steps = steps(malformed.to_string().as_bytes());
    let Some(Step::Error { kind: ErrorKind::Broken, message }) = steps.last() else { panic!("{steps:?}") };
    assert_eq!(message.plain(), "the model's reply ended with MALFORMED_FUNCTION_CALL print(x)");
}

#[test]
fn a_stream_as_one_array_is_the_same_reply() {
    let array = serde_json::to_vec(&rich()).unwrap();
    let (mut orderer, mut reader, mut one_by_one) = (Orderer::default(), Reader::default(), Vec::new());
    for chunk in rich() {
        reader.take(chunk.to_string().as_bytes(), &mut |e| orderer.take(e, &mut |s| one_by_one.push(s)));
    }
    orderer.finish(&mut |s| one_by_one.push(s));
    assert_eq!(steps(&array), one_by_one);
}

#[test]
fn errors_keep_the_upstreams_words_and_say_their_kind() {
    for (code, status, details, want) in [
        (400, "INVALID_ARGUMENT", "", ErrorKind::Invalid),
        (400, "INVALID_ARGUMENT", "API_KEY_INVALID", ErrorKind::Authentication),
        (403, "PERMISSION_DENIED", "", ErrorKind::Authentication),
        (429, "RESOURCE_EXHAUSTED", "", ErrorKind::RateLimit),
        (503, "UNAVAILABLE", "", ErrorKind::Overloaded),
        (500, "INTERNAL", "", ErrorKind::Api),
    ] {
        let body = json!({"error": {"code": code, "message": "no \"way\"", "status": status, "details": [{"reason": details}]}});
        for bytes in [body.to_string(), json!([body]).to_string()] {
            let steps = steps(bytes.as_bytes());
            let Some(Step::Error { kind, message }) = steps.last() else { panic!("{steps:?}") };
            assert_eq!((*kind, &*message.plain()), (want, "no \"way\""));
        }
    }
    for broken in ["{", "[{]", "<html>"] {
        assert!(matches!(steps(broken.as_bytes()).last(), Some(Step::Error { kind: ErrorKind::Broken, .. })), "{broken}");
    }
}
