use serde_json::{Value, json};

use super::*;
use crate::{
    proxy::{
        stream::{
            convert::{Extra, Translator},
            event::Stop,
            order::Orderer,
            read_responses, sse,
        },
        translate::{read_responses as request, seal::Seal},
    },
    wire::manifest::Format,
};

const REQUEST: &str = r#"{"model":"m","input":"x","tools":[{"type":"custom","name":"patch"},{"type":"namespace","name":"ns","tools":[{"type":"function","name":"go"}]}]}"#;

fn chunk(delta: Value) -> String {
    format!("data: {}\n\n", json!({"id": "x1", "model": "up", "choices": [{"index": 0, "delta": delta}]}))
}

fn rich() -> String {
    let call = |n: u32, name: &str, arguments: &str| {
        chunk(json!({"tool_calls": [{"index": n, "id": format!("c{n}"), "function": {"name": name, "arguments": arguments}}]}))
    };
    let end = json!({"id": "x1", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}});
    [
        chunk(json!({"reasoning_content": "hm"})),
        chunk(json!({"content": "hé"})),
        chunk(json!({"content": "llo\n"})),
        call(0, "ns__go", "{\"a\":"),
        chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]})),
        call(1, "patch", "{\"input\":\"*** \\\"世\\\"\\n\"}"),
        call(2, "plain", ""),
        format!("data: {end}\n\ndata: [DONE]\n\n"),
    ]
    .concat()
}

fn translate(pieces: &[&[u8]]) -> Vec<u8> {
    let extra = Extra::default();
    Translator::new(
        Format::OpenaiChat,
        Format::OpenaiResponses,
        true,
        Names::of(&request::read(REQUEST.as_bytes()).unwrap()),
        "gpt",
        5,
        &extra,
    )
    .stream(pieces.iter().copied())
}

fn events(bytes: &[u8]) -> Vec<Value> {
    let (mut parser, mut all) = (sse::Parser::default(), Vec::new());
    parser.feed(bytes, |f| {
        let value: Value = serde_json::from_slice(f.data).unwrap();
        assert_eq!(value["type"], f.event);
        assert_eq!(value["sequence_number"], all.len());
        all.push(value);
    });
    all
}

/// router-for-me/CLIProxyAPI#5753: namespaces and freeform tools come back as the client knows them.
#[test]
fn bug_20_codex_gets_its_own_kinds_of_calls_back() {
    let bytes = translate(&[rich().as_bytes()]);
    let all = events(&bytes);
    let items: Vec<&Value> = all.iter().filter(|e| e["type"] == "response.output_item.done").map(|e| &e["item"]).collect();
    assert_eq!(items[0]["summary"], json!([{"type": "summary_text", "text": "hm"}]));
    assert_eq!(items[1]["content"][0]["text"], "héllo\n");
    assert_eq!((&items[2]["namespace"], &items[2]["name"], &items[2]["arguments"]), (&json!("ns"), &json!("go"), &json!("{\"a\":1}")));
    assert_eq!((&items[3]["type"], &items[3]["input"]), (&json!("custom_tool_call"), &json!("*** \"世\"\n")));
    assert_eq!(items[4]["arguments"], "{}");
    let last = all.last().unwrap();
    assert_eq!((&last["type"], last["response"]["output"].as_array().unwrap().len()), (&json!("response.completed"), 5));
    assert_eq!(last["response"]["output"][3], *items[3]);
    assert_eq!(last["response"]["usage"]["input_tokens_details"], json!({"cached_tokens": 40, "cache_write_tokens": 0}));
    assert_eq!(last["response"]["usage"]["total_tokens"], 120);
}

#[test]
fn every_cut_gives_the_same_bytes() {
    let stream = rich();
    let whole = translate(&[stream.as_bytes()]);
    for cut in 0..=stream.len() {
        let (a, b) = stream.as_bytes().split_at(cut);
        assert_eq!(translate(&[a, b]), whole, "cut at {cut}");
    }
    // What is written can be read again, cut anywhere: the reader of this format.
    let back = |pieces: &[&[u8]]| {
        let (mut parser, mut reader, mut orderer, mut steps) =
            (sse::Parser::default(), read_responses::Reader::default(), Orderer::default(), Vec::new());
        let mut take = |f: sse::Frame| reader.take(f.data, &mut |e| orderer.take(e, &mut |s| steps.push(s)));
        pieces.iter().for_each(|p| parser.feed(p, &mut take));
        orderer.finish(&mut |s| steps.push(s));
        steps
    };
    let want = back(&[&whole]);
    assert!(matches!(want.last(), Some(Step::End { stop: Stop::ToolUse, .. })), "{want:?}");
    for cut in 0..=whole.len() {
        let (a, b) = whole.split_at(cut);
        assert_eq!(back(&[a, b]), want, "cut at {cut}");
    }
}

/// router-for-me/CLIProxyAPI#4873: a call cut short was told as done, and run empty.
#[test]
fn bug_16_a_call_cut_short_is_never_done() {
    const LIMIT: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    // Before its arguments began, too.
    for (arguments, tail, kind) in [
        ("{\"input\":\"*", "", "response.failed"),
        ("{\"input\":\"*", LIMIT, "response.incomplete"),
        ("", "", "response.failed"),
        ("", LIMIT, "response.incomplete"),
    ] {
        let call = chunk(json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "patch", "arguments": arguments}}]}));
        let all = events(&translate(&[(call + tail).as_bytes()]));
        assert_eq!(all.last().unwrap()["type"], kind);
        assert!(!all.iter().any(|e| e["type"] == "response.output_item.done"));
        let kept = &all.last().unwrap()["response"]["output"];
        assert!(kept.as_array().unwrap().iter().all(|item| item["status"] == "incomplete"), "{kept}");
    }
}

/// router-for-me/CLIProxyAPI#1407: whatever happens there is one last event, with Codex's code.
#[test]
fn bug_17_every_reply_has_exactly_one_end() {
    for (message, code) in [
        ("prompt is too long: 9 tokens > 8 maximum", "context_length_exceeded"),
        ("You exceeded your current quota", "insufficient_quota"),
        ("no", "server_error"),
    ] {
        let error = format!("data: {}\n\n", json!({"error": {"message": message, "type": "api_error"}}));
        let all = events(&translate(&[(chunk(json!({"content": "a"})) + error.as_str()).as_bytes()]));
        let ends = ["response.completed", "response.incomplete", "response.failed"];
        assert_eq!(all.iter().filter(|e| ends.contains(&e["type"].as_str().unwrap())).count(), 1);
        assert_eq!(all.last().unwrap()["response"]["error"], json!({"code": code, "message": message}));
    }
}

#[test]
fn a_whole_reply_there_and_back() {
    let names = Names::of(&request::read(REQUEST.as_bytes()).unwrap());
    let run = |body: &[u8]| {
        let (mut orderer, mut whole) = (Orderer::default(), Whole::default());
        read_responses::whole(body, &mut |e| orderer.take(e, &mut |s| whole.take(s)));
        orderer.finish(&mut |s| whole.take(s));
        whole.body(&names, "gpt", 5)
    };
    let streamed = events(&translate(&[rich().as_bytes()])).pop().unwrap()["response"].clone();
    let again: Value = serde_json::from_slice(&run(&serde_json::to_vec(&streamed).unwrap()).unwrap()).unwrap();
    assert_eq!(again["output"][3], streamed["output"][3]);
    assert_eq!(again["usage"], streamed["usage"]);
    let failed = json!({"id": "r", "status": "failed", "error": {"code": "server_error", "message": "words"}});
    assert_eq!(run(&serde_json::to_vec(&failed).unwrap()).unwrap_err().1.raw(), "words");
}

#[test]
fn a_foreign_proof_travels_as_encrypted_content() {
    let (names, mut out, seal) = (Names::default(), Vec::new(), Seal::Anthropic(Str::quote("sig")));
    let mut frames = Frames::new(&names, "gpt", 5);
    let sealed = seal.sealed();
    for step in [Step::Start { id: Str::default(), model: Str::default() }, Step::OpenThought, Step::Seal(seal), Step::Close] {
        frames.write(step, &mut out);
    }
    assert_eq!(events(&out).last().unwrap()["item"]["encrypted_content"], sealed.raw());
}

/// OpenAI's SDK refuses an event of another reply ("Lifecycle response identity changed").
#[test]
fn a_failure_behind_a_passing_stream_is_of_the_same_reply() {
    let mut out = Vec::new();
    failed_event(&mut out, "own-7", 0, ErrorKind::Broken, &Str::quote("it \"broke\""));
    let all = events(&out);
    assert_eq!((&all[0]["type"], &all[0]["response"]["id"]), (&json!("response.failed"), &json!("own-7")));
    assert_eq!(all[0]["response"]["error"]["message"], "it \"broke\"");
}
