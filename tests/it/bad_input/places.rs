//! Places that cannot be written: in the way, read-only, full.

use std::os::unix::fs::PermissionsExt;

use super::Scene;
use crate::support::TestHome;

const CODEX: &[&str] = &["profiles", "create", "codex", "new", "--provider", "offline"];

#[test]
fn a_profile_home_that_cannot_be_made_leaves_nothing() {
    let scene = Scene::new();
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    scene.home.clown(&["profiles", "create", "claude", "z", "--provider", "zai", "--api-key-stdin"]).stdin(b"k-0123456789").ok();
    scene.home.write("h/.config/clown/.codex-profiles", "in the way");
    scene.refused(1, CODEX, ".codex-profiles");
    let args = ["profiles", "create", "codex", "new", "--provider", "zai", "--api-key-stdin"];
    scene.refuses(1, scene.home.clown(&args).stdin(b"canary-0123456789"), ".codex-profiles");
    assert!(scene.home.files_with(&scene.home.home(), b"canary-0123456789").is_empty(), "a key was left");
}

#[test]
fn a_home_that_is_a_link_or_a_file_is_not_used() {
    let scene = Scene::new();
    let place = scene.home.profile_home("codex", "new");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(scene.home.home(), &place).unwrap();
    scene.refused(1, CODEX, "is a link or a file");
    std::fs::remove_file(&place).unwrap();
    std::fs::write(&place, "mine").unwrap();
    scene.refused(1, CODEX, "codex-profiles/new");
}

#[test]
fn a_home_that_exists_is_used_as_it_is_and_stays_when_the_creation_fails() {
    let scene = Scene::new();
    let own = scene.home.profile_home("claude", "new").join(".claude/settings.json");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "{\"mine\": 1}").unwrap();
    scene.home.write("h/.config/clown/scripts/claude.rhai", "throw \"no\"");
    scene.refused(1, &["profiles", "create", "claude", "new", "--provider", "offline"], "no");
    std::fs::remove_file(scene.home.root().join("scripts/claude.rhai")).unwrap();
    let out = scene
        .home
        .clown(&["profiles", "create", "claude", "new", "--provider", "offline"])
        .ok()
        .says("exists already and is used as it is");
    assert!(out.stdout().contains("new"));
    assert_eq!(std::fs::read_to_string(own).unwrap(), "{\"mine\": 1}");
}

#[test]
fn a_profile_directory_in_the_way_is_told() {
    let home = TestHome::new();
    home.write("h/.config/clown/profiles", "in the way");
    home.clown(CODEX).fails(1).says("error: cannot ").says("clown/profiles");
    assert!(!home.profile_home("codex", "new").exists());
}

#[test]
fn a_read_only_place_is_told_by_name() {
    let scene = Scene::new();
    scene.home.clown(&["daemon", "stop"]).ok();
    scene.home.bound(&["daemon", "start"]).ok();
    let profiles = scene.home.root().join("profiles");
    std::fs::set_permissions(&profiles, std::fs::Permissions::from_mode(0o500)).unwrap();
    scene.refused(1, CODEX, "cannot write");
    std::fs::set_permissions(&profiles, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_full_disk_leaves_the_old_state() {
    let home = TestHome::new();
    // The daemon inherits the limit, and with the signal ignored a write beyond it fails like one on a full disk.
    let start = "trap '' XFSZ; ulimit -f 64; exec \"$0\" profiles create claude keep --provider offline";
    home.program("bash", &["-c", start, env!("CARGO_BIN_EXE_clown")]).ok();
    let scene = Scene { home };
    let big = format!("BIG={}", "x".repeat(100_000));
    scene.refused(1, &[CODEX, &["--env", &big]].concat(), "cannot write");
    scene.refused(1, &["profiles", "edit", "keep", "--env", &big], "profiles/keep.json");
    scene.home.json(CODEX);
}
