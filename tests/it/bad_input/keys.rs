//! Keys: wrong ones, missing ones, and places that cannot keep them.

use super::Scene;
use crate::support::{TestHome, Upstream};

const MINIMAX: &[&str] = &["profiles", "create", "claude", "new", "--provider", "minimax"];

#[test]
fn a_missing_key_names_every_way_to_give_one() {
    let scene = Scene::new();
    let out = scene.refused(1, MINIMAX, "provider minimax needs a key");
    for way in ["--api-key-stdin", "--api-key-env MINIMAX_API_KEY", "--key-ref env:MINIMAX_API_KEY", "get one at https://"] {
        assert!(out.stderr().contains(way), "{way}\n{}", out.report());
    }
}

#[test]
fn a_key_that_cannot_be_one_is_refused_and_never_shown() {
    let scene = Scene::new();
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    let stdin = [MINIMAX, &["--api-key-stdin"]].concat();
    let long = format!("canary{}", "k".repeat(17 * 1024));
    for (key, message) in [
        ("canary one two", "the key holds white space"),
        ("canary\nsecond line", "the key holds white space"),
        ("canary\x07bell", "control characters"),
        (long.as_str(), "longer than 16 KiB"),
        ("", "standard input holds no key"),
        (" \n\t", "standard input holds no key"),
    ] {
        let out = scene.refuses(1, scene.home.clown(&stdin).stdin(key.as_bytes()), message);
        assert!(!out.stderr().contains("canary"), "the key is shown\n{}", out.report());
    }
    let var = [MINIMAX, &["--api-key-env", "K"]].concat();
    scene.refuses(1, scene.home.clown(&var), "the variable K is not set").says("export K=");
    scene.refuses(1, scene.home.clown(&var).env("K", ""), "the key is empty");
    scene.refuses(1, scene.home.clown(&var).env("K", "a b"), "the key holds white space");
    assert!(scene.home.files_with(&scene.home.home(), b"canary").is_empty());
}

#[test]
fn a_key_where_none_belongs_is_refused() {
    let scene = Scene::new();
    for provider in ["offline", "self"] {
        let args = ["profiles", "create", "claude", "new", "--provider", provider, "--api-key-env", "K"];
        scene.refuses(1, scene.home.clown(&args).env("K", "abc"), "takes no key").says("leave the key out");
    }
}

#[test]
fn one_way_only() {
    let scene = Scene::new();
    for two in [
        &["--api-key-stdin", "--api-key-env", "K"] as &[&str],
        &["--api-key-env", "K", "--key-ref", "env:K"],
        &["--reuse-key", "keep", "--api-key-stdin"],
    ] {
        scene.refuses(2, scene.home.clown(&[MINIMAX, two].concat()).env("K", "abc").stdin(b"abc"), "more than one way");
    }
    for source in ["nonsense", "file:x", "command:", "env"] {
        scene.refused(2, &[MINIMAX, &["--key-ref", source]].concat(), "is not a source of a key").says("env:NAME");
    }
    for source in ["env:", "env:PATH", "env:A B", "env:LD_PRELOAD"] {
        scene.refused(1, &[MINIMAX, &["--key-ref", source]].concat(), "is not the name of a variable that can hold a key");
    }
}

#[test]
fn another_profiles_key_is_shared_only_within_its_provider() {
    let scene = Scene::new();
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    scene.home.clown(&["profiles", "create", "claude", "zed", "--provider", "zai", "--api-key-stdin"]).stdin(b"k-0123456789").ok();
    let reuse = |alias: &'static str| [MINIMAX, &["--reuse-key", alias]].concat();
    scene.refused(1, &reuse("nope"), "profile \"nope\" not found");
    scene.refused(1, &reuse("zed"), "belongs to provider zai, not to minimax");
    scene.refused(1, &reuse("keep"), "belongs to provider offline, not to minimax");
}

#[test]
fn without_a_keychain_the_choices_are_named_and_nothing_is_weaker() {
    let scene = Scene::new();
    let args = [MINIMAX, &["--api-key-stdin"]].concat();
    let out = scene.refuses(1, scene.home.clown(&args).stdin(b"canary-0123456789"), "the keychain of this system cannot be used");
    for way in ["clown config set secrets.backend file", "--key-ref"] {
        assert!(out.stderr().contains(way), "{way}\n{}", out.report());
    }
    assert!(scene.home.files_with(scene.home.work().parent().unwrap(), b"canary-0123456789").is_empty(), "the key is on disk");
}

#[test]
fn a_moved_provider_gets_the_key_only_after_its_owner_agrees() {
    let home = TestHome::with_fake("printf '%s with %s\\n' \"$FAKE_URL\" \"$FAKE_KEY\"");
    let upstream = Upstream::start();
    home.provider("https://old.example/api");
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.clown(&["profiles", "create", "fake", "p", "--provider", "mine", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    let scene = Scene::of(home);
    let moved = format!("http://127.0.0.1:{}/api", upstream.port);
    scene.home.provider(&moved);
    for args in [&["run", "p"] as &[&str], &["profiles", "env", "p"], &["profiles", "clone", "p", "q"]] {
        let out = scene.refused(1, args, "localhost");
        assert!(out.stderr().contains("clown providers approve mine --profile p"), "{}", out.report());
    }
    scene.refused(1, &["run", "p"], "would now send the key of profile p to localhost; you agreed to old.example");
    scene.home.clown(&["profiles", "inspect", "p"]).ok().says("warning: ").says("old.example");
    assert_eq!(upstream.requests().len(), 0, "something was sent before the owner agreed");
    let approved = scene.home.clown(&["providers", "approve", "mine"]).ok();
    assert_eq!(approved.stdout(), "p: old.example -> localhost\n");
    assert_eq!(scene.home.clown(&["run", "p"]).ok().stdout(), format!("{moved} with canary-0123456789\n"));
    scene.home.clown(&["providers", "approve", "mine"]).ok().says("Nothing to agree to");
}

#[test]
fn an_edit_of_something_else_agrees_to_nothing() {
    let home = TestHome::with_fake("echo ran");
    home.provider("https://old.example/api");
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.clown(&["profiles", "create", "fake", "p", "--provider", "mine", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    home.provider("https://evil.example/api");
    home.json(&["profiles", "edit", "p", "--env", "A=B"]);
    home.clown(&["run", "p"]).fails(1).says("to evil.example; you agreed to old.example");
}

#[test]
fn a_key_of_an_mcp_server_is_not_sent_openly() {
    let scene = Scene::new();
    let address = |url| ["mcp", "add", "--url", url];
    let secret = [&address("http://tools.example/mcp")[..], &["--secret", "Authorization", "words"]].concat();
    scene.refuses(1, scene.home.clown(&secret).stdin(b"canary-0123456789"), "would be sent unencrypted").says("https://");
    let held = [&address("http://tools.example/mcp")[..], &["--ref", "X-Key=env:MINE", "words"]].concat();
    scene.refused(1, &held, "the key X-Key would be sent unencrypted");
    scene.home.clown(&[&address("http://tools.example/mcp")[..], &["--header", "X-Team=blue", "open"]].concat()).ok();
    scene.home.clown(&[&address("http://[::1]:9/mcp")[..], &["--ref", "X-Key=env:MINE", "near"]].concat()).ok();
}
