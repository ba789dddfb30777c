//! Who gets to see a key: the engine's environment, and nobody else.

use super::stage::{HELLO, Stage, port, post, var};
use crate::support::{contains, wait_until};

const KEY: &str = "the-real-key-of-the-provider";

#[test]
fn the_key_is_in_its_store_and_in_the_engine_and_nowhere_else() {
    let stage = Stage::new();
    stage.set("daemon.log_level", "trace");
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    assert!(live.env.iter().all(|(_, value)| !value.contains(KEY)), "{:?}", live.env);
    assert_eq!(post(live.port(), "/v1/messages", live.token(), HELLO).unwrap().0, 200);
    // An upstream that fails, too: its text must not carry the key into a log.
    assert_ne!(post(live.port(), "/v1/messages", "clown-wrong", HELLO).unwrap().0, 200);
    let pid = stage.status("p")["pid"].as_u64().unwrap();
    let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap();
    assert!(!contains(&read("cmdline"), KEY.as_bytes()) && contains(&read("cmdline"), b"ultrallm"));
    assert!(contains(&read("environ"), KEY.as_bytes()), "this test would see it where it is");
    let mut said = Vec::new();
    for args in [
        &["proxy", "status", "--json"][..],
        &["proxy", "status", "p"],
        &["proxy", "config", "p"],
        &["proxy", "key", "list", "p", "--json"],
        &["proxy", "route", "list", "p", "--json"],
        &["proxy", "logs", "p"],
        &["profiles", "inspect", "p", "--json"],
        &["profiles", "env", "p"],
        &["daemon", "logs", "-n", "100000"],
    ] {
        let out = stage.home.clown(args).ok();
        said.extend([out.stdout, out.stderr].concat());
    }
    assert!(!contains(&said, KEY.as_bytes()));
    assert_eq!(stage.home.files_with(stage.home.everything(), KEY.as_bytes()), [stage.home.root().join("secrets/keys.json")]);
    let home = stage.home.profile_home("fake", "p").join(".ultrallm");
    for (file, mode) in [("config.yaml", 0o600), ("logs/proxy.log", 0o600), ("", 0o700)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(home.join(file)).unwrap().permissions().mode() & 0o777, mode, "{file}");
    }
    live.done().code_is(0);
}

#[test]
fn a_session_has_a_token_of_its_own_that_opens_its_proxy_only() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    stage.profile("q", "chatty", &[]);
    let (first, second, other) = (stage.run("p"), stage.run("p"), stage.run("q"));
    let token = |env: &[(String, String)]| var(env, "FAKE_KEY").to_owned();
    let ask = |env, token: &str| post(port(env), "/v1/messages", token, HELLO).unwrap().0;
    assert_ne!(token(&first), token(&second));
    for env in [&first, &second, &other] {
        assert_eq!(ask(env, &token(env)), 200);
    }
    assert_eq!((ask(&first, &token(&other)), ask(&other, &token(&first)), ask(&first, "")), (401, 401, 401));
    let session = stage.home.sessions().iter().map(|s| s["id"].as_str().unwrap().replace('-', "")).collect::<Vec<_>>();
    assert!(session.iter().any(|id| token(&first).contains(id)), "usage can be told by session");
    let usage = stage.home.profile_home("fake", "p").join(".ultrallm/usage.jsonl");
    wait_until("a line for each request", || std::fs::read_to_string(&usage).unwrap_or_default().lines().count() >= 2);
    // A shell is no session and has a token too.
    let env = stage.home.clown(&["profiles", "env", "p"]).ok().stdout();
    let shell = env.lines().find_map(|l| l.strip_prefix("export FAKE_KEY='")?.strip_suffix('\'')).unwrap();
    assert_eq!(ask(&first, shell), 200);
}

#[test]
fn a_key_that_only_the_client_can_fetch_reaches_the_engine_by_it() {
    let stage = Stage::new();
    let create = ["profiles", "create", "fake", "p", "--provider", "chatty", "--key-ref", "env:MY_KEY"];
    stage.home.clown(&create).ok();
    let file = stage.home.work().join("env");
    let run = |key: &str| {
        stage.home.clown(&["run", "p", file.to_str().unwrap()]).env("MY_KEY", key).ok();
        let text = std::fs::read_to_string(&file).unwrap();
        let env: Vec<(String, String)> =
            text.lines().filter_map(|l| l.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        assert_eq!(post(port(&env), "/v1/messages", var(&env, "FAKE_KEY"), HELLO).unwrap().0, 200);
        stage.upstream.requests().pop().unwrap().header("authorization").unwrap().to_owned()
    };
    assert_eq!(run("a-key-from-the-variable"), "Bearer a-key-from-the-variable");
    let pid = stage.status("p")["pid"].clone();
    assert_eq!(run("a-key-from-the-variable"), "Bearer a-key-from-the-variable");
    assert_eq!(stage.status("p")["pid"], pid, "the same key needs no other engine");
    assert_eq!(run("a-key-that-was-rotated"), "Bearer a-key-that-was-rotated");
    // A change of routes needs no key: the engine has it.
    let pid = stage.status("p")["pid"].clone();
    let out = stage.home.clown(&["proxy", "route", "add", "p", "x", "image", "chatty/m-1"]).ok();
    assert!(!out.stderr().contains("warning") && stage.status("p")["pid"] == pid, "{}", out.report());
    // Killed, it is started again with what it had.
    super::stage::end(pid.as_u64().unwrap() as u32);
    wait_until("another engine", || stage.state("p") == "running" && stage.status("p")["pid"] != pid);
    stage.home.clown(&["proxy", "stop", "p"]).ok();
    stage.home.clown(&["proxy", "start", "p"]).fails(1).says("MY_KEY");
    stage.home.clown(&["run", "p", "x"]).fails(1).says("MY_KEY");
    assert!(stage.home.json(&["sessions", "list", "--live"])["sessions"].as_array().unwrap().is_empty());
    stage.home.clown(&["proxy", "start", "p"]).env("MY_KEY", "a-key-from-the-variable").ok();
    for key in ["a-key-from-the-variable", "a-key-that-was-rotated"] {
        assert!(stage.home.files_with(stage.home.everything(), key.as_bytes()).is_empty());
    }
}
