//! Events to those who watch, and calls that run once.

use std::{
    io::{BufRead, BufReader},
    os::fd::AsFd,
};

use serde_json::{Value, json};

use crate::support::{Endpoint, Kept, Peer, TestHome, request, rss_kib, wait_until};

#[test]
fn watch_tells_what_changed_in_order() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let mut watch = Kept(home.clown(&["watch", "--json", "--count", "4"]).spawn());
    wait_until("the subscriber", || home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber"));
    home.clown(&["profiles", "create", "claude", "work", "--provider", "offline"]).ok();
    home.clown(&["profiles", "edit", "work", "--model", "m"]).ok();
    home.clown(&["profiles", "rename", "work", "old"]).ok();
    let lines: Vec<Value> =
        BufReader::new(watch.0.stdout.take().unwrap()).lines().map(|l| serde_json::from_str(&l.unwrap()).unwrap()).collect();
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    let seen: Vec<_> = lines.iter().map(|e| (e["topic"].as_str().unwrap(), e["subject"].as_str().unwrap())).collect();
    assert_eq!(seen, [("profile/created", "work"), ("profile/changed", "work"), ("profile/deleted", "work"), ("profile/created", "old")]);
    let first = lines[0]["seq"].as_u64().unwrap();
    assert!(lines.iter().enumerate().all(|(n, e)| e["seq"].as_u64() == Some(first + n as u64)), "{lines:?}");
    assert!(lines.iter().all(|e| e["epoch"] == lines[0]["epoch"]));

    let mut watch = Kept(home.clown(&["watch", "--json", "--count", "1", "--topic", "profile/deleted"]).spawn());
    wait_until("the subscriber", || home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber"));
    home.clown(&["profiles", "edit", "old", "--model", "n"]).ok();
    home.clown(&["profiles", "delete", "old"]).ok();
    let mut only = String::new();
    BufReader::new(watch.0.stdout.take().unwrap()).read_line(&mut only).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&only).unwrap()["topic"], "profile/deleted");
    watch.0.wait().unwrap();
}

#[test]
fn watch_ends_when_the_daemon_does() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let mut watch = Kept(home.clown(&["watch"]).spawn());
    wait_until("the subscriber", || home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber"));
    home.clown(&["daemon", "stop"]).ok();
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_subscriber_that_does_not_read_costs_little_and_sees_the_gap() {
    const EVENTS: u64 = 4000;
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let endpoint = Endpoint::of(&home);
    let mut slow = Peer::events(&endpoint.events);
    rustix::net::sockopt::set_socket_recv_buffer_size(slow.stream.as_fd(), 4096).unwrap();
    let mut peer = Peer::calls(&endpoint.calls);
    let hello = peer.ask(&request("daemon.hello", "", json!({})));
    let epoch = hello["reply"]["epoch"].clone();
    let before = rss_kib(endpoint.pid);
    for _ in 0..EVENTS {
        let reply = peer.ask(&request("config.set", "", json!({ "key": "daemon.idle_timeout", "value": "600" })));
        assert!(reply["reply"].is_object(), "{reply}");
    }
    let growth = rss_kib(endpoint.pid).saturating_sub(before);
    assert!(growth < 8 * 1024, "{growth} KiB more for one slow subscriber");

    // Reads on until the gap, as a subscriber that wakes up does.
    let mut seen = 0;
    let mut read = || {
        let message = clown::ipc::sp::read_message(&mut slow.stream, 1 << 20).unwrap();
        clown::wire::event::parse_frame(&message).unwrap().seq
    };
    // Whatever was queued, then the next event, which shows how many are missing.
    let gap = loop {
        if seen < EVENTS / 2 && seen > 0 {
            // Publishing goes on while it reads.
            peer.ask(&request("config.set", "", json!({ "key": "daemon.idle_timeout", "value": "600" })));
        }
        let seq = read();
        if seq != seen + 1 {
            break (seen, seq);
        }
        seen = seq;
    };
    assert!(gap.1 > gap.0 + 1, "{gap:?}");
    let repaired = peer.ask(&request("events.since", "", json!({ "epoch": epoch, "seq": gap.0 })));
    let reply = &repaired["reply"];
    let events: Vec<u64> = reply["events"].as_array().unwrap().iter().map(|e| e["seq"].as_u64().unwrap()).collect();
    // More than the daemon keeps were missed: it says so, and gives what it has without another gap.
    assert_eq!(reply["resync"], json!(gap.0 + 1 < events[0]), "{gap:?} {:?}", &events[..2]);
    assert!(events.windows(2).all(|w| w[1] == w[0] + 1) && events.last() == reply["seq"].as_u64().as_ref());
    let newest = reply["seq"].as_u64().unwrap();
    let exact = peer.ask(&request("events.since", "", json!({ "epoch": epoch, "seq": newest - 10 })));
    assert_eq!((exact["reply"]["resync"].as_bool(), exact["reply"]["events"].as_array().unwrap().len()), (Some(false), 10));
}

#[test]
fn a_request_sent_again_runs_once() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let socket = Endpoint::of(&home).calls;
    let create = |alias: &str| json!({ "agent": "claude", "alias": alias, "provider": "offline" });
    let mut peer = Peer::calls(&socket);
    let first = peer.ask(&request("profiles.create", "id-1", create("a")));
    assert_eq!(first["reply"]["profile"]["alias"], "a", "{first}");
    let again = peer.ask(&request("profiles.create", "id-1", create("a")));
    assert_eq!(again, first, "the same answer, not `exists already`");
    let other = peer.ask(&request("profiles.create", "id-2", create("a")));
    assert_eq!(other["error"]["code"], "already_exists");
    let misused = peer.ask(&request("profiles.delete", "id-1", json!({ "alias": "a" })));
    assert_eq!(misused["error"]["code"], "conflict", "an id belongs to one request: {misused}");

    // At the same time, on connections of their own, many times over.
    for round in 0..20 {
        let alias = format!("p{round}");
        let barrier = std::sync::Barrier::new(4);
        let answers: Vec<Value> = std::thread::scope(|scope| {
            let ask = || {
                let mut peer = Peer::calls(&socket);
                barrier.wait();
                peer.ask(&request("profiles.create", &alias, create(&alias)))
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|a| *a == answers[0]) && answers[0]["reply"].is_object(), "{answers:?}");
    }
    let events = peer.ask(&request("events.since", "", json!({ "epoch": "", "seq": 0 })));
    assert_eq!(events["reply"]["seq"], 21, "one event for each profile");
    assert_eq!(home.json(&["profiles", "list"])["profiles"].as_array().unwrap().len(), 21);
}
