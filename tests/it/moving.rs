//! Profiles out of one home and into another.

mod broken;
mod crash;
mod history;
mod secrets;

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::TestHome;

/// A home whose `claude` prints its arguments and what clown gives it.
fn home() -> TestHome {
    let mut home = TestHome::new();
    let program = home.write(
        "bin/claude",
        "#!/bin/sh\n[ \"$1\" = --version ] && { echo '1.2.3 (Fake)'; exit; }\nfor a; do echo \"arg $a\"; done\n\
         env | grep -E '^(ANTHROPIC|CLAUDE|TEAM|API_TIMEOUT)' | sort\ncat .claude/settings.json \"$CLAUDE_CONFIG_DIR/settings.json\" 2>/dev/null\ntrue\n",
    );
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.set("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().unwrap().display()));
    home
}

/// With all that can be moved.
fn full(key: &str) -> TestHome {
    let home = home();
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home.provider("http://127.0.0.1:9");
    home.clown(&["config", "set", "preferences.permission_mode", "plan"]).ok();
    let create = ["profiles", "create", "claude", "work", "--provider", "mine", "--model", "m-1", "--arg=--verbose", "--env", "TEAM=blue"];
    home.clown(&[&create[..], &["--api-key-stdin"]].concat()).stdin(key.as_bytes()).ok();
    home.clown(&["profiles", "create", "claude", "local", "--provider", "offline"]).ok();
    home.clown(&["budget", "set", "--profile", "work", "--daily", "5usd"]).ok();
    let at = home.profile_home("claude", "work");
    let statusline = at.join(".claude/hooks/line.sh");
    let write = |path: &str, text: &str| home.write(at.join(path), text);
    write(".claude/settings.json", &json!({ "statusLine": { "type": "command", "command": statusline } }).to_string());
    write(".claude/CLAUDE.md", "Speak plainly.\n");
    write(".claude/skills/cut/SKILL.md", "Cut.\n");
    let hook = write(".claude/hooks/line.sh", "#!/bin/sh\necho line\n");
    std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let state = at.join(".claude/.claude.json");
    let mut text: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    text["mcpServers"] = json!({ "one": { "command": "one-server", "args": ["-v"] } });
    text["machineID"] = "this-machine".into();
    std::fs::write(&state, text.to_string()).unwrap();
    home
}

fn export(home: &TestHome, more: &[&str]) -> PathBuf {
    let file = home.work().join(format!("{}.tar.gz", uuid::Uuid::new_v4().simple()));
    home.clown(&[&["export", "--output", file.to_str().unwrap()], more].concat()).ok();
    file
}

const SEALED: [&str; 3] = ["--with-secrets", "--passphrase-env", "PHRASE"];
const OPENED: [&str; 2] = ["--passphrase-env", "PHRASE"];

fn import(home: &TestHome, file: &Path, more: &[&str]) -> Value {
    home.json(&[&["import", file.to_str().unwrap()], more].concat())
}

/// What a run of a profile is given, with the place of the home taken out.
fn plan(home: &TestHome, alias: &str) -> String {
    let out = home.clown(&["run", alias, "--", "-p", "hi"]).ok().stdout();
    let out = out.replace(&home.everything().display().to_string(), "[DIR]");
    // Of the local model port and token are new for each run.
    let token = |word: &str| word.starts_with("clown-") || word.contains("127.0.0.1:") && !word.contains("127.0.0.1:9");
    out.lines().map(|line| line.split('=').map(|w| if token(w) { "[NEW]" } else { w }).collect::<Vec<_>>().join("=") + "\n").collect()
}

/// Everything a user would miss: every file of the tree and of the profile homes, but for what is new at each start.
fn kept(home: &TestHome) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![home.home()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(home.home()).unwrap().display().to_string();
            let passing =
                ["daemon", "logs", "http-token", "cache", "telemetry", ".lock", "endpoint"].iter().any(|word| name.contains(word));
            if entry.file_type().unwrap().is_dir() {
                todo.push(path);
            } else if !passing && entry.file_type().unwrap().is_file() {
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn another_home_behaves_as_the_first() {
    let mut one = full("sk-moved-0123456789abcdefghijklmnopqrstuvwxyz-0123456789");
    one.set("PHRASE", "correct horse battery");
    let file = export(&one, &SEALED);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut two = home();
    two.set("PHRASE", "correct horse battery");
    two.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let shown = import(&two, &file, &[&OPENED[..], &["--dry-run"]].concat());
    assert!(shown["dry_run"].as_bool().unwrap() && !two.root().join("profiles/work.json").exists());
    assert!(!two.root().join("import.json").exists() && two.files_with(&two.home(), b"Speak plainly").is_empty());
    let done = import(&two, &file, &OPENED);
    assert_eq!((&done["items"], done["warnings"].as_array()), (&shown["items"], None), "{done}");
    for alias in ["work", "local"] {
        assert_eq!(plan(&one, alias), plan(&two, alias), "{alias}");
        let inspect = |home: &TestHome| {
            let mut told = home.json(&["profiles", "inspect", alias]);
            for field in ["home", "created", "last_used", "credential"] {
                told["profile"][field] = Value::Null;
            }
            told
        };
        assert_eq!(inspect(&one), inspect(&two));
    }
    assert!(plan(&two, "work").contains("ANTHROPIC_AUTH_TOKEN=sk-moved-"), "{}", plan(&two, "work"));
    assert_eq!(one.json(&["budget", "list"])["budgets"], two.json(&["budget", "list"])["budgets"]);
    let at = two.profile_home("claude", "work").join(".claude");
    assert_eq!(std::fs::read_to_string(at.join("skills/cut/SKILL.md")).unwrap(), "Cut.\n");
    assert_eq!(std::fs::metadata(at.join("hooks/line.sh")).unwrap().permissions().mode() & 0o777, 0o700);
    let settings: Value = serde_json::from_slice(&std::fs::read(at.join("settings.json")).unwrap()).unwrap();
    assert_eq!(settings["statusLine"]["command"], at.join("hooks/line.sh").to_str().unwrap(), "the new home's own");
    let state: Value = serde_json::from_slice(&std::fs::read(at.join(".claude.json")).unwrap()).unwrap();
    assert_eq!((&state["mcpServers"]["one"]["command"], &state["hasCompletedOnboarding"]), (&json!("one-server"), &json!(true)));
    assert!(state.get("machineID").is_none_or(|id| id != "this-machine"), "{state}");
    // A second time nothing is new.
    let again = two.clown(&["import", file.to_str().unwrap(), "--passphrase-env", "PHRASE"]).fails(1).stderr();
    assert!(again.contains("already here: profile local, profile work") && again.contains("--on-conflict"), "{again}");
    assert_eq!(two.files_with(&two.root(), b"sk-moved-").len(), 1, "the key is in the key file alone");
}

#[test]
fn standard_output_gets_the_same_file_and_a_terminal_none() {
    let one = full("sk-moved-0123456789");
    let out = one.clown(&["export", "--profile", "local"]).ok();
    let file = one.work().join("x");
    std::fs::write(&file, &out.stdout).unwrap();
    let two = home();
    let done = import(&two, &file, &[]);
    let profiles: Vec<&Value> = done["items"].as_array().unwrap().iter().filter(|i| i["kind"] == "profile").collect();
    assert!(profiles.len() == 1 && profiles[0]["name"] == "local", "{done}");
    assert!(one.files_with(&one.root(), b"clown export").is_empty());
    let leftovers = std::fs::read_dir(one.root()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(leftovers.count(), 0);
    one.clown(&["export", "--json"]).fails(2);
    one.clown(&["export", "--output", file.to_str().unwrap()]).fails(1).says("exists already");
    one.clown(&["export", "--passphrase-env", "X"]).fails(2).says("--with-secrets");
    one.clown(&["export", "--profile", "nobody"]).fails(1).says("not found");
    if let Some(shown) = one.on_terminal("export", "", &[]) {
        assert!(shown.contains("an export is no text for a terminal") && shown.contains("--output FILE"), "{shown}");
    }
}

#[test]
fn a_name_that_is_taken_fails_stays_gives_way_or_gets_another() {
    let one = full("sk-moved-0123456789");
    let file = export(&one, &[]);
    let two = home();
    two.clown(&["profiles", "create", "claude", "work", "--provider", "offline", "--env", "TEAM=red"]).ok();
    let at = two.profile_home("claude", "work").join(".claude");
    two.write(at.join("CLAUDE.md"), "Mine.\n");
    two.write(at.join("agents/own.md"), "Own.\n");
    let before = kept(&two);
    two.clown(&["import", file.to_str().unwrap()]).fails(1).says("already here: profile work");
    assert_eq!(kept(&two), before);
    let action = |done: &Value, kind: &str, name: &str| -> Value {
        done["items"].as_array().unwrap().iter().find(|i| i["kind"] == kind && i["name"] == name).cloned().unwrap_or_default()
    };
    let done = import(&two, &file, &["--on-conflict", "skip", "--dry-run"]);
    assert_eq!(
        (&action(&done, "profile", "work")["action"], &action(&done, "profile", "local")["action"]),
        (&json!("keep"), &json!("add"))
    );
    assert_eq!(kept(&two), before);
    let done = import(&two, &file, &["--on-conflict", "rename"]);
    assert_eq!(action(&done, "profile", "work")["to"], "work-2", "{done}");
    assert_eq!(two.json(&["profiles", "inspect", "work-2"])["profile"]["env"]["TEAM"], "blue");
    assert_eq!(two.json(&["budget", "list"])["budgets"][0]["profile"], "work-2");
    assert!(done["warnings"].to_string().contains("profile work-2 has no key"), "{done}");
    let done = import(&two, &file, &["--on-conflict", "replace"]);
    assert_eq!(action(&done, "profile", "work")["action"], "replace");
    assert_eq!(two.json(&["profiles", "inspect", "work"])["profile"]["env"]["TEAM"], "blue");
    assert_eq!(std::fs::read_to_string(at.join("CLAUDE.md")).unwrap(), "Speak plainly.\n");
    assert_eq!(std::fs::read_to_string(at.join("agents/own.md")).unwrap(), "Own.\n", "what the export has not stays");
    two.clown(&["run", "local", "--", "hi"]).ok();
}

#[test]
fn a_registry_is_taken_when_its_keys_are_trusted_here() {
    let world = crate::registry::world::World::synced();
    world.home.clown(&["registry", "pin", "1"]).ok();
    let file = export(&world.home, &["--registry"]);
    let two = TestHome::new();
    two.clown(&["import", file.to_str().unwrap()]).fails(1).says("the registry in the export is not taken");
    assert!(!two.root().join("registry/current").exists());
    for (key, value) in [("registry.refresh_hours", "0"), ("registry.prices_url", "off"), ("registry.threshold", "2")] {
        two.clown(&["config", "set", key, value]).ok();
    }
    let keys: Vec<String> = world.keys.iter().map(|k| k.pk.to_base64()).collect();
    two.clown(&["config", "set", "registry.trusted_keys", &keys.join(" ")]).ok();
    let done = import(&two, &file, &[]);
    assert_eq!(done["items"][0]["kind"], "registry", "{done}");
    let state = |home: &TestHome| home.json(&["registry", "inspect"])["lock"].clone();
    let (mine, theirs) = (state(&two), state(&world.home));
    assert_eq!((&mine["commit"], &mine["pinned"]), (&theirs["commit"], &theirs["pinned"]));
    assert_eq!(two.json(&["registry", "verify"])["problems"].as_array().map(Vec::len), Some(0));
    assert_eq!(two.json(&["providers", "inspect", "zai"])["origin"], "registry");
}

/// Made by the first build that could.
#[test]
fn the_golden_export_of_version_1_still_reads() {
    let mut two = home();
    two.set("PHRASE", "golden");
    two.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/export-v1.tar.gz");
    let done = import(&two, &file, &OPENED);
    assert_eq!(done["warnings"].as_array(), None, "{done}");
    let kinds: Vec<&str> = done["items"].as_array().unwrap().iter().map(|i| i["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["manifest", "profile", "budget", "preference"]);
    let at = two.profile_home("claude", "work").join(".claude");
    assert_eq!(std::fs::read_to_string(at.join("CLAUDE.md")).unwrap(), "Speak plainly.\n");
    assert!(at.join("projects/-w/1b671a64-40d5-491e-99b0-da01ff1f3341.jsonl").is_file());
    assert!(std::fs::read_to_string(at.join(".claude.json")).unwrap().contains("one-server"));
    assert!(plan(&two, "work").contains("ANTHROPIC_AUTH_TOKEN=sk-golden-0123456789abcdef"));
}
