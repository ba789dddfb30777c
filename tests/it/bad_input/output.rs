//! What goes where: one JSON document, nothing after a broken pipe, colour only where wanted.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::Scene;
use crate::support::TestHome;

#[test]
fn json_is_one_document_and_stderr_is_empty_for_every_outcome() {
    let scene = Scene::new();
    scene.loner();
    for line in [
        "agents list",
        "agents inspect claude",
        "agents detect",
        "providers list",
        "providers inspect minimax",
        "providers approve zai",
        "profiles list",
        "profiles inspect keep",
        "profiles edit keep --model other-model",
        "profiles clone keep twin",
        "profiles rename twin two",
        "profiles env two",
        "proxy status",
        "proxy status two",
        "proxy route list two",
        "proxy alias list two",
        "proxy key list two",
        "proxy disable two",
        "proxy stop two",
        "proxy stop-all",
        "proxy logs two",
        "profiles delete two",
        "sessions list",
        "scripts list",
        "config list",
        "config get secrets.backend",
        "config set daemon.idle_timeout 700",
        "config unset daemon.idle_timeout",
        "daemon status",
        "daemon start",
        "daemon logs",
        "daemon logs --level debug",
        "--version",
        "profiles create claude three --provider offline --dry-run",
        "daemon stop",
    ] {
        let out = scene.home.clown(&[line.split(' ').collect(), vec!["--json"]].concat()).ok();
        assert!(out.json().get("error").is_none() && out.stderr().is_empty(), "{}", out.report());
    }
    for (line, code, kind) in [
        ("profiles", 2, "usage"),
        ("profiles lst", 2, "usage"),
        ("profiles create", 2, "usage"),
        ("profiles inspect nope", 1, "not_found"),
        ("profiles create claude keep --provider offline", 1, "already_exists"),
        ("profiles create loner x --provider anthropic", 1, "unsupported"),
        ("profiles create claude x --provider minimax", 1, "invalid_input"),
        ("profiles create claude ../x --provider offline", 1, "invalid_input"),
        ("run keep", 1, "not_found"),
        ("run nope", 1, "not_found"),
        ("proxy", 2, "usage"),
        ("proxy start keep", 1, "conflict"),
        ("proxy enable keep", 1, "refused"),
        ("proxy route list nope", 1, "not_found"),
        ("proxy route add keep x tokenz zai/glm-5.3", 1, "invalid_input"),
        ("proxy logs keep -f", 2, "usage"),
        ("scripts test nope.rhai", 1, "io"),
        ("daemon logs --follow", 2, "usage"),
    ] {
        let out = scene.home.clown(&[vec!["--json"], line.split(' ').collect()].concat()).fails(code);
        let error = out.json()["error"].clone();
        assert_eq!(error["code"], kind, "{}", out.report());
        assert!(error["message"].is_string() && out.stderr().is_empty(), "{}", out.report());
        assert!(error["hints"].as_array().is_some_and(|h| !h.is_empty()), "{}", out.report());
    }
}

#[test]
fn status_of_no_daemon_is_a_document_and_starts_none() {
    let home = TestHome::new();
    let out = home.clown(&["daemon", "status", "--json"]).fails(3);
    assert_eq!(out.json()["running"], Value::Bool(false));
    home.clown(&["daemon", "stop"]).ok().says("No daemon is running");
    home.clown(&["daemon", "logs"]).ok().says("no daemon has run");
    assert_eq!(home.daemons(), [0; 0]);
    assert!(!home.root().exists(), "looking makes no directory");
}

#[test]
fn a_broken_pipe_is_success() {
    let scene = Scene::new();
    for line in ["agents list", "profiles list --json", "--help", "config list"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_clown"));
        command.args(line.split(' ')).env_clear().envs(scene.home.env()).current_dir(scene.home.work());
        let out = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stderr).as_ref()), (Some(0), ""), "{line}");
    }
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let scene = Scene::new();
    let piped = scene.home.clown(&["profiles", "inspect", "nope"]).env("TERM", "xterm").fails(1);
    assert!(!piped.stderr().contains('\x1b'), "{}", piped.report());
    let Some(plain) = scene.home.on_terminal("profiles inspect nope", "", &[("NO_COLOR", "1")]) else { return };
    assert!(plain.contains("error: profile") && !plain.contains('\x1b'), "{plain:?}");
    let dumb = scene.home.on_terminal("profiles inspect nope", "", &[("TERM", "dumb")]).unwrap();
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
    let coloured = scene.home.on_terminal("profiles inspect nope", "", &[]).unwrap();
    assert!(coloured.contains("\x1b["), "{coloured:?}");
}

#[test]
fn text_of_strangers_cannot_steer_the_terminal() {
    let scene = Scene::new();
    let text = "schema = 1\nid = \"odd\"\nname = \"O\\u001b[2Jdd\"\n[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"https://x.example\"\nauth = \"bearer\"\n";
    scene.home.write("h/.config/clown/providers.d/odd.toml", text);
    scene.home.write("h/.config/clown/providers.d/bad.toml", "schema = 1\nid = \"\\u001b]0;x\\u0007\"\n");
    for args in [&["providers", "list"] as &[&str], &["providers", "inspect", "odd"], &["providers", "inspect", "a\x1b[31m"]] {
        let out = scene.home.clown(args).run();
        assert!(!out.stdout().contains('\x1b') && !out.stderr().contains('\x1b'), "{}", out.report());
    }
}
