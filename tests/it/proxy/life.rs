//! A proxy's process: its configuration while it runs, and its end.

use std::io::{Read, Write};

use super::{
    Cast, Format,
    engine::{CLIENT_KEY, Engine},
    http::{get, open, post, question},
};
use crate::support::{kill, wait_until};

fn yaml(cast: &Cast, model: &str) -> String {
    format!(
        "model_list:\n  - model_name: up/m\n    litellm_params: {{model: up/{model}, api_base: '{}', api_key: k, format: openai-chat}}\n\
         router_settings:\n  rules:\n    - {{name: all, condition: always, model: up/m}}\ngeneral_settings: {{master_key: '${{CLOWN_PROXY_SECRET}}'}}\n",
        cast.url(Format::Chat)
    )
}

#[test]
fn a_new_configuration_is_taken_and_a_wrong_one_is_not() {
    let cast = Cast::start();
    let engine = Engine::with(&yaml(&cast, "text"));
    let hash = || get(&engine.url, "/health").json()["config"].clone();
    let (first, config) = (hash(), engine.path("config.yaml"));
    let answers = |words: &str| post(&engine.url, "/v1/messages", &question("x", false)).body.contains(words);
    assert!(answers("of it."));

    std::fs::write(&config, yaml(&cast, "max")).unwrap();
    kill(engine.pid(), "HUP");
    wait_until("the new configuration", || hash() != first);
    assert!(answers("on and on"));

    let second = hash();
    std::fs::write(&config, yaml(&cast, "text").replace("condition: always", "condition: 'tokens > many'")).unwrap();
    kill(engine.pid(), "HUP");
    wait_until("the mistake", || get(&engine.url, "/health").json()["config_error"].is_string());
    let mistake = get(&engine.url, "/health").json()["config_error"].as_str().unwrap().to_owned();
    for says in ["config.yaml", "line 6", "router_settings.rules[0].condition", "column 10"] {
        assert!(mistake.contains(says), "{says}: {mistake}");
    }
    assert_eq!(hash(), second);
    assert!(answers("on and on"), "it goes on as it was");
}

#[test]
fn a_mistake_keeps_it_from_starting_and_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("c.yaml");
    let run = |text: &str, word: &str| {
        std::fs::write(&config, text).unwrap();
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_clown"))
            .args(["ultrallm", word, "--config"])
            .arg(&config)
            .env("CLOWN_PROXY_SECRET", CLIENT_KEY)
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let tail = "general_settings: {master_key: '${CLOWN_PROXY_SECRET}'}\n";
    let entry = "model_list:\n  - model_name: up/m\n    litellm_params: {model: up/m, api_base: 'http://127.0.0.1:1', api_key: k}\n";
    for (text, says) in [
        (
            format!("model_list:\n  - model_name: up/m\n    litellm_params: {{model: up/m}}\n{tail}"),
            "line 3: model_list[0].litellm_params.model: the address of \"up\" is not known",
        ),
        (format!("{}{tail}", entry.replace("api_key: k", "api_key: '${NO_SUCH_KEY}'")), "the variable NO_SUCH_KEY is not set"),
        (format!("{entry}router_settings: {{rules: [{{name: a, model: up/other}}]}}\n{tail}"), "no target \"up/other\""),
        (entry.to_owned(), "general_settings.master_key"),
        (format!("{entry}router_settings: {{routing_strategy: random}}\n{tail}"), "router_settings.routing_strategy"),
        ("just words".into(), "c.yaml"),
    ] {
        for word in ["check", "serve"] {
            let (code, stderr) = run(&text, word);
            assert_eq!(code, Some(1), "{stderr}");
            assert!(stderr.contains(says), "{word}: wanted {says:?} in {stderr}");
        }
    }
    assert_eq!(run(&format!("{entry}{tail}"), "check").0, Some(0));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, stderr) = run(&format!("server: {{port: {port}}}\n{entry}{tail}"), "serve");
    assert!(code == Some(1) && stderr.contains("cannot listen on 127.0.0.1") && stderr.contains("choose another port"), "{stderr}");
    let (code, stderr) = run(&format!("server: {{host: 0.0.0.0}}\n{entry}{tail}"), "serve");
    assert!(code == Some(1) && stderr.contains("loopback only"), "{stderr}");
}

#[test]
fn it_ends_with_its_streams_told() {
    let cast = Cast::start();
    let mut engine = Engine::with(&yaml(&cast, "text.stall"));
    let headers = format!("authorization: Bearer {CLIENT_KEY}\r\n");
    let mut stream = open(&engine.url, "POST", "/v1/messages", &headers, question("x", true).as_bytes());
    let mut text = vec![0; 512];
    let first = stream.read(&mut text).unwrap();
    text.truncate(first);
    kill(engine.pid(), "TERM");
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("event: error") && text.contains("the proxy is being stopped"), "{text}");
    assert_eq!(engine.code(), Some(0));
}

#[test]
fn a_slow_head_does_not_hold_up_others() {
    let cast = Cast::start();
    let engine = Engine::with(&yaml(&cast, "text"));
    let address = engine.url.strip_prefix("http://").unwrap();
    let slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"POST /v1/messages HTTP/1.1\r\nhost: ").unwrap();
            stream
        })
        .collect();
    assert_eq!(post(&engine.url, "/v1/messages", &question("x", false)).status, 200);
    drop(slow);
}
