//! Replies of other vendors as a Gemini client sees them.

use serde_json::{Value, json};

use super::*;
use crate::{
    proxy::stream::convert::{Extra, Translator},
    wire::manifest::Format,
};

fn translate(pieces: &[&[u8]]) -> Vec<u8> {
    let extra = Extra::default();
    Translator::new(Format::OpenaiChat, Format::Gemini, true, Names::default(), "gemini-x", 0, &extra).stream(pieces.iter().copied())
}

fn chunks(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.ends_with("\r\n\r\n"));
    text.split_terminator("\r\n\r\n").map(|f| serde_json::from_str(f.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

fn parts(chunks: &[Value]) -> Vec<Value> {
    chunks.iter().flat_map(|c| c["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()).collect()
}

fn s(text: &str) -> Str<'static> {
    Str::quote(text)
}

fn start() -> Step {
    Step::Start { id: s("r1"), model: s("up") }
}

fn call(id: &str, arguments: &[&str]) -> Vec<Step> {
    let open = Step::OpenCall { id: s(id), name: s("Bash") };
    [open].into_iter().chain(arguments.iter().map(|a| Step::Arguments(s(a)))).chain([Step::Close]).collect()
}

fn end(stop: Stop) -> Step {
    Step::End { stop, usage: Usage { input: 60, cache_read: 40, cache_write: 0, output: 20, reasoning: 5 } }
}

fn streamed(steps: Vec<Step>) -> Vec<Value> {
    let (names, mut out) = (Names::default(), Vec::new());
    let mut frames = Frames::new(&names, "gemini-x");
    steps.into_iter().for_each(|s| frames.write(s, &mut out));
    chunks(&out)
}

fn whole(steps: Vec<Step>) -> (u16, Value) {
    let names = Names::default();
    let mut whole = Whole::new(&names, "gemini-x");
    steps.into_iter().for_each(|s| whole.take(s));
    let (status, body) = whole.body();
    (status, serde_json::from_slice(&body).unwrap())
}

fn thinking(text: &str, seal: Option<Seal<'static>>) -> Vec<Step> {
    [Step::OpenThought, Step::Thought(s(text))].into_iter().chain(seal.map(Step::Seal)).chain([Step::Close]).collect()
}

fn text(pieces: &[&str]) -> Vec<Step> {
    [Step::OpenText].into_iter().chain(pieces.iter().map(|p| Step::Text(s(p)))).chain([Step::Close]).collect()
}

/// Everything a reply can hold.
fn rich() -> Vec<Step> {
    let seal = Seal::Anthropic(s("Sig=="));
    let mut steps = vec![start()];
    steps.extend(thinking("hm \"é\"", Some(seal)));
    steps.extend(text(&["hé", "llo\n"]));
    steps.extend(call("c1", &["{\"command\":", "\"ls 世\"}"]));
    steps.extend(call("c2", &[]));
    steps.push(end(Stop::ToolUse));
    steps
}

#[test]
fn a_stream_of_everything() {
    let all = streamed(rich());
    let packed = Seal::packed(&[(Some(Seal::Anthropic(s("Sig=="))), s("hm \"é\""))]);
    assert_eq!(
        parts(&all),
        [
            json!({"text": "hm \"é\"", "thought": true}),
            json!({"text": "hé", "thoughtSignature": packed.plain()}),
            json!({"text": "llo\n"}),
            json!({"functionCall": {"id": "c1", "name": "Bash", "args": {"command": "ls 世"}}}),
            json!({"functionCall": {"id": "c2", "name": "Bash", "args": {}}}),
            json!({"text": ""}),
        ]
    );
    let last = all.last().unwrap();
    assert_eq!((&last["candidates"][0]["finishReason"], &last["responseId"]), (&json!("STOP"), &json!("r1")));
    assert_eq!(
        last["usageMetadata"],
        json!({"promptTokenCount": 100, "candidatesTokenCount": 15, "totalTokenCount": 120, "cachedContentTokenCount": 40, "thoughtsTokenCount": 5})
    );
    assert_eq!(all.iter().filter(|c| c["candidates"][0].get("finishReason").is_some()).count(), 1);
    assert!(all.iter().all(|c| c["modelVersion"] == "gemini-x"));
}

#[test]
fn a_whole_reply_of_everything() {
    let (status, body) = whole(rich());
    assert_eq!((status, &body["candidates"][0]["finishReason"]), (200, &json!("STOP")));
    let parts = body["candidates"][0]["content"]["parts"].as_array().unwrap();
    assert_eq!((parts.len(), &parts[1]["text"]), (4, &json!("héllo\n")));
    assert!(parts[1].get("thoughtSignature").is_some() && body["usageMetadata"]["totalTokenCount"] == 120);
    let (_, empty) = whole(vec![start(), end(Stop::End)]);
    assert_eq!(empty["candidates"][0]["content"]["parts"], json!([{"text": ""}]));
}

/// musistudio/claude-code-router#198: JSON split across TCP chunks.
#[test]
fn bug_22_every_cut_gives_the_same_bytes() {
    let chat = |delta: Value| format!("data: {}\n\n", json!({"id": "x", "choices": [{"index": 0, "delta": delta}]}));
    let stream = [
        chat(json!({"reasoning_content": "hm"})),
        chat(json!({"content": "hé\n"})),
        chat(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "t", "arguments": "{\"k\":"}}]})),
        chat(json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"世\"}"}}]})),
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let bytes = translate(&[stream.as_bytes()]);
    assert_eq!(chunks(&bytes).len(), 4);
    for cut in 0..=stream.len() {
        let (a, b) = stream.as_bytes().split_at(cut);
        assert_eq!(translate(&[a, b]), bytes, "cut at {cut}");
    }
}

/// router-for-me/CLIProxyAPI#2172: a signature lost or changed is a 400 on the next turn.
#[test]
fn bug_14_every_thought_reaches_the_part_behind_it() {
    let anthropic = || Seal::Anthropic(s("A"));
    let mut steps = vec![start()];
    steps.extend(thinking("one", Some(anthropic())));
    steps.extend([Step::OpenThought, Step::Seal(Seal::Redacted(s("R"))), Step::Close]);
    steps.extend(call("c", &["{}"]));
    steps.extend(thinking("two", Some(anthropic())));
    steps.push(end(Stop::ToolUse));
    let parts = parts(&streamed(steps));
    let unpacked = |part: &Value| Seal::unpack(&s(part["thoughtSignature"].as_str().unwrap())).unwrap();
    assert_eq!(unpacked(&parts[1]), [(Some(anthropic()), s("one")), (Some(Seal::Redacted(s("R"))), s(""))]);
    assert_eq!(unpacked(parts.last().unwrap()), [(Some(anthropic()), s("two"))], "nothing stood behind it");
}

/// DeepSeek and Kimi want unsigned reasoning back in tool loops, and only there.
#[test]
fn unsigned_thoughts_travel_with_calls_alone() {
    let with = |rest: Vec<Step>| {
        let steps = [vec![start()], thinking("hm", None), text(&["a"]), rest, vec![end(Stop::End)]].concat();
        parts(&streamed(steps))
    };
    assert!(with(vec![]).iter().all(|p| p.get("thoughtSignature").is_none()));
    let parts = with(call("c", &["{}"]));
    assert!(parts[1].get("thoughtSignature").is_none());
    assert_eq!(Seal::unpack(&s(parts[2]["thoughtSignature"].as_str().unwrap())).unwrap(), [(None, s("hm"))]);
}

/// orchidfiles/ungate PR#38: a call that a limit cut short must not be there to be run.
#[test]
fn bug_25_a_call_cut_short_is_not_told() {
    // Before its arguments began, too.
    for piece in [&["{\"command\":\"rm -rf /tm"][..], &["{\"a\":1,"], &["{"], &[]] {
        let steps = [vec![start()], call("c", piece), vec![end(Stop::MaxTokens)]].concat();
        let all = streamed(steps.clone());
        assert_eq!(parts(&all), [json!({"text": ""})], "{piece:?}");
        assert_eq!(all.last().unwrap()["candidates"][0]["finishReason"], "MAX_TOKENS");
        assert!(!whole(steps).1.to_string().contains("functionCall"));
    }
}

#[test]
fn arguments_are_always_an_object() {
    for (piece, want) in
        [("[1]", json!({"input": "[1]"})), ("{a}", json!({"input": "{a}"})), ("", json!({})), (" {\"a\":1} ", json!({"a": 1}))]
    {
        let parts = parts(&streamed([vec![start()], call("c", &[piece]), vec![end(Stop::ToolUse)]].concat()));
        assert_eq!(parts[0]["functionCall"]["args"], want, "{piece}");
    }
}

/// router-for-me/CLIProxyAPI#4682: a client waits for an end that never comes.
#[test]
fn bug_17_a_failure_ends_the_stream_as_an_error_and_not_as_a_success() {
    let all =
        streamed([vec![start()], text(&["a"]), vec![Step::Error { kind: ErrorKind::RateLimit, message: s("slow \"down\"") }]].concat());
    let want = json!({"error": {"code": 429, "message": "slow \"down\"", "status": "RESOURCE_EXHAUSTED", "details": []}});
    assert_eq!(all.last().unwrap(), &want);
    assert!(!all.iter().any(|c| c["candidates"][0].get("finishReason").is_some()));
    let (status, body) = whole(vec![start(), Step::Error { kind: ErrorKind::RateLimit, message: s("slow \"down\"") }]);
    assert_eq!((status, body), (429, want));
    assert_eq!(whole(vec![start()]).0, 500);
    assert_eq!(total_tokens(7), br#"{"totalTokens":7}"#);
}
