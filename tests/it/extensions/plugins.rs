//! Plugins hear of events, may refuse a run, and whatever they do, the daemon goes on.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::{FakeAgent, TestHome, wait_until};

fn home() -> TestHome {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "echo ran");
    home
}

fn plugin(home: &TestHome, name: &str, script: &str) {
    let text = format!("#!/bin/bash\nW='{}'\n{script}\n", home.work().display());
    let path = home.write(home.root().join("plugins.d").join(name), &text);
    std::fs::set_permissions(path.parent().unwrap(), PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
}

fn log(home: &TestHome, name: &str) -> Vec<Value> {
    home.json(&["plugins", "log", name])["lines"].as_array().unwrap().clone()
}

fn state(home: &TestHome, name: &str) -> String {
    let all = home.json(&["plugins", "list"]);
    let row = all["plugins"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    row["state"].as_str().unwrap().to_owned()
}

#[test]
fn one_hears_of_what_it_was_enabled_for_as_the_file_it_was() {
    let home = home();
    plugin(&home, "listener", "cat >> $W/heard");
    assert_eq!(state(&home, "listener"), "off");
    home.clown(&["run", "p"]).ok();
    assert!(!home.work().join("heard").exists(), "it ran without being enabled");
    home.clown(&["plugins", "enable", "listener"]).fails(2).says("--event");
    home.clown(&["plugins", "enable", "listener", "--event", "session/*"]).ok();
    home.clown(&["run", "p"]).ok();
    let heard = || std::fs::read_to_string(home.work().join("heard")).unwrap_or_default();
    wait_until("the end of the session", || heard().contains("session/ended"));
    let topics: Vec<String> =
        heard().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["topic"].as_str().unwrap().to_owned()).collect();
    assert_eq!(topics, ["session/started", "session/ended"]);
    wait_until("the record", || log(&home, "listener").len() == 2);
    assert!(log(&home, "listener").iter().all(|line| line["outcome"] == "ok"));

    plugin(&home, "listener", "touch $W/evil");
    assert_eq!(state(&home, "listener"), "changed");
    home.clown(&["run", "p"]).ok();
    home.clown(&["plugins", "disable", "listener"]).ok();
    assert_eq!(log(&home, "listener").len(), 2, "a changed file ran");
    assert!(!home.work().join("evil").exists());
    let path = home.root().join("plugins.d/listener");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
    home.clown(&["plugins", "enable", "listener", "--event", "*"]).fails(1).says("others may write it");
}

#[test]
fn one_may_refuse_a_run_and_one_that_cannot_answer_refuses_too() {
    let home = home();
    let asks = |script: &str| {
        plugin(&home, "guard", script);
        home.clown(&["plugins", "enable", "guard", "--event", "pre_run", "--timeout-ms", "1500"]).ok();
    };
    asks("cat > $W/asked; echo '{\"veto\": \"not on Mondays\"}'");
    home.clown(&["run", "p", "--", "--flag"])
        .fails(1)
        .says("the plugin guard refused this run: not on Mondays")
        .says("plugins disable guard");
    let asked: Value = serde_json::from_slice(&std::fs::read(home.work().join("asked")).unwrap()).unwrap();
    assert_eq!(
        (asked["topic"].as_str(), asked["profile"].as_str(), asked["args"][0].as_str()),
        (Some("pre_run"), Some("p"), Some("--flag"))
    );
    assert_eq!((asked["cwd"].as_str(), home.sessions().len()), (home.work().to_str(), 0));
    asks("echo 'no network' >&2; exit 4");
    home.clown(&["run", "p"]).fails(1).says("it ended with 4: no network");
    asks("sleep 600");
    home.clown(&["run", "p"]).fails(1).says("did not end within 1500 ms");
    asks("kill -SEGV $$");
    home.clown(&["run", "p"]).fails(1).says("a signal ended it");
    plugin(&home, "guard", "true");
    home.clown(&["run", "p"]).fails(1).says("is another file than the one you enabled");
    home.clown(&["plugins", "enable", "guard"]).ok();
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "ran\n");
}

/// What it left would hold on to its working directory.
fn left_behind(home: &TestHome) -> usize {
    let dir = home.root().join("plugins.d");
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter(|e| e.file_name().to_str().is_some_and(|n| n.parse::<u32>().is_ok()));
    pids.filter(|e| std::fs::read_link(e.path().join("cwd")).is_ok_and(|cwd| cwd == dir)).count()
}

#[test]
fn a_hostile_one_is_ended_with_all_it_started_and_the_daemon_goes_on() {
    let home = home();
    let daemon = home.daemon_pid();
    for (name, script, outcome) in [
        ("hangs", "trap '' TERM INT HUP; sleep 600", "timed-out"),
        ("escapes", "setsid sleep 600 & (setsid sleep 601 &) & exit 0", "ok"),
        ("forks", "for i in $(seq 60); do setsid sleep 600 & done; wait", "too-much"),
        ("floods", "yes 0123456789abcdef", "too-much"),
        ("grows", "x=0123456789abcdef; while :; do x=$x$x; done", "too-much"),
        ("crashes", "kill -ABRT $$", "failed"),
        ("hides", "exec 0<&- 1>&- 2>&-; sleep 600", "timed-out"),
    ] {
        plugin(&home, name, script);
        home.clown(&["plugins", "enable", name, "--event", "session/ended", "--timeout-ms", "4000", "--memory-mb", "100"]).ok();
        home.clown(&["run", "p"]).ok();
        wait_until(name, || !log(&home, name).is_empty());
        let line = &log(&home, name)[0];
        assert_eq!(line["outcome"], outcome, "{line}");
        wait_until(&format!("{name}: what it started"), || left_behind(&home) == 0);
        home.clown(&["plugins", "disable", name]).ok();
    }
    assert_eq!(home.daemon_pid(), daemon, "the daemon is another one");
    assert!(home.clown(&["run", "p"]).ok().stdout().contains("ran"));
}
