//! Hooks of a profile fire in the real agents, beside the user's own, and go without a trace.

use serde_json::{Value, json};

use crate::{
    agents::{CLAUDE, CODEX, OPENCODE},
    support::{TestHome, Upstream},
};

/// The user's own, written in his own way.
const SETTINGS: &str = r#"{ "permissions": {"defaultMode":"default"},
    "hooks": {"SessionStart":[{"hooks":[{"type":"command","command":"touch mine"}]}]}, "mine" : 1 }"#;

fn fired(home: &TestHome, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(home.work().join(format!("fired-{name}"))).unwrap_or_default();
    serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect()
}

fn ids(home: &TestHome) -> Vec<String> {
    home.json(&["hooks", "list", "p"])["hooks"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn they_fire_in_claude_code_beside_the_users_and_go_without_a_trace() {
    let (home, upstream) = (CLAUDE.offline(), Upstream::start());
    let settings = home.profile_home("claude", "p").join(".claude/settings.json");
    std::fs::write(&settings, SETTINGS).unwrap();
    let events = ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd"];
    for event in events {
        let matcher: &[&str] = if event.ends_with("ToolUse") { &["--matcher", "Bash"] } else { &[] };
        let command = format!("cat >> fired-{event}");
        home.clown(&[&["hooks", "add", "p", event, "--command", &command, "--timeout", "20"][..], matcher].concat()).ok();
    }
    let url = format!("{}/hook", upstream.url("anthropic"));
    home.clown(&["hooks", "add", "p", "PreToolUse", "--matcher", "Read", "--command", "touch fired-for-another-tool"]).ok();
    home.clown(&["hooks", "add", "p", "PostToolUse", "--url", &url]).ok();
    home.clown(&["hooks", "add", "p", "PostToolUse", "--url", &url]).ok();
    assert_eq!(ids(&home).len(), events.len() + 2, "one that is there already is not added again");

    let out = CLAUDE.run(&home, "p", "[run: printf 'to%s' ld]").ok();
    for event in events {
        let told = fired(&home, event);
        assert_eq!(told.len(), 1, "{event}: {}", out.report());
        assert_eq!(told[0]["hook_event_name"], event);
    }
    assert_eq!(fired(&home, "PreToolUse")[0]["tool_name"], "Bash");
    assert!(!home.work().join("fired-for-another-tool").exists(), "the matcher was lost");
    assert!(home.work().join("mine").exists(), "the user's own hook was lost");
    assert!(upstream.requests().iter().any(|r| r.path == "/hook" && r.method == "POST"), "{:?}", upstream.requests());

    // What comes out goes in elsewhere, and the agent's own form too.
    let exported = home.clown(&["hooks", "export", "p"]).ok();
    home.clown(&["profiles", "create", "claude", "q", "--provider", "offline"]).ok();
    home.clown(&["hooks", "import", "q"]).stdin(&exported.stdout).ok();
    home.clown(&["hooks", "import", "q", settings.to_str().unwrap()]).ok();
    assert_eq!(home.json(&["hooks", "list", "q"])["hooks"].as_array().unwrap().len(), events.len() + 3, "the same ones, and the user's");
    let bad = json!({"version": 1, "agent": "claude", "hooks": [{"event": "Stop", "command": "x"}, {"event": "Stopp", "command": "x"}]});
    home.clown(&["hooks", "import", "q"]).stdin(bad.to_string().as_bytes()).fails(1).says("did you mean Stop");
    assert_eq!(home.json(&["hooks", "list", "q"])["hooks"].as_array().unwrap().len(), events.len() + 3, "half of it was taken");

    for id in ids(&home) {
        home.clown(&["hooks", "remove", "p", &id]).ok();
    }
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), SETTINGS);
    assert!(!home.profile_home("claude", "p").join(".clown/entries.json").exists());
}

#[test]
fn they_fire_in_codex_once_trusted_and_its_settings_keep_their_comments() {
    let home = CODEX.offline();
    let config = home.profile_home("codex", "p").join(".codex/config.toml");
    let mine = format!(
        "# mine\n{}\n[[hooks.Stop]]\nhooks = [{{ type = \"command\", command = \"touch mine\" }}]\n",
        std::fs::read_to_string(&config).unwrap()
    );
    std::fs::write(&config, &mine).unwrap();
    for event in ["SessionStart", "PreToolUse", "Stop"] {
        home.clown(&["hooks", "add", "p", event, "--command", &format!("cat >> fired-{event}")]).ok().says("/hooks");
    }
    home.clown(&["hooks", "add", "p", "Stop", "--url", "http://127.0.0.1:1/"]).fails(1).says("calls no address");
    let ask = ["run", "p", "--dangerously-bypass-hook-trust", "exec", "--skip-git-repo-check", "-s", "danger-full-access", "[run: true]"];
    let out = home.clown(&ask).ok();
    for event in ["SessionStart", "PreToolUse", "Stop"] {
        assert_eq!(fired(&home, event).first().map(|told| told["hook_event_name"].clone()), Some(event.into()), "{}", out.report());
    }
    assert!(home.work().join("mine").exists(), "the user's own hook was lost");
    for id in ids(&home) {
        home.clown(&["hooks", "remove", "p", &id]).ok();
    }
    let left = std::fs::read_to_string(&config).unwrap();
    assert!(left.starts_with(&mine), "{left}");
    assert!(!left.contains("fired-"), "{left}");
}

#[test]
fn an_agent_without_hooks_says_so() {
    OPENCODE.offline().clown(&["hooks", "add", "p", "Stop", "--command", "x"]).fails(1).says("OpenCode has no hooks");
}
