//! Profiles that begin with a template.

use serde_json::{Value, json};

use crate::support::TestHome;

const OWN: &str = r#"
schema = 1
agent = "claude"
name = "own"
description = "For a test"
model = "offline-mini"
args = ["--verbose"]
env = { FOO = "template", BAR = "template" }
preferences = { tool_search = "on" }

[[prompts]]
file = "CLAUDE.md"
text = "Say little."

[[prompts]]
file = "agents/helper.md"
text = "You help."

[[hooks]]
event = "PostToolUse"
matcher = "Edit"
command = "make check"

[[hooks]]
event = "Stop"
command = "true"
"#;

fn with_own() -> TestHome {
    let home = TestHome::new();
    home.write("h/.config/clown/templates/claude/own.toml", OWN);
    home
}

#[test]
fn built_in_templates_are_listed_shown_and_used() {
    let home = TestHome::new();
    let listed = home.json(&["templates", "list"]);
    let rows = listed["templates"].as_array().unwrap();
    assert!(rows.len() >= 6 && rows.iter().all(|r| r["origin"] == "built-in"), "{listed}");
    home.clown(&["templates", "inspect", "claude", "reviewer"]).ok();
    for row in rows {
        let (agent, name) = (row["agent"].as_str().unwrap(), row["name"].as_str().unwrap());
        let alias = format!("{agent}-{name}");
        let made = home.json(&["profiles", "create", agent, &alias, "--provider", "offline", "--template", name]);
        let files: Vec<&str> = made["files"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let prompt = files.iter().find(|f| f.ends_with(".md")).unwrap();
        assert!(std::fs::read_to_string(home.profile_home(agent, &alias).join(prompt)).unwrap().starts_with('#'), "{alias}");
    }
    home.clown(&["templates", "inspect", "claude", "reviwer"]).fails(1).says("did you mean reviewer");
}

#[test]
fn a_template_lies_below_what_the_creation_says() {
    let home = with_own();
    let made = home.json(&[
        "profiles",
        "create",
        "claude",
        "p",
        "--provider",
        "offline",
        "--template",
        "own",
        "--env",
        "FOO=mine",
        "--env",
        "-BAR",
        "--arg",
        "-x",
        "--pref",
        "tool_search=off",
    ]);
    let profile = &made["profile"];
    assert_eq!(profile["model"], "offline-mini");
    let files = made["files"].as_array().unwrap();
    assert_eq!(files.iter().filter(|f| **f == ".claude/settings.json").count(), 1, "{made}");
    assert_eq!(profile["args"], json!(["--verbose", "-x"]));
    assert_eq!(profile["env"], json!({"FOO": "mine"}));
    assert_eq!(profile["preferences"], json!({"tool_search": "off"}));
    assert!(made["notes"][0].as_str().unwrap().contains("PostToolUse"), "{made}");
    let dir = home.profile_home("claude", "p").join(".claude");
    assert_eq!(std::fs::read_to_string(dir.join("CLAUDE.md")).unwrap(), "Say little.");
    assert_eq!(std::fs::read_to_string(dir.join("agents/helper.md")).unwrap(), "You help.");
    let settings: Value = serde_json::from_slice(&std::fs::read(dir.join("settings.json")).unwrap()).unwrap();
    assert_eq!(
        settings["hooks"],
        json!({
            "PostToolUse": [{"matcher": "Edit", "hooks": [{"type": "command", "command": "make check"}]}],
            "Stop": [{"hooks": [{"type": "command", "command": "true"}]}],
        })
    );
    let hooks = home.json(&["hooks", "list", "p"])["hooks"].clone();
    assert_eq!((&hooks[0]["command"], &hooks[1]["event"]), (&json!("make check"), &json!("Stop")), "they are the profile's own");
    home.json(&["hooks", "remove", "p", hooks[1]["id"].as_str().unwrap()]);
    let fewer: Value = serde_json::from_slice(&std::fs::read(dir.join("settings.json")).unwrap()).unwrap();
    assert_eq!(fewer["hooks"].as_object().unwrap().len(), 1, "{fewer}");
    assert_eq!(settings["permissions"]["defaultMode"], "default", "what the script seeds is there too");
    let named = home.json(&["profiles", "create", "claude", "q", "--provider", "offline", "--template", "own", "--model", "offline"]);
    assert_eq!(named["profile"]["model"], "offline");
}

#[test]
fn what_is_in_the_home_already_stays() {
    let home = with_own();
    let dir = home.profile_home("claude", "p").join(".claude");
    home.write(dir.join("CLAUDE.md"), "mine");
    home.write(
        dir.join("settings.json"),
        "{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"mine\"}]}]},\"theme\":\"dark\"}",
    );
    home.json(&["profiles", "create", "claude", "p", "--provider", "offline", "--template", "own"]);
    assert_eq!(std::fs::read_to_string(dir.join("CLAUDE.md")).unwrap(), "mine");
    let settings: Value = serde_json::from_slice(&std::fs::read(dir.join("settings.json")).unwrap()).unwrap();
    assert_eq!((settings["theme"].as_str(), settings["hooks"]["Stop"].as_array().unwrap().len()), (Some("dark"), 2), "{settings}");
    assert_eq!(settings["hooks"]["Stop"][0]["hooks"][0]["command"], "mine");
}

#[test]
fn a_dry_run_names_the_files_and_a_template_that_cannot_be_makes_nothing() {
    let home = with_own();
    let create = |name: &str| ["profiles", "create", "claude", "p", "--provider", "offline", "--template", name].map(str::to_owned);
    let args = create("own");
    let mut dry: Vec<&str> = args.iter().map(String::as_str).collect();
    dry.push("--dry-run");
    assert!(home.json(&dry)["files"].as_array().unwrap().contains(&json!(".claude/CLAUDE.md")));
    for (from, to, why) in [
        ("FOO = \"template\"", "LD_PRELOAD = \"/x.so\"", "LD_PRELOAD"),
        ("FOO = \"template\"", "XDG_CONFIG_HOME = \"/x\"", "XDG_CONFIG_HOME"),
        ("agents/helper.md", "../../x.md", "has a mistake"),
        ("agents/helper.md", "claude.md", "has a mistake"),
        ("Say little.", "${API_KEY}", "has a mistake"),
    ] {
        home.write("h/.config/clown/templates/claude/own.toml", &OWN.replace(from, to));
        let args = create("own");
        home.clown(&args.each_ref().map(String::as_str)).fails(1).says(why);
        assert!(!home.profile_home("claude", "p").exists(), "{to}");
    }
    home.write("h/.config/clown/templates/aider/own.toml", &OWN.replace("\"claude\"", "\"aider\""));
    home.clown(&["profiles", "create", "aider", "p", "--provider", "offline", "--template", "own"]).fails(1).says("takes no hooks");
    home.write("h/.config/clown/templates/claude/own.toml", &OWN.replace("\"PostToolUse\"", "\"PostTool\""));
    let args = create("own");
    home.clown(&args.each_ref().map(String::as_str)).fails(1).says("Claude Code has no event \"PostTool\"").says("PostToolUse");
    assert_eq!(home.json(&["profiles", "list"])["profiles"].as_array().unwrap().len(), 0);
}

#[test]
fn a_template_of_the_registry_that_reaches_far_waits_for_agreement() {
    let home = TestHome::new();
    let texts = "schema = 1\nagent = \"claude\"\nname = \"texts\"\ndescription = \"x\"\n[[prompts]]\nfile = \"CLAUDE.md\"\ntext = \"t\"\n";
    home.registry(&[("templates/claude/own.toml", OWN), ("templates/claude/texts.toml", texts)]);
    home.json(&["profiles", "create", "claude", "t", "--provider", "offline", "--template", "texts"]);
    let create = ["profiles", "create", "claude", "p", "--provider", "offline", "--template", "own"];
    home.clown(&create).fails(1).says("clown scripts approve claude/own");
    assert!(!home.profile_home("claude", "p").exists());
    assert_eq!(home.json(&["templates", "inspect", "claude", "own"])["needs_approval"], true);
    let out = home.clown(&["scripts", "approve", "claude/own", "--yes"]).ok();
    assert!(out.stdout().contains("+command = \"make check\""), "{}", out.report());
    home.json(&create);
}
