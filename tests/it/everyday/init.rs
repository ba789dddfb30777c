//! `clown init`, with flags and on a terminal.

use crate::support::TestHome;

const TRY: &[&str] = &["init", "--agent", "fake", "--provider", "offline", "--alias", "try"];

#[test]
fn flags_alone_make_a_profile_that_runs() {
    let home = TestHome::with_fake("echo ran as $CLOWN_PROFILE");
    home.clown(&[TRY, &["--no-shim"]].concat()).ok().says("Run it: clown run try");
    assert!(home.clown(&["run", "try"]).ok().stdout().contains("ran as try"));
    assert!(!home.home().join(".local/bin").exists(), "no launcher without a word about it");
    let again = home.clown(&["init"]).ok();
    for text in ["There is a profile already: try", "Run it: clown run try", "Another one: clown init --agent"] {
        assert!(again.stderr().contains(text), "{text}\n{}", again.report());
    }
    home.clown(&[TRY, &["--no-shim"]].concat()).fails(1).says("exists already");
    assert_eq!(home.json(&["profiles", "list"])["profiles"].as_array().unwrap().len(), 1);
}

#[test]
fn yes_installs_the_launcher_and_a_key_comes_from_a_variable() {
    let home = TestHome::with_fake("echo \"$FAKE_KEY\" | cut -c 1-7; echo \"$@\"");
    home.provider("http://127.0.0.1:9");
    home.json(&["config", "set", "secrets.backend", "file"]);
    let args = ["init", "--agent", "fake", "--provider", "mine", "--alias", "work", "--api-key-env", "K", "--yes"];
    home.clown(&args).env("K", "canary-0123456789").ok().says(".local/bin is not on your PATH").says("Run it: clown run work");
    let launcher = home.home().join(".local/bin/fake-work");
    assert_eq!(home.program(launcher.to_str().unwrap(), &["a b", "--json"]).ok().stdout(), "canary-\na b --json\n");
    let second = ["init", "--agent", "fake", "--provider", "mine", "--alias", "w2", "--api-key-stdin", "--yes", "--json"];
    let path = format!("{}:/usr/bin:/bin:{}", launcher.parent().unwrap().display(), home.everything().join("bin").display());
    let made = home.clown(&second).env("PATH", &path).stdin(b"canary-2").ok().json();
    assert_eq!((made["run"].as_str(), made["created"]["profile"]["alias"].as_str()), (Some("fake-w2"), Some("w2")));
}

#[test]
fn on_a_terminal_it_asks_and_ends_with_the_command() {
    let home = TestHome::with_fake("true");
    let Some(shown) = home.on_terminal("init", "fake\noffline\n../x\nfirst\nyes\n", &[]) else { return };
    for text in ["Fake Agent 1.0.0", "Claude Code, not installed", "Agent [fake]", "Provider [", "is not valid", "Created.", "Installed: "]
    {
        assert!(shown.contains(text), "{text:?}\n{shown}");
    }
    assert!(shown.trim_end().ends_with("Run it: clown run first"), "{shown}");
    let Some(second) = home.on_terminal("init", "no\n", &[]) else { return };
    assert!(second.contains("There is a profile already: first") && second.contains("Make another?"), "{second}");
    assert_eq!(home.json(&["profiles", "list"])["profiles"].as_array().unwrap().len(), 1);
    let mut bare = TestHome::new();
    bare.set("PATH", "/usr/bin:/bin");
    let Some(refused) = bare.on_terminal("init", "claude\nno\n", &[]) else { return };
    assert!(refused.contains("npm would fetch @anthropic-ai/claude-code") && refused.contains("is not installed"), "{refused}");
    let Some(cancelled) = home.on_terminal("init --agent fake", "offline\n", &[]) else { return };
    assert!(cancelled.contains("cancelled"), "{cancelled}");
    assert_eq!(home.json(&["profiles", "list"])["profiles"].as_array().unwrap().len(), 1, "an interrupted one leaves nothing");
}

#[test]
fn where_no_keychain_answers_it_offers_the_file() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    let typed = "fake\nmine\nfirst\ncanary-0123456789\n";
    let Some(refused) = home.on_terminal("init --no-shim", &format!("{typed}no\n"), &[]) else { return };
    assert!(refused.contains("Keep keys in a file that only you can read?") && refused.contains("clown config set"), "{refused}");
    assert!(home.files_with(&home.home(), b"canary-0123456789").is_empty());
    let Some(shown) = home.on_terminal("init --no-shim", &format!("{typed}yes\n"), &[]) else { return };
    assert!(shown.contains("Created.") && shown.contains("in the key file"), "{shown}");
    let kept = home.files_with(&home.home(), b"canary-0123456789");
    assert_eq!(kept, [home.root().join("secrets/keys.json")]);
}
