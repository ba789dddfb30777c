//! The daemon killed at every call of an import that changes the disk.

use super::{OPENED, SEALED, export, full, home, kept};
use crate::support::{Strace, TestHome, is_zombie, root_for};

/// A home with one profile that gives way, one that is new, and a key for each run of the test.
fn target() -> TestHome {
    let mut two = home();
    two.set("PHRASE", "p");
    two.clown(&["config", "set", "secrets.backend", "file"]).ok();
    two.clown(&["profiles", "create", "claude", "work", "--provider", "offline", "--env", "TEAM=red"]).ok();
    two.write(two.profile_home("claude", "work").join(".claude/CLAUDE.md"), "Mine.\n");
    two
}

/// Which state it is, by every part of it; both at once is a failure.
fn state(two: &TestHome, when: &str) -> bool {
    let at = two.profile_home("claude", "work").join(".claude");
    let parts = [
        two.json(&["profiles", "inspect", "work"])["profile"]["env"]["TEAM"] == "blue",
        std::fs::read_to_string(at.join("CLAUDE.md")).unwrap() == "Speak plainly.\n",
        at.join("skills/cut/SKILL.md").exists(),
        two.root().join("profiles/local.json").exists(),
        two.root().join("providers.d/mine.toml").exists(),
        !two.json(&["budget", "list"])["budgets"].as_array().unwrap().is_empty(),
        std::fs::read_to_string(two.root().join("config.toml")).unwrap().contains("permission_mode"),
    ];
    assert!(parts.iter().all(|part| *part == parts[0]), "half an import {when}: {parts:?}");
    let leftovers: Vec<String> =
        kept(two).into_keys().filter(|name| name.contains(".clown-import-") || name.ends_with("/import.json")).collect();
    assert_eq!(leftovers, [""; 0], "{when}");
    parts[0]
}

fn sweep(file: &std::path::Path, call: &str, from: u32, step: u32) -> (u32, u32) {
    let (mut died, mut undone) = (0, 0);
    for n in (from..).step_by(step as usize) {
        let two = target();
        let pid = two.daemon_pid().unwrap();
        let strace = Strace::kill_at(pid, call, n);
        let import = [&["import", file.to_str().unwrap(), "--on-conflict", "replace"][..], &OPENED].concat();
        let out = two.clown(&import).run();
        // A tracer may still hold what is dead already.
        let killed = out.code != Some(0) || is_zombie(pid);
        drop(strace);
        let when = format!("after a kill at {call} {n}");
        let new = state(&two, &when);
        let keys = two.files_with(&two.root().join("secrets"), b"sk-moved-0123456789").len();
        assert_eq!(keys, usize::from(new), "a key without its profile {when}");
        if !killed {
            assert!(new && out.code == Some(0), "{}", out.report());
            return (died, undone);
        }
        (died, undone) = (died + 1, undone + u32::from(!new));
    }
    unreachable!("the numbers do not end")
}

/// How many imports a kill cut off, and how many of them were undone.
fn swept(call: &str, step: u32) -> Option<(u32, u32)> {
    // A daemon is closed to its own user's debuggers; nobody else can hold the knife.
    if !root_for("kills of an import at its system calls") {
        return None;
    }
    let mut one = full("sk-moved-0123456789");
    one.set("PHRASE", "p");
    let file = export(&one, &SEALED);
    let (died, undone) = sweep(&file, call, 1, step);
    assert!(died > 0, "an import makes no {call}: the sweep saw nothing");
    Some((died, undone))
}

#[test]
fn a_kill_at_any_rename_leaves_what_was_or_all_that_is_new() {
    if let Some((died, undone)) = swept("rename,renameat,renameat2", 1) {
        assert!(died > 10 && undone > 0, "{died} {undone}");
    }
}

#[test]
fn a_kill_at_a_sync_leaves_what_was_or_all_that_is_new() {
    swept("fsync,fdatasync", 3);
}

#[test]
fn a_kill_at_a_removal_leaves_what_was_or_all_that_is_new() {
    swept("unlink,unlinkat,rmdir", 2);
}

#[test]
fn a_kill_at_a_new_directory_leaves_what_was_or_all_that_is_new() {
    swept("mkdir,mkdirat", 3);
}
