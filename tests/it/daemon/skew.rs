//! Clients and daemons of different versions.

use std::io::{BufRead, BufReader};

use serde_json::json;

use crate::support::{Endpoint, FakeAgent, Kept, Peer, TestHome, at_once, request, wait_until};

const OTHER: u32 = clown::wire::PROTOCOL + 1;

#[test]
fn another_version_of_the_same_protocol_works_and_is_told_to_people() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    home.clown(&["profiles", "list"]).env("CLOWN_TEST_VERSION", "99.0.0").ok().says("this is 99.0.0").says("clown daemon stop");
    let out = home.clown(&["profiles", "list", "--json"]).env("CLOWN_TEST_VERSION", "99.0.0").ok();
    assert_eq!(out.stderr(), "");
    assert!(out.json()["profiles"].is_array());
    assert!(!home.clown(&["profiles", "list"]).ok().stderr().contains("daemon"));
}

#[test]
fn a_request_of_another_protocol_is_refused_with_a_way_out() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    let mut peer = Peer::calls(&Endpoint::of(&home).calls);
    let mut other = |call: &str| {
        let mut ask = request(call, "", json!({}));
        ask["protocol"] = OTHER.into();
        peer.ask(&ask)
    };
    let refused = other("profiles.list");
    assert_eq!(refused["error"]["code"], "protocol");
    assert!(refused["error"]["hints"][0].as_str().unwrap().contains("clown daemon stop"), "{refused}");
    assert_eq!(other("daemon.hello")["reply"]["protocol"], clown::wire::PROTOCOL);
    assert!(other("daemon.status")["reply"]["calls"].is_u64());
    assert_eq!(other("daemon.stop")["reply"], json!({}));
    drop(peer);
    wait_until("its end", || home.daemons().is_empty());
}

/// A daemon that speaks another protocol, as one of another release would.
fn old_daemon(home: &TestHome) -> Kept {
    let mut daemon = Kept(home.clown(&["daemon", "--stay-alive"]).env("CLOWN_TEST_PROTOCOL", &OTHER.to_string()).spawn());
    let mut line = String::new();
    BufReader::new(daemon.0.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("runs as process"), "{line}");
    daemon
}

#[test]
fn an_idle_daemon_of_another_protocol_is_replaced() {
    let home = TestHome::new();
    let mut old = old_daemon(&home);
    let status = home.json(&["daemon", "status"]);
    assert_eq!(status["protocol"], OTHER);
    home.clown(&["profiles", "list"]).ok().says("Replacing the daemon of another version");
    assert_eq!(old.0.wait().unwrap().code(), Some(0));
    assert_eq!(home.json(&["daemon", "status"])["protocol"], clown::wire::PROTOCOL);

    // Nobody is told a lie when many find it at once.
    home.clown(&["daemon", "stop"]).ok();
    let mut old = old_daemon(&home);
    for out in at_once((0..30).map(|_| home.clown(&["profiles", "list"])).collect()) {
        assert_eq!(out.code, Some(0), "{}", out.report());
    }
    old.0.wait().unwrap();
    assert_eq!(home.daemons().len(), 1);
}

#[test]
fn a_busy_daemon_of_another_protocol_is_left_alone() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "while [ ! -e $W/go ]; do sleep 0.05; done; exit 5");
    let mut agent = Kept(home.clown(&["run", "p"]).spawn());
    wait_until("the session", || home.json(&["sessions", "list", "--live"])["sessions"][0]["state"] == "running");
    home.clown(&["daemon", "stop"]).ok();
    let old = old_daemon(&home);
    home.clown(&["profiles", "list"]).run().code_is(3).says("speaks protocol").says("sessions of p are running");
    assert_eq!(home.daemons(), [old.0.id()], "it goes on, and no other was started");
    home.clown(&["daemon", "stop"]).ok();
    home.write("w/go", "");
    assert_eq!(agent.0.wait().unwrap().code(), Some(5));
    let ended = home.json(&["sessions", "list"])["sessions"][0].clone();
    assert_eq!(ended["exit"], json!({ "code": 5 }), "{ended}");
}
