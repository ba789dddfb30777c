//! What newcomers run into, word for word: each ends in one clear next step.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Cmd, TestHome};

const INIT: &[&str] = &["init", "--agent", "fake", "--alias", "first", "--no-shim", "--provider"];

/// Records what is said, with what differs from run to run taken out.
fn golden(name: &str, home: &TestHome, cmd: Cmd, code: i32) {
    let out = cmd.fails(code);
    let said = out.stderr();
    assert_eq!(said.lines().filter(|l| l.starts_with("error: ")).count(), 1, "{}", out.report());
    assert_eq!(said.lines().filter(|l| l.starts_with("hint: ")).count(), 1, "one next step\n{}", out.report());
    golden_text(name, &said.replace(&home.everything().display().to_string(), "[DIR]"));
}

fn golden_text(name: &str, said: &str) {
    insta::with_settings!({ snapshot_path => "../../golden/mistakes", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, said);
    });
}

#[test]
fn no_agent() {
    let mut home = TestHome::new();
    home.set("PATH", "/usr/bin:/bin");
    golden("no-agent", &home, home.clown(&["init"]), 1);
    golden("agent-not-installed", &home, home.clown(&["init", "--agent", "codex", "--provider", "offline", "--alias", "x"]), 1);
    assert!(!home.root().join("profiles/x.json").exists());
}

#[test]
fn no_key() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    golden("no-key", &home, home.clown(&[INIT, &["mine"]].concat()), 1);
    golden("no-key-in-the-variable", &home, home.clown(&[INIT, &["mine", "--api-key-env", "MINE_KEY"]].concat()), 1);
}

#[test]
fn no_keychain() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    golden("no-keychain", &home, home.clown(&[INIT, &["mine", "--api-key-stdin"]].concat()).stdin(b"canary-0123456789"), 1);
    assert!(home.files_with(&home.home(), b"canary-0123456789").is_empty());
}

#[test]
fn a_read_only_configuration_and_a_home_that_cannot_be_written() {
    let home = TestHome::with_fake("true");
    home.write("h/.config/clown/profiles", "in the way");
    golden("profiles-in-the-way", &home, home.clown(&[INIT, &["offline"]].concat()), 1);
    home.clown(&["daemon", "stop"]).ok();
    let none = TestHome::new();
    none.write("h/.config/clown", "a file where the tree should be");
    golden("tree-in-the-way", &none, none.clown(&["init"]), 1);
    let shut = TestHome::new();
    std::fs::set_permissions(shut.home(), std::fs::Permissions::from_mode(0o500)).unwrap();
    if tempfile::tempfile_in(shut.home()).is_ok() {
        eprintln!("left out: this user may write into a read-only directory");
    } else {
        golden("unwritable-home", &shut, shut.clown(&["init"]), 1);
    }
    std::fs::set_permissions(shut.home(), std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_port_that_is_taken() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    let foreign = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port().to_string();
    for (name, value) in [("secrets.backend", "file"), ("proxy.last_port", &port), ("proxy.first_port", &port)] {
        home.json(&["config", "set", name, value]);
    }
    home.clown(&["profiles", "create", "fake", "p", "--provider", "mine", "--proxy", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    let said = home.clown(&["run", "p"]).fails(1).stderr();
    assert_eq!(said.lines().filter(|l| l.starts_with("hint: ")).count(), 1, "{said}");
    golden_text("port-taken", &said.replace(&port, "[PORT]"));
}

#[test]
fn a_launcher_directory_that_is_a_file_leaves_the_profile() {
    let home = TestHome::with_fake("true");
    home.write("h/.local/bin", "in the way");
    let args = ["init", "--agent", "fake", "--provider", "offline", "--alias", "first", "--yes"];
    home.clown(&args).ok().says("no launcher was installed").says("Run it: clown run first");
}
