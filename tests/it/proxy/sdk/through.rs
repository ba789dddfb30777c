//! Through the engine: every client with every upstream.

use super::*;
use crate::{proxy::shape, support::Recorded};

fn check(client: Format) {
    let cast = Cast::start();
    let engine = Engine::start(&cast, &script::NAMES);
    let cases = cases(&Format::ALL, &script::NAMES, &[true, false], engine::model);
    compare(client, &engine.url, CLIENT_KEY, &cases, scripted(client));
    let requests = cast.requests();
    assert_eq!(requests.len(), cases.len(), "one request for each, and nothing else");
    for (case, request) in cases.iter().zip(&requests) {
        shape::credential(case.upstream, request);
        let body = body(case.upstream, request);
        shape::question(case.upstream, &body);
        shape::tools(case.upstream, &body);
        if case.name == "image" {
            shape::picture(case.upstream, &body);
        }
    }
    again(client, &cast, &engine);
}

fn body(upstream: Format, request: &Recorded) -> Value {
    let path = match upstream {
        Format::Anthropic => "/v1/messages",
        Format::Chat => "/v1/chat/completions",
        Format::Responses => "/v1/responses",
        Format::Gemini => "/v1beta/models/",
    };
    assert!(request.path.starts_with(path), "{upstream:?}: {}", request.path);
    serde_json::from_slice(&request.body).unwrap()
}

/// Thought, call and result go back to the vendor they came from.
fn again(client: Format, cast: &Cast, engine: &Engine) {
    let mut turns = Vec::new();
    for upstream in Format::ALL {
        for streamed in [true, false] {
            let [first, then] = ["think-tool", "text"].map(|name| engine::model(upstream, name));
            turns.push((upstream, json!({"id": upstream.word(), "model": first, "then": then, "stream": streamed, "ask": "again"})));
        }
    }
    let cases: Vec<Value> = turns.iter().map(|(_, case)| case.clone()).collect();
    for (told, (upstream, case)) in run(client, &engine.url, CLIENT_KEY, &cases).iter().zip(&turns) {
        let shown = told["broken"].as_str().unwrap_or_default();
        assert_eq!(told["text"], script::script("text").unwrap().text(), "{client:?} client, {case}: {told}\n{shown}");
        assert_eq!(told["id"], upstream.word());
    }
    let requests = cast.requests();
    assert_eq!(requests.len(), 2 * turns.len());
    for ((upstream, _), pair) in turns.iter().zip(requests.chunks(2)) {
        shape::history(client, *upstream, &body(*upstream, &pair[1]));
    }
}

for_each_client!(check);
