//! Names and values that do not exist or must not be.

use super::Scene;

const CREATE: &[&str] = &["profiles", "create", "claude", "new", "--provider"];

#[test]
fn unknown_names_are_told_with_the_nearest_one() {
    let scene = Scene::new();
    for (args, message, hint) in [
        (vec!["profiles", "create", "clade", "new", "--provider", "offline"], "agent \"clade\" is not known", "did you mean claude"),
        (vec!["profiles", "create", "claude", "new", "--provider", "ofline"], "provider \"ofline\" is not known", "did you mean offline"),
        (vec!["profiles", "inspect", "kepe"], "profile \"kepe\" not found", "did you mean keep"),
        (vec!["profiles", "edit", "nope", "--model", "x"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["profiles", "edit", "keep", "--provider", "nope"], "provider \"nope\" is not known", "clown providers list"),
        (vec!["profiles", "edit", "keep", "--unset", "home"], "\"home\" cannot be unset", "model, endpoint, args"),
        (vec!["profiles", "rename", "nope", "x"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["profiles", "clone", "nope", "x"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["profiles", "delete", "nope", "--purge"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["profiles", "env", "nope"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["profiles", "run", "nope"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["run", "nope", "--", "-p", "x"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["profiles", "list", "--agent", "codx"], "agent \"codx\" is not known", "did you mean codex"),
        (vec!["agents", "inspect", "codx"], "agent \"codx\" is not known", "did you mean codex"),
        (vec!["agents", "detect", "nope"], "agent \"nope\" is not known", "clown agents list"),
        (vec!["providers", "inspect", "zia"], "provider \"zia\" is not known", "did you mean zai"),
        (vec!["providers", "approve", "nope"], "provider \"nope\" is not known", "clown providers list"),
        (vec!["sessions", "inspect", "01234567"], "session \"01234567\" not found", "clown sessions list"),
        (vec!["sessions", "inspect", "0"], "at least 4 characters", "clown sessions list"),
        (vec!["sessions", "list", "--profile", "nope"], "profile \"nope\" not found", "clown profiles list"),
        (vec!["config", "get", "secret.backend"], "there is no setting", "did you mean secrets.backend"),
        (vec!["config", "set", "secret.backend", "file"], "there is no setting", "did you mean secrets.backend"),
        (vec!["config", "set", "secrets.backend", "cloud"], "secrets.backend cannot be \"cloud\"", "keychain, file"),
        (vec!["config", "set", "daemon.idle_timeout", "1.5"], "daemon.idle_timeout cannot be \"1.5\"", "whole number"),
        (vec!["config", "unset", "nope"], "there is no setting", "clown config list"),
        (vec!["daemon", "logs", "--level", "loud"], "\"loud\" is not a log level", "error, warn, info, debug, trace"),
        (vec!["scripts", "test", "nope.rhai"], "cannot read nope.rhai", "clown scripts list"),
    ] {
        let out = scene.refused(1, &args, message);
        assert!(out.stderr().contains(hint), "hint {hint:?}\n{}", out.report());
    }
}

#[test]
fn an_alias_that_could_leave_its_directory_or_clash_is_refused_everywhere() {
    let scene = Scene::new();
    let long = "x".repeat(65);
    for bad in ["../x", "a/b", "..", ".", "con", "nul.txt", "Upper", "a b", "ä", "a..b", "x.", long.as_str(), ""] {
        for args in [
            vec!["profiles", "create", "claude", bad, "--provider", "offline"],
            vec!["profiles", "clone", "keep", bad],
            vec!["profiles", "rename", "keep", bad],
            vec!["profiles", "delete", bad, "--purge"],
            vec!["profiles", "inspect", bad],
            vec!["run", bad],
        ] {
            scene.refused(1, &args, "is not valid: ");
        }
    }
}

#[test]
fn a_taken_alias_is_refused_and_its_profile_stays() {
    let scene = Scene::new();
    scene.home.json(&["profiles", "create", "codex", "other", "--provider", "offline"]);
    scene.refused(1, &["profiles", "create", "codex", "keep", "--provider", "offline"], "a profile called \"keep\" exists already");
    scene.refused(1, &["profiles", "clone", "keep", "other"], "a profile called \"other\" exists already");
    scene.refused(1, &["profiles", "rename", "keep", "other"], "a profile called \"other\" exists already");
}

#[test]
fn an_impossible_pair_names_the_providers_that_fit() {
    let scene = Scene::new();
    scene.loner();
    let out = scene.refused(1, &["profiles", "create", "loner", "new", "--provider", "anthropic"], "Loner cannot use provider anthropic");
    out.says("providers that fit loner: self");
}

#[test]
fn endpoints_and_isolation_are_checked() {
    let scene = Scene::new();
    let with = |provider: &'static str, rest: &[&'static str]| [CREATE, &[provider], rest].concat();
    scene
        .refused(1, &with("minimax", &["--endpoint", "mars", "--key-ref", "env:K"]), "provider minimax has no endpoint \"mars\"")
        .says("international, china");
    scene
        .refused(1, &with("anthropic", &["--endpoint", "mars", "--key-ref", "env:K"]), "no endpoint \"mars\"")
        .says("leave --endpoint out");
    scene
        .refused(1, &with("minimax", &["--endpoint", "http://x.example/v1", "--key-ref", "env:K"]), "would send the key unencrypted")
        .says("https://");
    scene.refused(1, &with("minimax", &["--endpoint", "https://u:p@x.example", "--key-ref", "env:K"]), "is not an http(s) URL");
    scene.refused(1, &with("self", &["--endpoint", "x"]), "has no endpoint to choose");
    scene.refused(2, &with("offline", &["--isolation", "docker"]), "there is no isolation \"docker\"").says("home-wrapper or config-dir");
    scene.refused(2, &["profiles", "env", "keep", "--shell", "tcsh"], "there is no shell \"tcsh\"").says("sh, fish or powershell");
}

#[test]
fn a_model_is_refused_or_warned_about_and_never_replaced() {
    let scene = Scene::new();
    let with = |provider: &'static str, model: &'static str| [CREATE, &[provider, "--key-ref", "env:K", "--model", model]].concat();
    scene.refused(1, &with("minimax", "MiniMax-M2.8"), "provider minimax has no model \"MiniMax-M2.8\"").says("did you mean MiniMax-M2.");
    scene.refused(1, &with("minimax", "qwerty"), "has no model \"qwerty\"").says("MiniMax-M3");
    scene.refused(1, &with("minimax", "a b"), "is not a model name");
    scene.refused(1, &["profiles", "edit", "keep", "--model", ""], "is not a model name");
    let out = scene.home.clown(&with("openrouter", "anthropic/claude-sonnet-6")).ok();
    let out = out
        .says("warning: provider openrouter does not list model \"anthropic/claude-sonnet-6\"")
        .says("did you mean anthropic/claude-sonnet-5");
    drop(out);
    let made = scene.home.json(&["profiles", "inspect", "new"]);
    assert_eq!(
        (made["profile"]["model"].as_str(), made["effective_model"].as_str()),
        (Some("anthropic/claude-sonnet-6"), Some("anthropic/claude-sonnet-6"))
    );
}

#[test]
fn variables_that_clown_owns_or_that_hijack_a_process_are_refused() {
    let scene = Scene::new();
    for name in ["PATH", "HOME", "LD_PRELOAD", "NODE_OPTIONS", "XDG_CONFIG_HOME", "TMPDIR", "1A"] {
        let pair = format!("{name}=x");
        scene.refused(1, &["profiles", "edit", "keep", "--env", &pair], &format!("{name:?} cannot be set by a profile"));
        scene.refused(1, &[CREATE, &["offline", "--env", &pair]].concat(), &format!("{name:?} cannot be set by a profile"));
    }
    for (flag, value) in [("--env", "A"), ("--env", "=x"), ("--pref", "A"), ("--pref", "=x")] {
        scene.refused(2, &["profiles", "edit", "keep", flag, value], &format!("{flag} {value:?} is not NAME=VALUE"));
    }
}

#[test]
fn an_agent_that_is_not_installed_is_told_with_the_way_to_install_it() {
    let scene = Scene::new();
    let out = scene.refused(1, &["run", "keep"], "Claude Code is not installed: no claude on PATH");
    assert!(out.stderr().contains("npm install -g"), "{}", out.report());
}
