//! Files of the user that are wrong: reported by name and place, left as they are, hiding nothing.

use super::Scene;
use crate::support::TestHome;

const ROOT: &str = "h/.config/clown";

#[test]
fn a_manifest_that_does_not_parse_names_file_line_and_key_and_hides_no_other() {
    let home = TestHome::new();
    let agent = "schema = 1\nid = \"mine\"\nname = \"Mine\"\nbinaries = [\"mine\"]\nformats = [\"anthropic\"]\nauth = [\"key\"]\nscript = \"claude\"\n\n[isolation]\ndefault = \"box\"\nmodes = [\"home-wrapper\"]\nconfig_dir = \".m\"\nisolated = []\n";
    home.write(format!("{ROOT}/agents.d/mine.toml"), agent);
    home.write(format!("{ROOT}/agents.d/broken.toml"), "schema = 1\nid = \"broken\nname = 1\n");
    home.write(format!("{ROOT}/agents.d/good.toml"), &agent.replace("mine", "good").replace("\"box\"", "\"home-wrapper\""));
    home.write(format!("{ROOT}/providers.d/odd.toml"), "schema = 1\nid = \"odd\"\nname = \"Odd\"\ncolour = 3\n");
    let agents = home.clown(&["agents", "list"]).ok().says("agents.d/mine.toml:10: isolation.default: ").says("agents.d/broken.toml:2: ");
    for agent in ["claude", "codex", "opencode", "good"] {
        assert!(agents.stdout().contains(agent), "{agent}\n{}", agents.report());
    }
    let providers = home.clown(&["providers", "list"]).ok().says("providers.d/odd.toml:4: ").says("colour");
    assert!(providers.stdout().contains("minimax") && !providers.stdout().contains("Odd"), "{}", providers.report());
    let problems = home.json(&["agents", "list"])["problems"].clone();
    let mine = problems.as_array().unwrap().iter().find(|p| p["file"].as_str().unwrap().ends_with("mine.toml")).unwrap();
    assert_eq!((mine["line"].as_u64(), mine["key"].as_str()), (Some(10), Some("isolation.default")));
    home.clown(&["agents", "inspect", "mine"]).fails(1).says("its manifest has a mistake: ");
}

#[test]
fn a_manifest_with_a_hostile_id_path_or_url_is_not_loaded() {
    let scene = Scene::new();
    let provider = |id: &str, url: &str| {
        format!("schema = 1\nid = \"{id}\"\nname = \"X\"\n[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"{url}\"\nauth = \"bearer\"\n")
    };
    for (file, text, place) in [
        ("providers.d/a.toml", provider("../a", "https://x.example"), "a.toml:2: id: "),
        ("providers.d/b.toml", provider("other", "https://x.example"), "b.toml: id: is \"other\", but the file is called \"b\""),
        ("providers.d/c.toml", provider("c", "http://x.example"), "would send keys unencrypted"),
        ("providers.d/d.toml", provider("d", "https://user:pw@x.example"), "is not an http(s) URL"),
        ("providers.d/e.toml", provider("e", "file:///etc/passwd"), "is not an http(s) URL"),
        ("providers.d/CON.toml", provider("CON", "https://x.example"), "CON.toml:2: id: "),
        ("providers.d/f.toml", "schema = 9\nid = \"f\"\nname = \"F\"\n".into(), "schema: is 9, this build reads 1"),
    ] {
        scene.home.write(format!("{ROOT}/{file}"), &text);
        scene.home.clown(&["providers", "list"]).ok().says(place);
    }
    let known = scene.home.json(&["providers", "list"]);
    assert_eq!(known["problems"].as_array().unwrap().len(), 7);
    let agent = "schema = 1\nid = \"x\"\nname = \"X\"\nbinaries = [\"../../bin/sh\"]\nformats = [\"anthropic\"]\nauth = [\"key\"]\nscript = \"claude\"\n[isolation]\ndefault = \"home-wrapper\"\nmodes = [\"home-wrapper\"]\nconfig_dir = \".x\"\nisolated = []\n";
    scene.home.write(format!("{ROOT}/agents.d/x.toml"), agent);
    scene.home.clown(&["agents", "list"]).ok().says("binaries: needs plain program names");
    let agent = agent.replace("../../bin/sh", "x").replace("config_dir = \".x\"", "config_dir = \"../.x\"");
    scene.home.write(format!("{ROOT}/agents.d/x.toml"), &agent);
    scene.home.clown(&["agents", "list"]).ok().says("\"../.x\" is not a path inside a home");
    scene.home.clown(&["profiles", "create", "x", "new", "--provider", "offline"]).fails(1).says("its manifest has a mistake");
}

#[test]
fn a_damaged_profile_is_reported_and_left_as_it_is() {
    let scene = Scene::new();
    let path = scene.home.root().join("profiles/bad.json");
    for content in ["", "{", "[]", "{\"version\": 99}", "\0\0\0\0", "{\"version\":1,\"alias\":\"../keep\"}"] {
        std::fs::write(&path, content).unwrap();
        let listed = scene.home.clown(&["profiles", "list"]).ok().says("warning: profile bad cannot be read: ").says("bad.json");
        assert!(listed.stdout().contains("keep"), "{}", listed.report());
        for args in [
            &["profiles", "inspect", "bad"] as &[&str],
            &["profiles", "edit", "bad", "--model", "x"],
            &["profiles", "rename", "bad", "worse"],
            &["profiles", "clone", "bad", "worse"],
            &["profiles", "delete", "bad", "--purge"],
            &["run", "bad"],
        ] {
            scene.refused(1, args, "profile bad cannot be read").says("mend the file or move it away");
        }
        scene.refused(1, &["profiles", "create", "claude", "bad", "--provider", "offline"], "a profile called \"bad\" exists already");
        scene.refused(1, &["profiles", "rename", "keep", "bad"], "exists already");
        assert_eq!(std::fs::read(&path).unwrap(), content.as_bytes());
    }
}

#[test]
fn a_key_that_an_unreadable_profile_may_use_is_kept() {
    let scene = Scene::new();
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    scene.home.clown(&["profiles", "create", "claude", "z", "--provider", "zai", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    scene.home.write(format!("{ROOT}/profiles/bad.json"), "{");
    assert_eq!(scene.home.json(&["profiles", "delete", "z"])["key_deleted"], false);
    assert_eq!(scene.home.files_with(&scene.home.root(), b"canary-0123456789").len(), 1);
}

#[test]
fn broken_settings_are_named_and_stop_only_what_needs_them() {
    let scene = Scene::new();
    let text = "# mine\n[daemon]\nidle_timeout = = 3\n";
    let path = scene.home.write(format!("{ROOT}/config.toml"), text);
    for args in [
        &["config", "list"] as &[&str],
        &["config", "get", "secrets.backend"],
        &["config", "set", "secrets.backend", "file"],
        &["profiles", "create", "claude", "new", "--provider", "offline"],
    ] {
        let out = scene.home.clown(args).fails(1);
        told_with_place(&out, args);
    }
    for args in [
        &["profiles", "list"] as &[&str],
        &["profiles", "inspect", "keep"],
        &["agents", "list"],
        &["providers", "list"],
        &["sessions", "list"],
        &["scripts", "list"],
        &["daemon", "status"],
        &["--version"],
    ] {
        scene.home.clown(args).ok();
    }
    scene.home.clown(&["daemon", "stop"]).ok();
    scene.home.clown(&["profiles", "list"]).ok();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

fn told_with_place(out: &crate::support::Out, args: &[&str]) {
    let text = out.stderr();
    assert!(text.contains("config.toml is not valid TOML") && text.contains("line 3"), "{args:?}\n{}", out.report());
    assert!(text.contains("hint: "), "{}", out.report());
}

#[test]
fn unknown_and_wrong_settings_are_warned_about_and_kept() {
    let scene = Scene::new();
    let text = "future = 1\n[daemon]\nidle_timeuot = 3 # typo\nlog_level = \"loud\"\n[preferences]\nanything = \"goes\"\n";
    let path = scene.home.write(format!("{ROOT}/config.toml"), text);
    let listed = scene.home.clown(&["config", "list"]).ok().says("unknown key future").says("daemon.idle_timeuot").says("daemon.log_level");
    assert!(!listed.stderr().contains("anything"), "{}", listed.report());
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(text), "the user's own lines stay as they are\n{after}");
}

#[test]
fn a_damaged_key_file_is_reported_without_its_content() {
    let scene = Scene::new();
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    scene.home.write(format!("{ROOT}/secrets/keys.json"), "{\"keys\": {\"canary-key");
    let args = ["profiles", "create", "claude", "new", "--provider", "minimax", "--api-key-stdin"];
    let out = scene.refuses(1, scene.home.clown(&args).stdin(b"k-0123456789"), "keys.json is damaged at line 1");
    assert!(!out.stderr().contains("canary"), "{}", out.report());
}

#[test]
fn a_session_record_that_cannot_be_read_is_counted_and_kept() {
    let home = TestHome::new();
    let path = home.write(format!("{ROOT}/telemetry/sessions.jsonl"), "{\"torn\n");
    let out = home.clown(&["sessions", "list"]).ok().says("1 line of telemetry/sessions.jsonl cannot be read");
    assert_eq!(out.stdout(), "");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"torn\n");
}

#[test]
fn fields_of_a_newer_build_survive_an_edit() {
    let home = TestHome::new();
    let golden = include_str!("../../golden/profile-v1.json");
    let own = home.profile_home("claude", "work");
    let text = golden.replace("/home/u/.claude-profiles/work", own.to_str().unwrap()).replace(
        "\"from_a_newer_build\": true",
        "\"from_a_newer_build\": {\n    \"z\": [\n      1.50,\n      \"é\"\n    ],\n    \"a\": null\n  }",
    );
    let path = home.write(format!("{ROOT}/profiles/work.json"), &text);
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.clown(&["profiles", "edit", "work", "--model", "MiniMax-M2.5", "--key-ref", "env:K"]).ok();
    let after = std::fs::read_to_string(path).unwrap();
    let tail = "\"from_a_newer_build\": {\n    \"z\": [\n      1.5,\n      \"é\"\n    ],\n    \"a\": null\n  }\n}\n";
    assert!(after.contains("MiniMax-M2.5") && after.ends_with(tail), "{after}");
}

#[test]
fn a_wrong_home_variable_is_told() {
    let home = TestHome::new();
    home.write("h/file", "");
    let inside = home.home().join("file/clown");
    let out = home.clown(&["profiles", "list"]).env("CLOWN_HOME", inside.to_str().unwrap()).run();
    assert!(matches!(out.code, Some(1 | 3)), "{}", out.report());
    assert!(out.stderr().starts_with("error: cannot write ") && out.stderr().contains("file/clown"), "{}", out.report());
}
