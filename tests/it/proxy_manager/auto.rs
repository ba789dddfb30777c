//! When a profile gets a proxy, and when it cannot have one.

use serde_json::{Value, json};

use super::stage::{HELLO, Stage, port, post, var};

#[test]
fn where_formats_do_not_meet_the_proxy_is_switched_on_and_said_so() {
    let stage = Stage::new();
    let out = stage.profile("p", "chatty", &[]);
    let out = out.says("fake speaks anthropic, chatty only openai-chat: the proxy is switched on and translates.");
    assert!(!out.stderr().contains("warning"), "{}", out.report());
    let env = stage.run("p");
    let (status, text) = post(port(&env), "/v1/messages", var(&env, "FAKE_KEY"), HELLO).unwrap();
    assert!(status == 200 && text.contains("\"type\":\"message\""), "{text}");
    let sent = stage.upstream.requests().pop().unwrap();
    assert_eq!((sent.path.as_str(), sent.header("authorization")), ("/v1/chat/completions", Some("Bearer the-real-key-of-the-provider")));
    let shown = stage.home.json(&["profiles", "inspect", "p"]);
    assert_eq!((&shown["proxy"], &shown["base_url"]), (&json!("needed"), &json!(stage.upstream.url("openai-chat"))));
    // Names that the agent makes up itself go to the provider's own models.
    for (asked, given) in [("claude-haiku-5-5", "m-small"), ("claude-sonnet-5", "m-1"), ("m-small", "m-small"), ("chatty/x", "x")] {
        post(port(&env), "/v1/messages", var(&env, "FAKE_KEY"), &HELLO.replace("m-1", asked)).unwrap();
        let body: Value = serde_json::from_slice(&stage.upstream.requests().pop().unwrap().body).unwrap();
        assert_eq!(body["model"], given, "{asked}");
    }
    // Said once, and again only when it has become so.
    let quiet = stage.home.clown(&["profiles", "edit", "p", "--model", "m-2"]).ok();
    assert!(!quiet.stderr().contains("translates"), "{}", quiet.report());
    stage.profile("q", "native", &[]);
    let edit = ["profiles", "edit", "q", "--provider", "chatty", "--api-key-stdin"];
    stage.home.clown(&edit).stdin(b"the-real-key-of-the-provider").ok().says("translates");
}

#[test]
fn where_they_meet_there_is_none_unless_it_is_wished_for() {
    let stage = Stage::new();
    stage.profile("p", "native", &[]);
    assert_eq!(var(&stage.run("p"), "FAKE_URL"), stage.upstream.url("anthropic"));
    assert!(stage.home.json(&["proxy", "status"])["instances"].as_array().unwrap().is_empty());
    stage.home.clown(&["proxy", "start", "p"]).fails(1).says("clown proxy enable p");

    stage.profile("q", "native", &["--proxy"]);
    stage.home.clown(&["proxy", "enable", "p", "--strategy", "simple"]).ok();
    for alias in ["p", "q"] {
        let env = stage.run(alias);
        assert_eq!(post(port(&env), "/v1/messages", var(&env, "FAKE_KEY"), HELLO).unwrap().0, 200);
        let sent = stage.upstream.requests().pop().unwrap();
        assert_eq!((sent.path.as_str(), sent.body.as_slice()), ("/v1/messages", HELLO.as_bytes()), "it passes as it is");
        assert_eq!(stage.status(alias)["use"], "enabled");
    }
    stage.home.clown(&["proxy", "disable", "p"]).ok();
    assert_eq!(stage.state("p"), "stopped");
    assert_eq!(var(&stage.run("p"), "FAKE_URL"), stage.upstream.url("anthropic"));
    let profile: Value = serde_json::from_slice(&std::fs::read(stage.home.root().join("profiles/p.json")).unwrap()).unwrap();
    assert_eq!(profile["proxy"]["strategy"], "simple", "the rest of the settings is kept");
    stage.home.clown(&["profiles", "clone", "q", "r"]).ok();
    assert_eq!(stage.status("r")["use"], "enabled");
}

#[test]
fn an_own_login_and_the_local_model_have_no_proxy() {
    let stage = Stage::new();
    stage.home.clown(&["profiles", "create", "fake", "own", "--provider", "self"]).ok();
    for args in [&["proxy", "enable", "own"][..], &["profiles", "create", "fake", "x", "--provider", "self", "--proxy"]] {
        stage.home.clown(args).fails(1).says("never lent to a proxy");
    }
    stage.home.clown(&["profiles", "create", "fake", "off", "--provider", "offline"]).ok();
    stage.home.clown(&["proxy", "enable", "off"]).fails(1).says("can have no proxy");
    stage.home.clown(&["proxy", "route", "add", "own", "x", "always", "chatty/m-1"]).fails(1).says("can have no proxy");
    stage.home.clown(&["proxy", "disable", "own"]).ok();
    // Nor can one come about by another edit.
    stage.profile("p", "native", &["--proxy"]);
    stage.home.clown(&["profiles", "edit", "p", "--provider", "self"]).fails(1).says("never lent to a proxy").says("clown proxy disable p");
}

#[test]
fn every_built_in_provider_can_be_used_by_every_agent() {
    let stage = Stage::new();
    for (agent, provider, direct) in [
        ("claude", "openai", false),
        ("claude", "gemini", false),
        ("codex", "gemini", false),
        ("codex", "anthropic", false),
        ("codex", "moonshot", false),
        ("opencode", "gemini", false),
        ("opencode", "openai", true),
        ("claude", "anthropic", true),
    ] {
        let args = ["profiles", "create", agent, "x", "--provider", provider, "--api-key-stdin", "--dry-run"];
        let out = stage.home.clown(&args).stdin(b"some-key-of-a-provider").ok();
        assert_eq!(out.stderr().contains("the proxy is switched on and translates"), !direct, "{agent} {provider}\n{}", out.report());
    }
}
