//! What is asked on a terminal, and only there.

use crate::support::TestHome;

#[test]
fn create_asks_for_what_is_missing_and_asks_again_after_a_wrong_answer() {
    let home = TestHome::new();
    let Some(shown) = home.on_terminal("profiles create", "codex\n../x\nasked\nno-such\noffline\n", &[]) else { return };
    for text in ["Agent [", "Name of the profile: ", "alias \"../x\" is not valid", "Provider [", "Give a number or a name", "Created."] {
        assert!(shown.contains(text), "{text:?}\n{shown}");
    }
    let profile = home.json(&["profiles", "inspect", "asked"])["profile"].clone();
    assert_eq!((profile["agent"].as_str(), profile["provider"].as_str()), (Some("codex"), Some("offline")));
    let Some(by_number) = home.on_terminal("profiles create claude second", "1\n", &[]) else { return };
    assert!(by_number.contains("Provider [self]") && by_number.contains("Created."), "{by_number}");
    let Some(by_name) = home.on_terminal("profiles create claude third", "anthropic\n", &[]) else { return };
    assert!(by_name.contains("Key for anthropic (not shown)"), "{by_name}");
    assert_eq!(home.json(&["profiles", "list"])["profiles"].as_array().unwrap().len(), 2, "no key, no profile\n{by_name}");
}

#[test]
fn an_alias_that_cannot_be_is_refused_before_anything_is_asked() {
    let home = TestHome::new();
    let Some(shown) = home.on_terminal("profiles create claude ../x", "offline\n", &[]) else { return };
    assert!(shown.contains("is not valid") && !shown.contains("Provider ["), "{shown}");
}

#[test]
fn delete_asks_and_only_yes_deletes() {
    let home = TestHome::new();
    home.json(&["profiles", "create", "claude", "p", "--provider", "offline"]);
    for answer in ["\n", "no\n", "x\n"] {
        let Some(shown) = home.on_terminal("profiles delete p --purge", answer, &[]) else { return };
        assert!(shown.contains("everything in it? (yes/no)") && shown.contains("nothing was deleted"), "{shown}");
        home.clown(&["profiles", "inspect", "p"]).ok();
    }
    home.on_terminal("profiles delete p --purge", "yes\n", &[]);
    home.clown(&["profiles", "inspect", "p"]).fails(1).says("not found");
    assert!(!home.profile_home("claude", "p").exists());
}

#[test]
fn keys_are_masked_on_a_terminal() {
    let home = TestHome::new();
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.clown(&["profiles", "create", "claude", "p", "--provider", "zai", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    let Some(shown) = home.on_terminal("profiles env p", "", &[]) else { return };
    assert!(shown.contains("ANTHROPIC_AUTH_TOKEN") && shown.contains("Keys are masked here"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}
