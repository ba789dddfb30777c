//! Ends that nobody wanted, and those that somebody did.

use std::os::unix::fs::PermissionsExt;

use super::stage::{HELLO, Stage, end, gone, health, port, post, var};
use crate::support::{kill, stop, wait_until};

#[test]
fn a_proxy_that_is_killed_comes_back_at_its_port_and_no_connection_is_refused() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let (at, pid) = (live.port(), stage.status("p")["pid"].as_u64().unwrap() as u32);
    assert_eq!(post(at, "/v1/messages", live.token(), HELLO).unwrap().0, 200);
    kill(pid, "KILL");
    wait_until("its end", || gone(pid));
    // The port is held all the while, so this waits for the next engine.
    let (status, text) = post(at, "/v1/messages", live.token(), HELLO).unwrap();
    assert_eq!(status, 200, "{text}");
    let status = stage.status("p");
    assert_eq!((&status["state"], status["restarts"].as_u64(), status["port"].as_u64()), (&"running".into(), Some(1), Some(at.into())));
    assert_ne!(status["pid"], pid);
    wait_until("the event", || stage.topics("p").contains(&"proxy/restarted".to_owned()));
    live.done().code_is(0);
}

#[test]
fn a_daemon_that_is_killed_leaves_its_proxies_and_the_next_one_takes_them_over() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let (at, pid) = (live.port(), stage.status("p")["pid"].as_u64().unwrap() as u32);
    end(stage.home.daemon_pid().unwrap());
    assert_eq!(post(at, "/v1/messages", live.token(), HELLO).unwrap().0, 200, "without any daemon");
    let status = stage.status("p");
    assert_eq!((&status["state"], status["pid"].as_u64(), status["sessions"].as_u64()), (&"running".into(), Some(pid.into()), Some(1)));
    assert!(stage.home.json(&["daemon", "status"])["guards"].to_string().contains("proxy of p"));
    // A new run uses the same one, with a token the old daemon could have made.
    let env = stage.run("p");
    assert_eq!((port(&env), stage.status("p")["pid"].as_u64()), (at, Some(pid.into())));
    // It is watched as the daemon's own children are, and started again with the stored key.
    end(pid);
    wait_until("a new engine", || stage.state("p") == "running" && stage.status("p")["pid"] != pid);
    assert_eq!(post(at, "/v1/messages", live.token(), HELLO).unwrap().0, 200, "the token of the session still holds");
    assert_eq!(stage.status("p")["restarts"], 1);
    live.done().code_is(0);
}

#[test]
fn an_engine_that_died_with_its_daemon_is_started_again_for_a_live_session() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let (at, pid) = (live.port(), stage.status("p")["pid"].as_u64().unwrap() as u32);
    end(stage.home.daemon_pid().unwrap());
    end(pid);
    wait_until("a new engine", || stage.state("p") == "running");
    assert_eq!(post(at, "/v1/messages", live.token(), HELLO).unwrap().0, 200);
    live.done().code_is(0);
}

#[test]
fn an_orderly_end_of_the_daemon_ends_its_proxies() {
    let stage = Stage::new();
    for alias in ["p", "q", "r"] {
        stage.profile(alias, "chatty", &[]);
    }
    let all = ["p", "q", "r"].map(|alias| stage.start(alias));
    assert_eq!(all.iter().map(|(port, _)| port).collect::<std::collections::BTreeSet<_>>().len(), 3, "a port for each");
    stage.home.clown(&["daemon", "stop"]).ok();
    for (port, pid) in all {
        assert!(gone(pid) && health(port).is_err(), "{port} {pid}");
    }
    assert_eq!(stage.state("p"), "stopped");
}

#[test]
fn stop_and_stop_all_end_what_runs_and_say_what_that_was() {
    let stage = Stage::new();
    for alias in ["p", "q"] {
        stage.profile(alias, "chatty", &[]);
    }
    let (_, pid) = stage.start("p");
    let (_, other) = stage.start("q");
    assert_eq!(stage.home.json(&["proxy", "stop", "p"])["stopped"], serde_json::json!(["p"]));
    assert!(gone(pid) && !gone(other));
    assert_eq!(stage.home.json(&["proxy", "stop", "p"])["stopped"], serde_json::json!([]));
    assert_eq!(stage.home.json(&["proxy", "stop-all"])["stopped"], serde_json::json!(["q"]));
    assert!(gone(other));
    assert_eq!(stage.topics("p"), ["profile/created", "proxy/started", "proxy/stopped"]);
    let (_, first) = stage.start("p");
    let again = stage.home.json(&["proxy", "restart", "p"]);
    assert!(gone(first) && again["state"] == "running" && again["restarts"] == 0, "{again}");
    assert_eq!(stage.start("p").1, again["pid"].as_u64().unwrap() as u32, "one that runs is left alone");
}

#[test]
fn an_unused_proxy_stops_and_lets_the_daemon_go() {
    let stage = Stage::new();
    stage.set("proxy.idle_timeout", "1");
    stage.profile("p", "chatty", &[]);
    let env = stage.run("p");
    wait_until("the end of an unused proxy", || stage.state("p") == "stopped");
    assert!(health(port(&env)).is_err());
    assert!(stage.topics("p").contains(&"proxy/stopped".to_owned()));
    assert!(!stage.home.json(&["daemon", "status"])["guards"].to_string().contains("proxy"));
    assert_eq!(port(&stage.run("p")), port(&env), "and comes back where it was");
}

/// A program of other make: what it does besides serving, by the files beside it.
fn external(stage: &Stage, script: &str) -> String {
    let clown = env!("CARGO_BIN_EXE_clown");
    let text = format!(
        "#!/bin/bash\nW='{}'\nserve() {{ exec '{clown}' ultrallm serve --config \"$3\"; }}\n{script}\n",
        stage.home.work().display()
    );
    let path = stage.home.write("bin/other-ultrallm", &text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn another_program_serves_when_it_is_named() {
    let stage = Stage::new();
    let program = external(&stage, "echo \"$@\" >> $W/args; serve \"$@\"");
    stage.set("proxy.engine", &program);
    stage.profile("p", "chatty", &[]);
    let env = stage.run("p");
    assert_eq!(stage.status("p")["engine"], program.as_str());
    let args = std::fs::read_to_string(stage.home.work().join("args")).unwrap();
    assert!(args.starts_with("serve --config /") && args.trim_end().ends_with("/.ultrallm/config.yaml"), "{args}");
    assert_eq!(post(port(&env), "/v1/messages", var(&env, "FAKE_KEY"), HELLO).unwrap().0, 200);
    // A change restarts it: what it does with a signal is not known.
    stage.home.clown(&["proxy", "route", "add", "p", "small", "background", "chatty/m-small"]).ok();
    assert_eq!(post(port(&env), "/v1/messages", &fresh_token(&stage), HELLO).unwrap().0, 200);
    stage.set("proxy.engine", "/nowhere/ultrallm");
    stage.home.clown(&["proxy", "restart", "p"]).fails(1).says("/nowhere/ultrallm").says("proxy.engine embedded");
}

fn fresh_token(stage: &Stage) -> String {
    var(&stage.run("p"), "FAKE_KEY").to_owned()
}

#[test]
fn an_engine_found_where_it_is_installed_is_taken() {
    let stage = Stage::new();
    let program = external(&stage, "serve \"$@\"");
    let place = stage.home.home().join(".local/bin/ultrallm");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::rename(program, &place).unwrap();
    stage.set("proxy.engine", "auto");
    stage.profile("p", "chatty", &[]);
    stage.start("p");
    assert_eq!(stage.status("p")["engine"], place.to_str().unwrap());
}

#[test]
fn an_engine_that_does_not_start_is_told_with_its_last_words() {
    let stage = Stage::new();
    let program = external(&stage, "echo 'cannot find the moon' >&2; exit 3");
    stage.set("proxy.engine", &program);
    stage.profile("p", "chatty", &[]);
    stage.home.clown(&["proxy", "start", "p"]).fails(1).says("exit status: 3").says("cannot find the moon");
    assert_eq!(stage.state("p"), "failed");
    assert!(stage.topics("p").contains(&"proxy/failed".to_owned()));
    stage.home.clown(&["run", "p", "x"]).fails(1).says("cannot find the moon");
    stage.set("proxy.engine", "embedded");
    stage.start("p");
}

#[test]
fn one_that_ends_again_and_again_is_given_up_with_its_reason() {
    let stage = Stage::new();
    let program = external(&stage, "[ -e $W/broken ] && { echo 'no more' >&2; exit 4; }; serve \"$@\"");
    stage.set("proxy.engine", &program);
    stage.profile("p", "chatty", &[]);
    let (port, pid) = stage.start("p");
    stage.home.write("w/broken", "");
    end(pid);
    wait_until("that it is given up", || stage.state("p") == "failed");
    let status = stage.status("p");
    assert_eq!(status["restarts"], 7, "{status}");
    assert!(status["problem"].as_str().unwrap().contains("given up after 8 times"), "{status}");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody is kept waiting");
    std::fs::remove_file(stage.home.work().join("broken")).unwrap();
    stage.run("p");
    assert_eq!(stage.state("p"), "running");
}

#[test]
fn one_that_hangs_is_ended_by_force_and_started_again() {
    let stage = Stage::new();
    stage.set("proxy.idle_timeout", "2");
    stage.profile("p", "chatty", &[]);
    let live = stage.live("p");
    let pid = stage.status("p")["pid"].as_u64().unwrap() as u32;
    stop(pid);
    wait_until("another engine", || stage.state("p") == "running" && stage.status("p")["pid"] != pid);
    assert!(gone(pid));
    assert_eq!(post(live.port(), "/v1/messages", live.token(), HELLO).unwrap().0, 200);
    live.done().code_is(0);
}

#[test]
fn a_profile_that_goes_away_takes_its_proxy_along() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let (_, pid) = stage.start("p");
    stage.home.clown(&["profiles", "rename", "p", "q"]).ok();
    assert!(gone(pid), "it worked in the home that moved");
    let (_, pid) = stage.start("q");
    stage.home.clown(&["profiles", "delete", "q", "--yes", "--purge"]).ok();
    assert!(gone(pid));
    assert_eq!(std::fs::read_dir(stage.home.root().join("proxies")).unwrap().count(), 0);

    stage.profile("r", "chatty", &[]);
    let (_, pid) = stage.start("r");
    end(stage.home.daemon_pid().unwrap());
    std::fs::remove_file(stage.home.root().join("profiles/r.json")).unwrap();
    stage.home.clown(&["proxy", "status"]).ok();
    wait_until("the end of what belongs to nobody", || gone(pid));
}
