//! Routes, aliases, keys and settings, with an instance up and without.

use serde_json::json;

use super::stage::{HELLO, Stage, health, post};
use crate::support::{kill, wait_until};

fn add(stage: &Stage, words: &[&str]) -> crate::support::Cmd {
    stage.home.clown(&[&["proxy", "route", "add", "p"], words].concat())
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_changed() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let file = stage.home.root().join("profiles/p.json");
    let before = std::fs::read(&file).unwrap();
    add(&stage, &["x", "tokens > many", "chatty/m-1"]).fails(1).says("column 10").says("tokens > many\n           ^");
    add(&stage, &["x", "thinkin", "chatty/m-1"]).fails(1).says("did you mean thinking");
    add(&stage, &["x", "always", "m-1"]).fails(1).says("\"m-1\" is not a target");
    add(&stage, &["x", "always", "chaty/m-1"]).fails(1).says("did you mean chatty");
    add(&stage, &["x", "always", "other/m-1"]).fails(1).says("no key of provider other").says("clown proxy key add p other");
    add(&stage, &["x", "always", "self/any"]).fails(1).says("cannot be a target");
    add(&stage, &["x", "always"]).fails(2);
    stage.home.clown(&["proxy", "route", "remove", "p", "x"]).fails(1).says("no route \"x\"");
    stage.home.clown(&["proxy", "alias", "remove", "p", "x"]).fails(1).says("no alias \"x\"");
    stage.home.clown(&["proxy", "alias", "set", "p", "x", "other/m"]).fails(1).says("no key of provider other");
    stage.home.clown(&["proxy", "key", "remove", "p", "1"]).fails(1).says("no extra key 1");
    stage.home.clown(&["proxy", "strategy", "p", "wighted"]).fails(2).says("did you mean weighted");
    stage.home.clown(&["proxy", "disable", "p"]).fails(1).says("cannot do without its proxy");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    add(&stage, &["x", "always", "chatty/m-1"]).ok();
    add(&stage, &["x", "always", "chatty/m-1"]).fails(1).says("has a route \"x\" already");
}

#[test]
fn routes_reach_a_running_proxy_at_once() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let asked = || -> String {
        let (status, text) = post(live.port(), "/v1/messages", live.token(), HELLO).unwrap();
        assert_eq!(status, 200, "{text}");
        let body: serde_json::Value = serde_json::from_slice(&stage.upstream.requests().last().unwrap().body).unwrap();
        body["model"].as_str().unwrap().to_owned()
    };
    assert_eq!(asked(), "m-1");
    let before = health(live.port()).unwrap();
    add(&stage, &["all", "max_tokens >= 2000", "chatty/routed", "--priority", "5"]).ok();
    assert_eq!(asked(), "routed");
    let after = health(live.port()).unwrap();
    assert!(before["pid"] == after["pid"] && before["config"] != after["config"], "{before} {after}");
    stage.home.clown(&["proxy", "alias", "set", "p", "m-*", "chatty/aliased"]).ok();
    assert_eq!(asked(), "aliased");
    let listed = stage.home.json(&["proxy", "route", "list", "p"]);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|r| (r["name"].clone(), r["generated"].clone())).collect();
    assert_eq!(names[0], (json!("all"), json!(false)));
    assert_eq!(names.last().unwrap(), &(json!("default"), json!(true)));
    assert_eq!(stage.home.json(&["proxy", "alias", "list", "p"]), json!({"m-*": "chatty/aliased"}));
    stage.home.clown(&["proxy", "alias", "remove", "p", "m-*"]).ok();
    stage.home.clown(&["proxy", "route", "remove", "p", "all"]).ok();
    assert_eq!(asked(), "m-1");
    stage.home.clown(&["profiles", "edit", "p", "--model", "m-9"]).ok();
    assert_eq!(stage.status("p")["pid"], before["pid"]);
    let topics = stage.topics("p");
    assert_eq!(topics.iter().filter(|t| *t == "proxy/reloaded").count(), 5, "{topics:?}");
    live.done().code_is(0);
}

#[test]
fn a_file_that_does_not_load_is_named_and_the_instance_goes_on() {
    let stage = Stage::new();
    stage.set("proxy.idle_timeout", "2");
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let status = stage.status("p");
    let file = status["config"].as_str().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, text.replace("format: openai-chat", "format: morse")).unwrap();
    kill(status["pid"].as_u64().unwrap() as u32, "HUP");
    wait_until("the mistake", || stage.status("p")["problem"].as_str().is_some_and(|p| p.contains("morse") || p.contains("format")));
    let problem = stage.status("p")["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("litellm_params.format") && problem.contains("line ") || problem.contains("yaml:"), "{problem}");
    assert_eq!(post(live.port(), "/v1/messages", live.token(), HELLO).unwrap().0, 200);
    // The next change of clown's writes it anew.
    add(&stage, &["x", "image", "chatty/m-1"]).ok();
    assert_eq!(stage.status("p")["pid"], status["pid"]);
    wait_until("that it is well", || stage.status("p")["problem"].is_null());
    live.done().code_is(0);
}

#[test]
fn another_key_comes_by_a_new_engine_and_no_request_is_lost() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let before = stage.status("p")["pid"].clone();
    let (at, token) = (live.port(), live.token().to_owned());
    let asking = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let mut answers = Vec::new();
            while asking.load(std::sync::atomic::Ordering::Relaxed) {
                answers.push(post(at, "/v1/messages", &token, HELLO).map(|(status, _)| status));
            }
            answers
        });
        let out = stage.home.clown(&["proxy", "key", "add", "p", "other", "--api-key-stdin"]).stdin(b"the-key-of-the-other-one").ok();
        assert!(!out.stderr().contains("warning"), "{}", out.report());
        let out = stage.home.clown(&["profiles", "edit", "p", "--api-key-stdin"]).stdin(b"another-key-of-the-first").ok();
        assert!(!out.stderr().contains("warning"), "{}", out.report());
        asking.store(false, std::sync::atomic::Ordering::Relaxed);
        let answers = asker.join().unwrap();
        let lost: Vec<_> = answers.iter().filter(|a| !matches!(a, Ok(200))).collect();
        assert!(lost.is_empty() && !answers.is_empty(), "{} of {}: {lost:?}", lost.len(), answers.len());
    });
    let status = stage.status("p");
    assert!(status["pid"] != before && status["port"].as_u64() == Some(at.into()), "{status}");
    assert_eq!(post(at, "/v1/messages", &token, HELLO).unwrap().0, 200);
    let sent = stage.upstream.requests();
    assert!(sent.last().unwrap().header("authorization").unwrap().contains("another-key-of-the-first"));
    // A target of the other provider gets the other key.
    add(&stage, &["all", "always", "other/m-2"]).ok();
    assert_eq!(post(at, "/v1/messages", &token, HELLO).unwrap().0, 200);
    assert!(stage.upstream.requests().last().unwrap().header("authorization").unwrap().contains("the-key-of-the-other-one"));
    let keys = stage.home.json(&["proxy", "key", "list", "p"]);
    assert_eq!(keys.as_array().unwrap().len(), 2, "{keys}");
    stage.home.clown(&["proxy", "key", "remove", "p", "1"]).fails(1).says("no key of provider other");
    stage.home.clown(&["proxy", "route", "remove", "p", "all"]).ok();
    stage.home.clown(&["proxy", "key", "remove", "p", "1"]).ok();
    assert!(stage.home.files_with(stage.home.everything(), b"the-key-of-the-other-one").is_empty());
    live.done().code_is(0);
}

#[test]
fn a_host_that_moved_stops_the_proxy_until_its_owner_agrees() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    stage.home.clown(&["proxy", "key", "add", "p", "other", "--api-key-stdin"]).stdin(b"the-key-of-the-other-one").ok();
    add(&stage, &["all", "always", "other/m-2"]).ok();
    let manifest = super::stage::manifest("other", "openai-chat", "https://elsewhere.example/v1");
    stage.home.write(stage.home.root().join("providers.d/other.toml"), &manifest);
    stage.home.clown(&["run", "p", "x"]).fails(1).says("elsewhere.example").says("clown providers approve other --profile p");
    stage.home.clown(&["proxy", "start", "p"]).fails(1).says("elsewhere.example");
    stage.home.clown(&["providers", "approve", "other", "--profile", "p"]).ok();
    stage.start("p");
    // Sharing it is held to the same agreement.
    stage.profile("q", "chatty", &[]);
    stage.home.clown(&["proxy", "key", "add", "q", "other", "--from", "p"]).ok();
    assert_eq!(stage.home.json(&["proxy", "key", "list", "q"])[1]["approved_hosts"], json!(["elsewhere.example"]));
    stage.home.clown(&["proxy", "key", "add", "q", "native", "--from", "p"]).fails(1).says("belongs to provider chatty");
}

#[test]
fn explain_tells_the_winner_and_the_reasons() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    add(&stage, &["long", "tokens > 60000 and not image", "chatty/vast"]).ok();
    add(&stage, &["tools", "tools >= 1", "chatty/handy", "--priority", "3"]).ok();
    let request = stage.home.write("w/request.json", HELLO);
    let explain = |more: &[&str]| stage.home.json(&[&["proxy", "explain", "p", "--request", request.to_str().unwrap()], more].concat());
    let told = explain(&[]);
    assert_eq!((&told["rule"], &told["targets"][0]), (&json!("by name"), &json!({"target": "chatty/*", "model": "m-1"})));
    assert_eq!(told["steps"][0]["rule"], "tools", "{told}");
    assert_eq!(told["steps"][1]["reasons"], json!(["tokens > 60000 (is 20)"]));
    assert_eq!((&told["facts"]["max_tokens"], &told["facts"]["thinking"]), (&json!("2000"), &json!("no")));
    let long =
        format!(r#"{{"model":"claude-haiku-5-5","max_tokens":9,"messages":[{{"role":"user","content":"{}"}}]}}"#, "word, ".repeat(60_000));
    std::fs::write(&request, long).unwrap();
    assert_eq!(explain(&[])["rule"], "long");
    std::fs::write(&request, HELLO).unwrap();
    assert_eq!(explain(&["--model", "claude-haiku-5-5"])["rule"], "haiku");
    assert_eq!(explain(&["--model", "chatty/x"])["rule"], "by name");
    let text = stage.home.clown(&["proxy", "explain", "p", "--request", request.to_str().unwrap()]).ok().stdout();
    assert!(text.contains("taken by  by name") && text.contains("tokens > 60000 (is 20)"), "{text}");
    std::fs::write(&request, "[]").unwrap();
    stage
        .home
        .clown(&["proxy", "explain", "p", "--request", request.to_str().unwrap()])
        .fails(1)
        .says("not a request in the format anthropic");
    assert_eq!(stage.state("p"), "stopped", "looking starts nothing");
}
