//! What may be a key leaves a home under a passphrase, or not at all.

use std::io::Read;

use super::{OPENED, SEALED, export, full, home, import};
use crate::support::{TestHome, contains};

const KEY: &str = "sk-canary-7f1c2b3a4d5e6f708192a3b4c5d6e7f8-00112233445566778899";
const OTHERS: [&str; 5] = [
    "hunter2hunter2hunter",
    "sk-ant-api03-other-1234567890",
    "AIzaOtherKey0123456789",
    "tok-in-a-server-env-1",
    "ghp_0123456789abcdefghij",
];

/// The parts by their names.
fn parts(file: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry: tar::Entry<'_, flate2::read::GzDecoder<std::fs::File>> = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

fn stage() -> TestHome {
    let mut home = full(KEY);
    home.set("PHRASE", "correct horse battery");
    let at = home.profile_home("claude", "work").join(".claude");
    home.clown(&["profiles", "edit", "work", "--env", &format!("SERVICE_TOKEN={}", OTHERS[0])]).ok();
    home.write(at.join("commands/ask.md"), &format!("Use {} to ask.\n", OTHERS[1]));
    home.write(at.join("settings.json"), &format!("{{\"env\":{{\"MORE\":\"{}\"}},\"note\":\"mine\"}}", OTHERS[2]));
    home.write(
        at.join(".claude.json"),
        &format!(
            "{{\"mcpServers\":{{\"one\":{{\"command\":\"x\",\"env\":{{\"A_SECRET\":\"{}\"}}}}}},\"customApiKeyResponses\":{{\"approved\":[\"{}\"]}},\
             \"oauthAccount\":{{\"x\":\"{}\"}}}}",
            OTHERS[3],
            &KEY[KEY.len() - 20..],
            OTHERS[4]
        ),
    );
    home.write(at.join(".credentials.json"), &format!("{{\"t\":\"{KEY}\"}}"));
    home.write(at.join("projects/-w/1b671a64-40d5-491e-99b0-da01ff1f3341.jsonl"), &format!("{{\"said\":\"{KEY}\"}}\n"));
    home.write(at.join("projects/-w/0f8fad5b-d9cb-469f-a165-70867728950e.jsonl"), "{\"said\":\"hello\"}\n");
    home
}

#[test]
fn no_key_is_in_an_export_without_secrets() {
    let home = stage();
    let out = home.clown(&["export", "--with-history", "--registry"]).ok();
    let file = home.work().join("plain");
    std::fs::write(&file, &out.stdout).unwrap();
    let found = parts(&file);
    assert!(found.iter().any(|(path, _)| path.ends_with("0f8fad5b-d9cb-469f-a165-70867728950e.jsonl")), "the other transcript is there");
    for (path, bytes) in &found {
        for secret in [&[KEY, &KEY[KEY.len() - 20..]][..], &OTHERS[..]].concat() {
            assert!(!contains(bytes, secret.as_bytes()), "{secret} is in {path}");
        }
    }
    assert!(!found.iter().any(|(path, _)| path.ends_with(".age") || path.contains("credentials")));
    let said = out.stderr();
    for left in ["commands/ask.md", "settings.json", "parts/.claude/.claude.json"] {
        assert!(said.contains(left), "{left} is not told: {said}");
    }
    assert!(said.contains("--with-secrets"), "{said}");
    // Neither is the passphrase anywhere later, nor a key in the log.
    assert!(!contains(&std::fs::read(home.log()).unwrap(), KEY.as_bytes()));
}

#[test]
fn with_secrets_they_are_in_the_encrypted_part_alone_and_come_back() {
    let one = stage();
    let file = export(&one, &[&SEALED[..], &["--with-history"]].concat());
    for (path, bytes) in parts(&file) {
        for secret in [&[KEY, "correct horse"][..], &OTHERS[..]].concat() {
            assert!(!contains(&bytes, secret.as_bytes()), "{secret} is in {path}");
        }
        assert!(!path.ends_with(".age") || bytes.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    }
    let mut two = home();
    two.set("PHRASE", "wrong");
    two.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let wrong = [&["import", file.to_str().unwrap()][..], &OPENED].concat();
    two.clown(&wrong).fails(1).says("the passphrase does not open");
    assert!(!two.root().join("profiles/work.json").exists());
    two.set("PHRASE", "correct horse battery");
    import(&two, &file, &OPENED);
    let at = two.profile_home("claude", "work").join(".claude");
    let text = |path: &str| std::fs::read_to_string(at.join(path)).unwrap();
    assert!(text("commands/ask.md").contains(OTHERS[1]) && text("settings.json").contains(OTHERS[2]));
    assert!(text(".claude.json").contains(OTHERS[3]) && !text(".claude.json").contains(OTHERS[4]));
    assert_eq!(two.json(&["profiles", "inspect", "work"])["profile"]["env"]["SERVICE_TOKEN"], OTHERS[0]);
    // Without the passphrase all else comes, and says what is missing.
    let three = home();
    let done = import(&three, &file, &[]);
    let warnings = done["warnings"].to_string();
    assert!(warnings.contains("passphrase was not given") && warnings.contains("profile work has no key"), "{warnings}");
    let run = three.clown(&["run", "work"]).fails(1).stderr();
    assert!(run.contains("has no key"), "{run}");
}

#[test]
fn a_reference_to_a_key_asks_again_where_it_may_go() {
    let one = home();
    one.provider("http://127.0.0.1:9");
    one.clown(&["profiles", "create", "claude", "ref", "--provider", "mine", "--key-ref", "env:MINE"]).ok();
    let two = home();
    let done = import(&two, &export(&one, &[]), &[]);
    assert!(done["warnings"][0].as_str().unwrap().contains("clown providers approve mine --profile ref"), "{done}");
    two.clown(&["run", "ref"]).env("MINE", "sk-mine-0123456789").fails(1).says("you agreed to none");
    two.clown(&["providers", "approve", "mine", "--profile", "ref"]).ok();
    two.clown(&["run", "ref"]).env("MINE", "sk-mine-0123456789").ok();
}

#[test]
fn servers_and_hooks_of_a_profile_move_and_no_key_of_the_other_home_goes_with_them() {
    let mut one = full(KEY);
    one.set("PHRASE", "correct horse battery");
    let add = ["mcp", "add", "--profile", "work", "--secret", "TOKEN", "notes", "notes-server", "-v"];
    one.clown(&add).stdin(format!("{}\n", OTHERS[0]).as_bytes()).ok();
    one.clown(&["mcp", "add", "--profile", "work", "open", "open-server"]).ok();
    one.clown(&["hooks", "add", "work", "Stop", "--command", "true # mine"]).ok();
    let settings = |home: &TestHome| -> serde_json::Value {
        let file = home.profile_home("claude", "work").join(".claude/settings.json");
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    };
    one.clown(&["run", "work"]).run();
    assert_eq!(settings(&one)["hooks"]["Stop"].as_array().unwrap().len(), 1);
    let names = |home: &TestHome| -> Vec<String> {
        let servers = home.json(&["mcp", "list", "--profile", "work"])["servers"].as_array().unwrap().clone();
        servers.iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
    };

    // Without keys, the server that needs one is left out and named.
    let plain = home();
    plain.provider("http://127.0.0.1:9");
    plain.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let file = export(&one, &[]);
    assert!(parts(&file).iter().all(|(_, bytes)| !contains(bytes, OTHERS[0].as_bytes())));
    plain.clown(&["import", file.to_str().unwrap()]).ok().says("MCP server notes of profile work has no key");
    assert_eq!(names(&plain), ["open"]);
    plain.clown(&["profiles", "edit", "work", "--api-key-stdin"]).stdin(KEY.as_bytes()).ok();
    plain.clown(&["run", "work"]).run();
    assert_eq!(settings(&plain)["hooks"]["Stop"].as_array().unwrap().len(), 1, "once, not twice");

    // With them, it works there under a name of that home's.
    let mut whole = home();
    whole.set("PHRASE", "correct horse battery");
    whole.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let file = export(&one, &["--with-secrets", "--passphrase-env", "PHRASE"]);
    whole.clown(&["import", file.to_str().unwrap(), "--passphrase-env", "PHRASE"]).ok();
    assert_eq!(names(&whole), ["notes", "open"]);
    assert!(std::fs::read_to_string(whole.root().join("secrets/keys.json")).unwrap().contains(OTHERS[0]));
}

#[test]
fn servers_for_all_profiles_move_with_all_profiles() {
    let mut one = full(KEY);
    one.set("PHRASE", "correct horse battery");
    one.clown(&["mcp", "add", "--secret", "TOKEN", "notes", "notes-server"]).stdin(format!("{}\n", OTHERS[0]).as_bytes()).ok();
    one.clown(&["mcp", "add", "--plain", "--env", &format!("API_KEY={}", OTHERS[1]), "held", "held-server"]).ok();
    one.clown(&["mcp", "add", "open", "open-server", "-v"]).ok();
    let of = |home: &TestHome, name: &str| -> serde_json::Value {
        let all = home.json(&["mcp", "list"])["servers"].as_array().unwrap().clone();
        all.into_iter().find(|s| s["name"] == name).unwrap_or_default()
    };
    let stored = |home: &TestHome| std::fs::read_to_string(home.root().join("secrets/keys.json")).unwrap_or_default();

    // Of single profiles, what is for all stays.
    let single = home();
    single.clown(&["import", export(&one, &["--profile", "work"]).to_str().unwrap()]).ok();
    assert!(of(&single, "open").is_null());

    // Without keys: what needs one, or may hold one, is named and left.
    let file = export(&one, &[]);
    assert!(parts(&file).iter().all(|(_, bytes)| OTHERS.iter().all(|key| !contains(bytes, key.as_bytes()))));
    let plain = home();
    plain.clown(&["mcp", "add", "open", "another-server"]).ok();
    plain.clown(&["import", file.to_str().unwrap()]).fails(1).says("already here: MCP server open");
    let kept = import(&plain, &file, &["--on-conflict", "skip"]);
    assert!(kept["warnings"].to_string().contains("MCP server notes has no key"), "{kept}");
    assert_eq!((&of(&plain, "open")["server"]["command"], of(&plain, "held").is_null()), (&"another-server".into(), true));
    import(&plain, &file, &["--on-conflict", "replace"]);
    assert_eq!(of(&plain, "open"), of(&one, "open"));

    // With them, under names of that home's; a second time nothing is added.
    let mut whole = home();
    whole.set("PHRASE", "correct horse battery");
    whole.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let file = export(&one, &SEALED);
    import(&whole, &file, &OPENED);
    assert_eq!(of(&whole, "held")["server"], of(&one, "held")["server"]);
    assert!(!of(&whole, "notes").is_null() && stored(&whole).contains(OTHERS[0]));
    import(&whole, &file, &[&OPENED[..], &["--on-conflict", "replace"]].concat());
    assert_eq!(stored(&whole).matches(OTHERS[0]).count(), 1, "the former key is gone");
    whole.clown(&["mcp", "remove", "notes"]).ok();
    assert!(!stored(&whole).contains(OTHERS[0]));
}
