//! `clown doctor`: what it finds, what it mends, what it never tells, and that it starts nothing.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Out, TestHome, contains};

/// Findings of a kind: level and text.
fn of<'v>(report: &'v Value, id: &str) -> Vec<(&'v str, &'v str)> {
    let all = report["findings"].as_array().unwrap().iter().filter(|f| f["id"] == id);
    all.map(|f| (f["level"].as_str().unwrap(), f["what"].as_str().unwrap())).collect()
}

fn has(report: &Value, id: &str, level: &str, part: &str) -> bool {
    of(report, id).iter().any(|(l, what)| *l == level && what.contains(part))
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// With keys in a file, so that no keychain is asked.
fn home() -> TestHome {
    let home = TestHome::new();
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home
}

/// A program on PATH by the name of an agent.
fn with_claude() -> TestHome {
    let mut home = home();
    chmod(&home.write("bin/claude", "#!/bin/sh\necho 999.0.1\n"), 0o755);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", home.everything().join("bin").display());
    home.set("PATH", &path);
    home
}

fn doctor(home: &TestHome, args: &[&str]) -> Out {
    home.clown(&[&["doctor", "--json"], args].concat()).run()
}

#[test]
fn without_a_daemon_it_tells_what_it_can_and_starts_none() {
    let home = TestHome::new();
    let out = doctor(&home, &[]);
    assert_eq!(out.code, Some(0), "{}", out.report());
    let report = out.json();
    assert_eq!(report["daemon"], false);
    for id in ["program", "tree", "disk", "clock"] {
        assert!(!of(&report, id).is_empty(), "{id}: {report}");
    }
    assert!(has(&report, "daemon", "note", "none runs"), "{report}");
    assert!(has(&report, "daemon", "note", "were not looked at"), "{report}");
    assert!(!home.root().exists(), "a look makes nothing");
    assert_eq!(home.daemons(), [0; 0]);
    assert!(home.clown(&["doctor"]).ok().stdout().lines().any(|line| line.starts_with("ok       tree")));
}

#[test]
fn modes_and_leftovers_are_mended_only_when_asked() {
    let home = home();
    let key = home.write(home.root().join("secrets/keys.json"), "{\"version\":1,\"keys\":{}}");
    chmod(key.parent().unwrap(), 0o700);
    chmod(&key, 0o640);
    let temp = home.write(home.root().join(".clown-left.tmp"), "");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    std::fs::File::options().write(true).open(&temp).unwrap().set_modified(old).unwrap();
    for daemon in [true, false] {
        if !daemon {
            home.clown(&["daemon", "stop"]).ok();
        }
        chmod(&key, 0o640);
        let report = doctor(&home, &[]).json();
        assert_eq!(report["daemon"], daemon);
        assert!(has(&report, "access", "warning", "keys.json can be read by other users (mode 0640)"), "{report}");
        assert_eq!(mode(&key), 0o640, "a look mends nothing");
        assert_eq!(has(&report, "leftover", "note", ".clown-left.tmp"), daemon, "{report}");
        let fixed = doctor(&home, &["--fix"]).json();
        assert!(fixed["fix"]["mended"].as_array().unwrap().iter().any(|m| m.as_str().unwrap().contains("keys.json")), "{fixed}");
        assert_eq!((mode(&key), temp.exists()), (0o600, false));
        assert_eq!(of(&fixed, "access"), [], "{fixed}");
    }
}

#[test]
fn an_endpoint_of_a_killed_daemon_is_a_leftover() {
    let home = home();
    let pid = home.daemon_pid().unwrap();
    crate::support::kill(pid, "KILL");
    crate::support::wait_until("the daemon is gone", || home.daemons().is_empty());
    let report = doctor(&home, &[]).json();
    assert!(has(&report, "leftover", "note", "daemon-endpoint"), "{report}");
    doctor(&home, &["--fix"]);
    assert!(!home.root().join("daemon-endpoint").exists());
    assert_eq!(home.daemons(), [0; 0], "mending starts no daemon");
}

#[test]
fn what_is_wrong_with_settings_manifests_profiles_and_ports_is_told() {
    let home = with_claude();
    home.clown(&["profiles", "create", "claude", "work", "--provider", "offline"]).ok();
    home.clown(&["profiles", "create", "claude", "keyed", "--provider", "zai", "--key-ref", "env:MY_ZAI"]).ok();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = home.root().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    home.write(
        &config,
        &format!("{text}\n[proxy]\nfirst_port = {port}\nlast_port = {port}\nidle_timeot = 3\n[daemon]\nlog_level = \"loud\"\n"),
    );
    home.write(home.root().join("agents.d/broken.toml"), "schema = 1\nid = \"broken\"\nwhat = 1\n");
    home.write(home.root().join("profiles/torn.json"), "{\"version\":1,");
    std::fs::remove_dir_all(home.profile_home("claude", "keyed")).unwrap();
    let out = home.clown(&["doctor", "--json"]).env("ANTHROPIC_API_KEY", "x").env("NODE_TLS_REJECT_UNAUTHORIZED", "0").run();
    assert_eq!(out.code, Some(1), "{}", out.report());
    let report = out.json();
    let me = std::process::id().to_string();
    for (id, level, part) in [
        ("settings", "warning", "proxy.idle_timeot"),
        ("settings", "error", "daemon.log_level cannot be"),
        ("keys", "warning", "without encryption"),
        ("ports", "error", "0 of the 1 ports"),
        ("ports", "note", me.as_str()),
        ("manifest", "warning", "broken.toml"),
        ("profile", "error", "torn.json"),
        ("profile", "warning", "the home of keyed"),
        ("credential", "ok", "work: the model in clown needs no key"),
        ("credential", "ok", "keyed: the key in $MY_ZAI, read at each run,"),
        ("credential", "warning", "profile keyed reads its key from MY_ZAI, which is not set here"),
        ("variable", "note", "ANTHROPIC_API_KEY is set: clown keeps it from claude"),
        ("variable", "warning", "NODE_TLS_REJECT_UNAUTHORIZED"),
        ("agent", "note", "Claude Code at"),
        ("registry", "note", "none is set up"),
    ] {
        assert!(has(&report, id, level, part), "{id} {level} {part}: {report:#}");
    }
    let levels: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|f| f["level"].as_str().unwrap()).collect();
    let first_ok = levels.iter().position(|l| *l == "ok").unwrap();
    assert_eq!(levels[0], "error");
    assert!(levels[first_ok..].iter().all(|l| *l == "ok"), "the worst comes first: {levels:?}");
}

#[test]
fn a_keychain_that_is_not_there_is_an_error_with_the_way_out() {
    let mut home = TestHome::new();
    home.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    home.clown(&["daemon", "start"]).ok();
    let report = doctor(&home, &[]).json();
    assert!(has(&report, "keys", "error", "the keychain of this system cannot be used"), "{report}");
}

const CANARY: &str = "hunter2canary";
const LONG_CANARY: &str = "sk-canary-9e84c6f5f1d0c2ab9e84c6f5f1d0c2ab";

#[test]
fn the_bundle_holds_no_key_no_home_and_no_name() {
    let mut home = with_claude();
    home.set("USER", "annabel");
    home.set("ANTHROPIC_API_KEY", LONG_CANARY);
    home.clown(&["profiles", "create", "claude", "work", "--provider", "zai", "--api-key-stdin", "--env", &format!("A={CANARY}")])
        .stdin(LONG_CANARY.as_bytes())
        .ok();
    home.clown(&["profiles", "create", "claude", "ref", "--provider", "zai", "--key-ref", &format!("command:echo {CANARY}")]).ok();
    home.clown(&["config", "set", "preferences.token", CANARY]).ok();
    // As an agent or an upstream might have it told.
    let mut log = std::fs::read_to_string(home.log()).unwrap();
    log +=
        &format!("2026-01-02T03:04:05Z WARN Authorization: Bearer {CANARY}\nurl=https://annabel:pw@h/?api_key={CANARY}&t={LONG_CANARY}\n");
    std::fs::write(home.log(), log).unwrap();
    let file: PathBuf = home.work().join("report.txt");
    let out = home.clown(&["doctor", "--bundle", "report.txt"]).run();
    let text = std::fs::read(&file).unwrap();
    for secret in [CANARY, &LONG_CANARY[3..], "annabel", home.home().to_str().unwrap()] {
        assert!(!contains(&text, secret.as_bytes()), "{secret} is in\n{}", String::from_utf8_lossy(&text));
    }
    assert!(!contains(&out.stdout, CANARY.as_bytes()) && !contains(&out.stdout, LONG_CANARY.as_bytes()), "{}", out.report());
    let text = String::from_utf8(text).unwrap();
    for part in ["Findings", "credential: work:", "End of ~", "ready", "Authorization: Bearer [key]"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(mode(&file), 0o600);
    let again = home.clown(&["doctor", "--bundle", "report.txt"]).fails(1);
    assert!(again.stderr().contains("is there already"), "{}", again.report());
    home.clown(&["doctor", "--bundle", "/nonexistent/report.txt"]).fails(1);
}

#[test]
fn the_self_test_holds_and_leaves_nothing() {
    let home = home();
    home.clown(&["daemon", "stop"]).ok();
    let tree = || -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(home.root()).unwrap().flatten().map(|e| e.path()).collect();
        found.sort();
        found
    };
    let before = tree();
    let out = home.clown(&["doctor", "--self-test", "--json"]).run();
    let told = out.json();
    let lines: Vec<(&str, &str)> =
        told["self_test"].as_array().unwrap().iter().map(|l| (l["name"].as_str().unwrap(), l["verdict"].as_str().unwrap())).collect();
    let ok = ["daemon", "profile", "kill", "one daemon", "counting"].map(|name| (name, "ok"));
    assert_eq!(lines[..5], ok, "{}", out.report());
    // How fast the disk is, is not ours.
    assert_eq!((lines[5].0, lines[6]), ("disk", ("keychain", "left-out")), "{}", out.report());
    assert_eq!(tree(), before, "the user's own tree is not touched");
    assert_eq!(home.daemons(), [0; 0]);
    let left =
        std::fs::read_dir(home.everything().join("t")).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with("clown-"));
    assert_eq!(left.count(), 0);
    home.clown(&["doctor", "--self-test", "--fix"]).fails(2);
}
