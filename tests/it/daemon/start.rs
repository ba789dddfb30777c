//! Whoever needs the daemon starts it, and there is never a second one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::support::{Cmd, TestHome, at_once, kill, wait_until};

const MANY: usize = 100;

fn many(home: &TestHome) -> Vec<Cmd> {
    let words: [&[&str]; 2] = [&["agents", "list"], &["profiles", "list", "--json"]];
    (0..MANY).map(|n| home.clown(words[n % 2])).collect()
}

/// All commands succeed, and one daemon lives that answers.
fn storm(home: &TestHome) -> u32 {
    for out in at_once(many(home)) {
        assert_eq!(out.code, Some(0), "{}", out.report());
    }
    let pid = home.daemon_pid().expect("the daemon answers");
    assert_eq!(home.daemons(), [pid]);
    pid
}

fn kill_daemon(home: &TestHome) {
    for pid in home.daemons() {
        kill(pid, "KILL");
    }
    wait_until("the end of the daemon", || home.daemons().is_empty());
}

#[test]
fn a_hundred_commands_at_once_start_one_daemon() {
    let home = TestHome::new();
    let first = storm(&home);
    kill_daemon(&home);
    assert_ne!(storm(&home), first, "after kill -9");
}

#[test]
fn leftovers_of_another_life_do_not_matter() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    let endpoint = std::fs::read(home.root().join("daemon-endpoint")).unwrap();
    let socket = crate::support::Endpoint::of(&home).calls;
    kill_daemon(&home);
    assert!(socket.exists(), "kill -9 leaves the socket file");
    assert_eq!(std::fs::read(home.root().join("daemon-endpoint")).unwrap(), endpoint, "and the endpoint file");
    // A lock file is a lock, not its content: pid 1 lives, and is no daemon.
    for lock in ["daemon.lock", "daemon.startup.lock"] {
        std::fs::write(home.root().join(lock), "1\n").unwrap();
    }
    storm(&home);
    let inner = || std::fs::read_dir(home.runtime().join("clown")).unwrap().count();
    let before = inner();
    for _ in 0..3 {
        kill_daemon(&home);
        home.json(&["agents", "list"]);
    }
    assert_eq!(inner(), before, "killed daemons leave no files that stay");

    kill_daemon(&home);
    std::fs::write(home.root().join("daemon-endpoint"), "{\"half\":").unwrap();
    home.json(&["agents", "list"]);
}

#[test]
fn commands_succeed_while_the_daemon_is_killed_again_and_again() {
    let home = TestHome::new();
    let done = Arc::new(AtomicBool::new(false));
    let kills = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut kills = 0;
            let mut patience = 0;
            while !done.load(Ordering::SeqCst) {
                // The pause only spreads the kills over the starts and the calls.
                patience = (patience + 7) % 40;
                std::thread::sleep(std::time::Duration::from_millis(60 + patience * 5));
                for pid in home.daemons() {
                    kill(pid, "KILL");
                    kills += 1;
                }
            }
            kills
        });
        for round in 0..3 {
            for out in at_once(many(&home)) {
                assert_eq!(out.code, Some(0), "round {round}\n{}", out.report());
            }
        }
        done.store(true, Ordering::SeqCst);
        killer.join().unwrap()
    });
    assert!(kills >= 3, "the daemon was killed {kills} times only");
    home.json(&["agents", "list"]);
    assert_eq!(home.daemons().len(), 1);
}

#[test]
fn commands_that_only_look_start_none() {
    let home = TestHome::new();
    home.clown(&["daemon", "status"]).run().code_is(3);
    let status = home.clown(&["daemon", "status", "--json"]).run().code_is(3).json();
    assert_eq!(status, serde_json::json!({ "running": false }));
    for words in
        [&["daemon", "stop"][..], &["daemon", "logs"], &["--help"], &["--version"], &["run", "--help"], &["daemon", "start", "--help"]]
    {
        home.clown(words).ok();
        assert!(home.daemons().is_empty(), "{words:?} started a daemon");
    }
    home.clown(&["daemon", "logs", "--level", "debug"]).run().code_is(3);
    assert!(home.daemons().is_empty());
    assert!(!home.root().join("daemon-endpoint").exists());
}

#[test]
fn start_status_logs_and_stop() {
    let home = TestHome::new();
    let started = home.json(&["daemon", "start"]);
    assert_eq!(started["outcome"], "ready");
    let status = home.json(&["daemon", "status"]);
    assert_eq!((&status["running"], &status["pid"]), (&true.into(), &started["pid"]));
    let again = home.json(&["daemon", "start"]);
    assert_eq!((again["outcome"].as_str(), &again["pid"]), (Some("already_running"), &started["pid"]));
    assert!(home.clown(&["daemon", "logs"]).ok().stdout().contains("ready"));
    home.clown(&["daemon", "logs", "--level", "debug"]).ok();
    home.json(&["profiles", "list"]);
    assert!(home.clown(&["daemon", "logs"]).ok().stdout().contains("profiles.list"));
    home.clown(&["daemon", "logs", "--level", "loud"]).run().code_is(1).says("is not a log level");
    assert_eq!(home.json(&["daemon", "stop"])["stopped"], true);
    assert!(home.daemons().is_empty(), "stop returns when the daemon is gone");
    assert_eq!(home.json(&["daemon", "stop"])["stopped"], false);
}

#[test]
fn a_daemon_that_cannot_start_says_why() {
    let home = TestHome::new();
    std::fs::create_dir_all(home.root()).unwrap();
    std::fs::create_dir(home.runtime().join("clown")).unwrap();
    std::fs::set_permissions(home.runtime().join("clown"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    home.clown(&["agents", "list"]).run().code_is(1).says("is not safe to use: others may enter it").says("ls -ld");
    let failed = home.clown(&["daemon", "start", "--json"]).run().code_is(1).json();
    assert_eq!(failed["error"]["code"], "refused");
    assert!(home.daemons().is_empty());
}

#[test]
fn a_relative_home_means_the_same_tree_to_command_and_daemon() {
    let mut home = TestHome::new();
    let root = home.root();
    home.set("CLOWN_HOME", "tree");
    let cwd = home.home();
    home.clown(&["agents", "list"]).cwd(&cwd).ok();
    let status = home.clown(&["daemon", "status", "--json"]).cwd(&cwd).ok().json();
    assert_eq!(status["home"].as_str(), cwd.join("tree").to_str());
    home.clown(&["daemon", "stop"]).cwd(&cwd).ok();
    home.set("CLOWN_HOME", root.to_str().unwrap());
}

#[test]
fn two_trees_do_not_disturb_each_other() {
    let (a, b) = (TestHome::new(), TestHome::new());
    // In one runtime directory, as two trees of one user are.
    let mut b = b;
    b.set("XDG_RUNTIME_DIR", a.runtime().to_str().unwrap());
    let (first, second) = (storm(&a), storm(&b));
    a.clown(&["profiles", "create", "claude", "only-a", "--provider", "offline"]).ok();
    assert_eq!(b.json(&["profiles", "list"])["profiles"], serde_json::json!([]));
    for pid in a.daemons() {
        kill(pid, "KILL");
    }
    assert_eq!(b.daemon_pid(), Some(second));
    assert_ne!(storm(&a), first);
    a.clown(&["daemon", "stop"]).ok();
    assert_eq!(b.daemon_pid(), Some(second));
    b.json(&["agents", "list"]);
}
