//! Upstreams that fail: who is asked next, who is left alone, and what the client is told.

use serde_json::Value;

use super::{
    Cast, Format,
    engine::{Engine, SECOND_KEY, UPSTREAM_KEY},
    http::{open, post, question, read},
};
use crate::support::wait_until;

/// An engine whose one rule tries these in turn: name, format, the upstream's model.
fn engine(cast: &Cast, targets: &[(&str, Format, &str)], more: &str) -> Engine {
    let url = |format| cast.url(format);
    let entries: Vec<(String, Format, String, &str)> =
        targets.iter().map(|(name, format, model)| ((*name).to_owned(), *format, url(*format), *model)).collect();
    with(&entries, "${UPSTREAM_KEY}", more)
}

fn with(targets: &[(String, Format, String, &str)], key: &str, more: &str) -> Engine {
    let mut list = String::new();
    for (name, format, base, model) in targets {
        list += &format!(
            "  - model_name: {name}/m\n    litellm_params: {{model: {name}/{model}, api_base: '{base}', api_keys: ['{key}'], format: {}, auth: {}}}\n",
            format.id(),
            format.auth()
        );
    }
    let names: Vec<String> = targets.iter().map(|(name, ..)| format!("{name}/m")).collect();
    Engine::with(&format!(
        "model_list:\n{list}router_settings:\n  rules:\n    - {{name: all, condition: always, model: [{}]}}\n{more}\
         general_settings: {{master_key: '${{CLOWN_PROXY_SECRET}}'}}\nclown_settings: {{usage_log: '${{DIR}}/usage.jsonl'}}\n",
        names.join(", ")
    ))
}

fn asked(cast: &Cast) -> Vec<String> {
    cast.requests().iter().map(|r| serde_json::from_slice::<Value>(&r.body).unwrap()["model"].as_str().unwrap().to_owned()).collect()
}

/// The lines of the usage log, once there are so many.
fn records(engine: &Engine, count: usize) -> Vec<Value> {
    let path = engine.path("usage.jsonl");
    let lines = || std::fs::read_to_string(&path).unwrap_or_default();
    wait_until("the usage log", || lines().lines().count() >= count);
    lines().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

const PAIRS: [(Format, Format); 2] = [(Format::Anthropic, Format::Anthropic), (Format::Chat, Format::Responses)];

#[test]
fn another_target_is_asked_when_one_fails_before_its_first_byte() {
    let cast = Cast::start();
    for (first, second) in PAIRS {
        for manner in ["status402", "status429", "status500", "status503", "status529", "error", "page"] {
            for stream in [true, false] {
                if manner == "error" && !stream {
                    continue;
                }
                let engine = engine(&cast, &[("a", first, &format!("text.{manner}")), ("b", second, "text")], "");
                let reply = post(&engine.url, "/v1/messages", &question("claude-x", stream));
                assert_eq!(reply.status, 200, "{manner} {first:?}: {}", reply.body);
                assert!(reply.body.contains(" all of it.") || reply.body.contains(" of it."), "{manner}: {}", reply.body);
                assert_eq!(asked(&cast), [&format!("text.{manner}"), "text"], "{manner} {first:?} stream {stream}");
                let record = &records(&engine, 1)[0];
                assert_eq!((&record["target"], &record["outcome"]), (&"b/m".into(), &"ok".into()), "{record}");
                assert_eq!(record["failed"][0]["target"], "a/m", "{record}");
                // It rests now: the next request does not even try it.
                assert_eq!(post(&engine.url, "/v1/messages", &question("claude-x", stream)).status, 200);
                assert_eq!(asked(&cast), ["text"], "{manner} {first:?}: a target that failed rests");
            }
        }
    }
}

#[test]
fn a_target_that_cannot_be_reached_is_passed_over() {
    let cast = Cast::start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}/v1", free.local_addr().unwrap());
    drop(free);
    let targets = [("a".into(), Format::Chat, dead.clone(), "text"), ("b".into(), Format::Chat, cast.url(Format::Chat), "text")];
    let engine = with(&targets, "${UPSTREAM_KEY}", "");
    assert_eq!(post(&engine.url, "/v1/messages", &question("x", true)).status, 200);
    let alone = with(&targets[..1], "${UPSTREAM_KEY}", "");
    let reply = post(&alone.url, "/v1/messages", &question("x", true));
    assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (502, Some("api_error")));
    assert!(reply.body.contains("cannot be reached"), "{}", reply.body);
}

#[test]
fn a_silent_target_is_given_up() {
    let cast = Cast::start();
    // Nobody answers behind a listener that never accepts.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", silent.local_addr().unwrap());
    let targets = [("a".into(), Format::Chat, base, "text"), ("b".into(), Format::Chat, cast.url(Format::Chat), "text")];
    let engine = with(&targets, "${UPSTREAM_KEY}", "  idle_timeout: 1\n");
    assert_eq!(post(&engine.url, "/v1/messages", &question("x", true)).status, 200);
    assert!(records(&engine, 1)[0]["failed"][0]["why"].as_str().unwrap().contains("no answer within"));
}

#[test]
fn behind_the_first_byte_nothing_is_sent_again_and_the_client_is_told() {
    let cast = Cast::start();
    for (upstream, path, says) in [
        (Format::Anthropic, "/v1/messages", "event: error\ndata: {\"type\":\"error\""),
        (Format::Chat, "/v1/messages", "event: error\ndata: {\"type\":\"error\""),
        (Format::Chat, "/v1/chat/completions", "data: {\"error\":{\"message\""),
        (Format::Gemini, "/v1/chat/completions", "data: {\"error\":{\"message\""),
    ] {
        for manner in ["drop", "stall"] {
            let more = "  idle_timeout: 1\n";
            let engine = engine(&cast, &[("a", upstream, &format!("text.{manner}")), ("b", upstream, "text")], more);
            let reply = post(&engine.url, path, &question("claude-x", true));
            assert_eq!(reply.status, 200, "{}", reply.body);
            assert!(reply.body.contains(says), "{manner} {upstream:?} {path}: {}", reply.body);
            assert!(!reply.body.contains("[DONE]") && !reply.body.contains("message_stop"), "{}", reply.body);
            let requests = cast.requests();
            assert_eq!(requests.len(), 1, "{manner} {upstream:?}: sent again");
            assert_eq!(records(&engine, 1)[0]["outcome"], "broken");
        }
    }
}

#[test]
fn keys_take_turns_and_a_spent_one_rests() {
    let cast = Cast::start();
    let model = format!("text.only{SECOND_KEY}");
    let base = cast.url(Format::Chat);
    let engine = with(&[("a".into(), Format::Chat, base, &model)], "${UPSTREAM_KEY}', '${SECOND_KEY}", "");
    for _ in 0..3 {
        assert_eq!(post(&engine.url, "/v1/messages", &question("x", false)).status, 200);
    }
    let keys: Vec<String> = cast.requests().iter().map(|r| r.header("authorization").unwrap().to_owned()).collect();
    let spent = keys.iter().filter(|k| k.ends_with(UPSTREAM_KEY)).count();
    assert_eq!(spent, 1, "the spent key was asked once: {keys:?}");
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_target_is_left_alone_as_long_as_it_asks() {
    let cast = Cast::start();
    let of = |after: &str| engine(&cast, &[("a", Format::Chat, after), ("b", Format::Chat, "text")], "  cooldown_time: 3600\n");
    let told = of("text.after0");
    (0..2).for_each(|_| assert_eq!(post(&told.url, "/v1/messages", &question("x", false)).status, 200));
    assert_eq!(asked(&cast), ["text.after0", "text", "text.after0", "text"], "it asked for no rest");
    let long = of("text.after600");
    (0..2).for_each(|_| assert_eq!(post(&long.url, "/v1/messages", &question("x", false)).status, 200));
    assert_eq!(asked(&cast), ["text.after600", "text", "text"]);
}

#[test]
fn the_only_target_is_asked_even_while_it_rests_and_its_words_arrive() {
    let cast = Cast::start();
    for (upstream, verbatim) in [(Format::Anthropic, true), (Format::Chat, false)] {
        let engine = engine(&cast, &[("a", upstream, "text.after600")], "");
        for _ in 0..2 {
            let reply = post(&engine.url, "/v1/messages", &question("x", true));
            // The upstream's own word where it passes through, the right one where it is translated.
            let word = if verbatim { "overloaded_error" } else { "rate_limit_error" };
            assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (429, Some(word)));
            assert!(reply.body.contains("told to rest") && reply.head.contains("retry-after: 600"), "{} {}", reply.head, reply.body);
            assert_eq!(reply.body.contains("request_id"), verbatim, "{}", reply.body);
        }
        assert_eq!(asked(&cast).len(), 2);
    }
}

#[test]
fn a_client_that_goes_away_takes_its_request_along() {
    let cast = Cast::start();
    for upstream in [Format::Anthropic, Format::Chat] {
        let engine = engine(&cast, &[("a", upstream, "text.stall")], "");
        let before = cast.ended();
        let headers = format!("authorization: Bearer {}\r\nanthropic-version: 2023-06-01\r\n", super::engine::CLIENT_KEY);
        let mut stream = open(&engine.url, "POST", "/v1/messages", &headers, question("x", true).as_bytes());
        let mut first = [0; 64];
        std::io::Read::read_exact(&mut stream, &mut first).unwrap();
        drop(stream);
        wait_until("the upstream's connection to end", || cast.ended() > before);
        let record = &records(&engine, 1)[0];
        assert_eq!((&record["outcome"], &record["partial"]), (&"cancelled".into(), &true.into()), "{record}");
        cast.requests();
    }
}

#[test]
fn odd_upstreams_are_understood_or_told() {
    let cast = Cast::start();
    for upstream in Format::ALL {
        for (manner, fine) in [("gzip", true), ("cut1", true), ("cut7", true), ("garbage", false), ("drop", false)] {
            for stream in [true, false] {
                let engine = engine(&cast, &[("a", upstream, &format!("text.{manner}"))], "");
                let client = if upstream == Format::Anthropic { "/v1/chat/completions" } else { "/v1/messages" };
                let reply = post(&engine.url, client, &question("x", stream));
                let whole = reply.status == 200 && !reply.body.contains("\"error\"");
                assert_eq!(whole, fine, "{manner} {upstream:?} stream {stream}: {} {}", reply.status, reply.body);
                if fine {
                    assert!(reply.body.contains("of it."), "{manner} {upstream:?}: {}", reply.body);
                }
                cast.requests();
            }
        }
    }
}

#[test]
fn a_reply_in_one_piece_is_counted_as_it_passes() {
    let cast = Cast::start();
    for upstream in Format::ALL {
        let engine = engine(&cast, &[("a", upstream, "text")], "");
        let (path, body) = match upstream {
            Format::Anthropic => ("/v1/messages", question("x", false)),
            Format::Chat => ("/v1/chat/completions", question("x", false)),
            Format::Responses => ("/v1/responses", r#"{"model":"x","input":"hello"}"#.into()),
            Format::Gemini => ("/v1beta/models/x:generateContent", r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#.into()),
        };
        let reply = post(&engine.url, path, &body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        let record = &records(&engine, 1)[0];
        let tokens = ["input", "cache_read", "output"].map(|key| record[key].as_u64().unwrap());
        assert_eq!((&record["outcome"], tokens), (&"ok".into(), [55, 40, 20]), "{record}");
        assert!(record["reply"].is_string() && record["usage"].is_object() && record["partial"] == false, "{record}");
    }
}

#[test]
fn compressed_replies_pass_readable_and_are_counted() {
    let cast = Cast::start();
    let engine = engine(&cast, &[("a", Format::Anthropic, "text.gzip")], "");
    let reply = read(open(
        &engine.url,
        "POST",
        "/v1/messages",
        &format!("x-api-key: {}\r\nanthropic-version: 2023-06-01\r\naccept-encoding: gzip, br\r\n", super::engine::CLIENT_KEY),
        question("x", true).as_bytes(),
    ));
    assert!(reply.body.contains("message_stop") && !reply.head.contains("content-encoding"), "{} {}", reply.head, reply.body);
    assert_eq!(cast.requests()[0].header("accept-encoding"), None);
    assert_eq!(records(&engine, 1)[0]["output"], 20);
}
