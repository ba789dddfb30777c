//! What a proxy refuses, and what nobody gets to see.

use super::{
    Cast, Format,
    engine::{CLIENT_KEY, Engine, UPSTREAM_KEY},
    http::{get, open, post, question, read},
};

fn engine(cast: &Cast) -> Engine {
    Engine::start(cast, &["text", "text.echo"])
}

#[test]
fn strangers_and_web_pages_are_refused_and_nothing_leaves() {
    let cast = Cast::start();
    let engine = engine(&cast);
    let port = engine.url.rsplit(':').next().unwrap().to_owned();
    let key = format!("authorization: Bearer {CLIENT_KEY}\r\n");
    for (headers, status) in [
        (String::new(), 401),
        ("x-api-key: sk-wrong\r\n".into(), 401),
        (format!("{key}x-api-key: sk-wrong\r\n"), 401),
        (format!("{key}origin: http://127.0.0.1:{port}\r\n"), 403),
        (format!("{key}origin: null\r\n"), 403),
        (format!("{key}sec-fetch-site: cross-site\r\n"), 403),
        (format!("{key}host: evil.example:{port}\r\n"), 421),
        (format!("{key}host: 127.0.0.1\r\n"), 421),
    ] {
        let reply = read(open(&engine.url, "POST", "/v1/messages", &headers, question("chat-text", false).as_bytes()));
        assert_eq!(reply.status, status, "{headers}: {}", reply.body);
        assert_eq!(reply.json()["type"], "error", "in the client's own words");
        assert!(!reply.head.to_lowercase().contains("access-control"), "{}", reply.head);
    }
    for (method, path) in [("OPTIONS", "/v1/messages"), ("GET", "/v1/models"), ("GET", "/spend/analytics")] {
        assert_eq!(read(open(&engine.url, method, path, "", b"")).status, 401, "{path}");
    }
    assert!(cast.requests().is_empty(), "a refused request reached the upstream");
}

#[test]
fn the_upstreams_key_is_in_no_answer_and_no_log() {
    let cast = Cast::start();
    let engine = engine(&cast);
    for upstream in Format::ALL {
        for path in ["/v1/messages", "/v1/chat/completions"] {
            let reply = post(&engine.url, path, &question(&format!("{}-text.echo", upstream.word()), false));
            assert_eq!(reply.status, 400, "{}", reply.body);
            assert!(reply.body.contains("you sent"), "the upstream's words arrive: {}", reply.body);
            assert!(!reply.body.contains(UPSTREAM_KEY), "{}", reply.body);
        }
        for request in cast.requests() {
            assert!(!request.headers.iter().any(|(_, value)| value.contains(CLIENT_KEY)), "the client's key reached the upstream");
        }
    }
    assert!(!engine.log().contains(UPSTREAM_KEY) && !engine.log().contains(CLIENT_KEY), "{}", engine.log());
}

#[test]
fn bad_requests_are_told_in_the_clients_words() {
    let cast = Cast::start();
    let engine = engine(&cast);
    let long = "x".repeat(65 << 20);
    for (path, body, status, says) in [
        ("/v1/messages", "{\"model\":", 400, "\"invalid_request_error\""),
        ("/v1/messages", "", 400, "\"invalid_request_error\""),
        ("/v1/messages", "{\"messages\":[]}", 400, "model"),
        ("/v1/chat/completions", "[]", 400, "\"invalid_request_error\""),
        ("/v1/responses", "nonsense", 400, "\"error\""),
        ("/v1beta/models/chat-text:generateContent", "{", 400, "INVALID_ARGUMENT"),
        ("/v1/messages", long.as_str(), 413, "\"request_too_large\""),
        ("/v1/nothing", "{}", 404, "there is no POST /v1/nothing here"),
    ] {
        let reply = post(&engine.url, path, body);
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(reply.body.contains(says), "{path}: {}", reply.body);
        reply.json();
    }
    assert!(cast.requests().is_empty());
}

#[test]
fn a_model_nobody_knows_is_told_with_those_there_are() {
    let cast = Cast::start();
    let list = format!(
        "model_list:\n  - model_name: up/m\n    litellm_params: {{model: up/text, api_base: '{}', api_key: k, format: openai-chat}}\n",
        cast.url(Format::Chat)
    );
    let engine = Engine::with(&format!("{list}general_settings: {{master_key: '${{CLOWN_PROXY_SECRET}}'}}\n"));
    let reply = post(&engine.url, "/v1/messages", &question("gpt-nobody", false));
    assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (404, Some("not_found_error")));
    assert!(reply.body.contains("gpt-nobody") && reply.body.contains("up/m"), "{}", reply.body);
    let reply = post(&engine.url, "/v1/chat/completions", &question("gpt-nobody", false));
    assert_eq!(reply.json()["error"]["code"], "model_not_found");
    // By a target's name, and by its model's own.
    for known in ["up/m", "text"] {
        assert_eq!(post(&engine.url, "/v1/messages", &question(known, false)).status, 200, "{known}");
    }
}

#[test]
fn a_web_socket_is_answered_so_that_codex_posts_at_once() {
    let cast = Cast::start();
    let engine = engine(&cast);
    let headers = format!("authorization: Bearer {CLIENT_KEY}\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n");
    assert_eq!(read(open(&engine.url, "GET", "/v1/responses", &headers, b"")).status, 426);
}

#[test]
fn compressed_requests_are_read_and_unknown_ways_refused() {
    let cast = Cast::start();
    let engine = engine(&cast);
    let body = super::cast::pack(question("chat-text", false).as_bytes());
    let of = |encoding: &str| {
        let headers = format!("x-api-key: {CLIENT_KEY}\r\ncontent-encoding: {encoding}\r\n");
        read(open(&engine.url, "POST", "/v1/messages", &headers, &body))
    };
    assert_eq!(of("gzip").status, 200);
    assert_eq!(of("zstd").status, 400);
    assert_eq!(of("lzw").status, 415);
}

#[test]
fn tokens_are_counted_and_models_listed_for_each_client() {
    let cast = Cast::start();
    let engine = engine(&cast);
    let reply = post(&engine.url, "/v1/messages/count_tokens", &question("chat-text", false));
    assert!(reply.json()["input_tokens"].as_u64().unwrap() > 5, "{}", reply.body);
    let contents = r#"{"contents":[{"role":"user","parts":[{"text":"how many tokens are these words, about?"}]}]}"#;
    let reply = post(&engine.url, "/v1beta/models/chat-text:countTokens", contents);
    assert!(reply.json()["totalTokens"].as_u64().unwrap() > 5, "{}", reply.body);
    assert!(cast.requests().is_empty(), "no upstream of another format can be asked");
    let ids = get(&engine.url, "/v1/models").json();
    assert!(ids["data"].as_array().unwrap().iter().any(|m| m["id"] == "chat-text"), "{ids}");
    let names = get(&engine.url, "/v1beta/models").json();
    assert!(names["models"].as_array().unwrap().iter().any(|m| m["name"] == "models/chat-text"), "{names}");
}

#[test]
fn what_is_said_is_logged_only_when_asked_for_and_without_keys() {
    let cast = Cast::start();
    let yaml = |more: &str| {
        format!(
            "model_list:\n  - model_name: up/m\n    litellm_params: {{model: up/text, api_base: '{}', api_key: '${{UPSTREAM_KEY}}', format: openai-chat}}\n\
             router_settings:\n  rules:\n    - {{name: all, model: up/m}}\ngeneral_settings: {{master_key: '${{CLOWN_PROXY_SECRET}}'}}\n{more}",
            cast.url(Format::Chat)
        )
    };
    let asked = question("x", true).replace("hello", "a secret: sk-ant-api03-abcdefghijklmnop, and a word: mango");
    for (more, logs) in [("", false), ("clown_settings: {log_content: true}\n", true)] {
        let engine = Engine::with(&yaml(more));
        assert_eq!(post(&engine.url, "/v1/messages", &asked).status, 200);
        let log = || engine.log();
        if logs {
            crate::support::wait_until("both in the log", || log().contains("mango") && log().contains("of it."));
            assert!(!log().contains("abcdefghijklmnop"), "{}", log());
        } else {
            assert!(!log().contains("mango") && !log().contains("of it."), "{}", log());
        }
    }
}
