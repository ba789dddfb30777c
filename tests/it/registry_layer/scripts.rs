//! A script of the registry runs after its user saw what is new in it and agreed.

use serde_json::json;

use crate::support::{Endpoint, Peer, TestHome, at_once, request};

const FIRST: &str = "// one\n#{ env: #{ SET_BY: \"first\" } }\n";
const SECOND: &str = "// one\n#{ env: #{ SET_BY: \"second\" } }\n";

/// An agent whose script is the registry's alone.
fn scene(script: &str) -> TestHome {
    let home = TestHome::with_fake("echo ran >> \"$CLOWN_REAL_HOME/ran\"; echo \"by $SET_BY\"");
    home.json(&["profiles", "create", "fake", "p", "--provider", "offline"]);
    std::fs::remove_file(home.root().join("scripts/fake.rhai")).unwrap();
    home.registry(&[("scripts/fake.rhai", script)]);
    home
}

#[test]
fn a_new_or_changed_script_waits_for_agreement() {
    let home = scene(FIRST);
    let refused = |what: &str| {
        for args in [
            &["run", "p"] as &[&str],
            &["profiles", "env", "p"],
            &["profiles", "edit", "p", "--model", "offline-mini"],
            &["profiles", "clone", "p", "q"],
            &["profiles", "create", "fake", "new", "--provider", "offline"],
        ] {
            home.clown(args).fails(1).says("clown scripts approve fake").says("came with the registry");
        }
        assert!(!home.home().join("ran").exists(), "{what}: the agent was started");
        assert_eq!(
            home.json(&["scripts", "list"])["scripts"].as_array().unwrap().iter().filter(|s| s["needs_approval"] == true).count(),
            1
        );
        let error = home.clown(&["run", "p", "--json"]).fails(1);
        let _ = error;
    };
    refused("new");
    let out = home.clown(&["scripts", "approve", "fake"]).fails(1).says("--yes");
    assert!(out.stdout().contains("+#{ env: #{ SET_BY: \"first\" } }"), "{}", out.report());
    refused("shown only");
    home.clown(&["scripts", "approve", "fake", "--yes"]).ok().says("Above is all of it");
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "by first\n");
    std::fs::remove_file(home.home().join("ran")).unwrap();

    home.registry(&[("scripts/fake.rhai", SECOND)]);
    refused("changed");
    let out = home.clown(&["scripts", "review", "fake"]).ok().says("what changed since you agreed");
    assert!(out.stdout().contains("\n-#{ env: #{ SET_BY: \"first\" } }\n+#{ env: #{ SET_BY: \"second\" } }"), "{}", out.report());
    home.clown(&["scripts", "approve", "fake", "--yes"]).ok();
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "by second\n");

    home.registry(&[("scripts/fake.rhai", FIRST)]);
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "by first\n", "it was agreed to before");
    home.registry(&[("scripts/fake.rhai", "// other\n#{}")]);
    home.write("h/.config/clown/scripts/fake.rhai", "#{ env: #{ SET_BY: \"me\" } }");
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "by me\n", "the user's own needs no agreement");
}

#[test]
fn a_script_that_is_the_built_in_one_needs_none_and_another_is_compared_with_it() {
    let home = TestHome::new();
    let own = include_str!("../../../manifests/scripts/claude.rhai");
    home.registry(&[("scripts/claude.rhai", own)]);
    home.json(&["profiles", "create", "claude", "p", "--provider", "offline"]);
    home.registry(&[("scripts/claude.rhai", &own.replace("DISABLE_AUTOUPDATER = \"1\"", "DISABLE_AUTOUPDATER = \"0\""))]);
    home.clown(&["profiles", "create", "claude", "q", "--provider", "offline"]).fails(1);
    let out = home.clown(&["scripts", "review", "claude"]).ok().says("differs from the built-in one");
    assert!(out.stdout().contains("-env.DISABLE_AUTOUPDATER = \"1\";\n+env.DISABLE_AUTOUPDATER = \"0\";"), "{}", out.report());
    assert!(out.stdout().lines().count() < 15, "{}", out.report());
    assert!(!home.profile_home("claude", "q").exists());
}

#[test]
fn a_terminal_asks_at_once_and_only_yes_runs_it() {
    let home = scene(FIRST);
    let Some(shown) = home.on_terminal("run p", "no\n", &[]) else { return };
    assert!(shown.contains("Agree to fake as shown?") && shown.contains("+// one") && !shown.contains("by first"), "{shown}");
    home.clown(&["run", "p"]).fails(1);
    let shown = home.on_terminal("run p", "yes\n", &[]).unwrap();
    assert!(shown.contains("by first"), "{shown}");
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "by first\n");
    home.registry(&[("scripts/fake.rhai", SECOND)]);
    let shown = home.on_terminal("profiles create fake asked --provider offline", "yes\n", &[]).unwrap();
    assert!(shown.contains("what changed since") && shown.contains("Created."), "{shown}");
}

#[test]
fn what_is_shown_cannot_rewrite_the_terminal() {
    let home = scene("// \x1b[2J\x1b]0;title\x07 \u{202e}kcart\u{202c}\r#{}\n#{}\n");
    let out = home.clown(&["scripts", "review", "fake"]).ok();
    assert!(out.stdout().contains("\\u{1b}[2J\\u{1b}]0;title\\u{7} \\u{202e}kcart\\u{202c}\\u{d}#{}"), "{}", out.report());
    let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!out.stdout().contains(hidden) && !out.stderr().contains(hidden), "{}", out.report());
    let Some(shown) = home.on_terminal("run p", "no\n", &[]) else { return };
    assert!(!shown.contains("\x1b[2J") && !shown.contains("\x1b]0"), "{shown:?}");
}

#[test]
fn agreeing_to_a_text_that_was_replaced_meanwhile_agrees_to_nothing() {
    let home = scene(FIRST);
    let hash = home.json(&["scripts", "review", "fake"])["hash"].as_str().unwrap().to_owned();
    home.registry(&[("scripts/fake.rhai", SECOND)]);
    let answer = Peer::calls(&Endpoint::of(&home).calls).ask(&request("scripts.approve", "1", json!({"name": "fake", "hash": hash})));
    assert_eq!(answer["error"]["code"], "conflict", "{answer}");
    home.clown(&["run", "p"]).fails(1);
    home.clown(&["scripts", "approve", "no-such", "--yes"]).fails(1).says("script \"no-such\" is not known");
}

#[test]
fn agreements_at_once_are_all_kept() {
    let home = TestHome::new();
    let names: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
    let paths: Vec<(String, String)> = names.iter().map(|n| (format!("scripts/{n}.rhai"), format!("#{{}} // {n}"))).collect();
    home.registry(&paths.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect::<Vec<_>>());
    at_once(names.iter().map(|n| home.clown(&["scripts", "approve", n, "--yes"])).collect()).into_iter().for_each(|out| {
        out.code_is(0);
    });
    let left = home.json(&["scripts", "list"]);
    assert!(left["scripts"].as_array().unwrap().iter().all(|s| s["needs_approval"] == false), "{left}");
}
