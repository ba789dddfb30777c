//! Many peers at once, and slow work.

use std::os::unix::fs::PermissionsExt;

use clown::ipc::sp;
use serde_json::json;

use crate::support::{Endpoint, FakeAgent, Peer, TestHome, peak_rss_kib, push, request, wait_until};

const PEERS: usize = 200;
const MOST_GROWTH_KIB: u64 = 32 * 1024;

/// Peak memory of the daemon grows by little while this happens, and it answers meanwhile and after.
fn costs_little(attack: impl Fn(&Endpoint) + Sync) {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    home.json(&["profiles", "list"]);
    let endpoint = Endpoint::of(&home);
    let before = peak_rss_kib(endpoint.pid);
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            std::thread::scope(|scope| {
                for _ in 0..PEERS {
                    scope.spawn(|| attack(&endpoint));
                }
            });
        });
        while !flood.is_finished() {
            home.json(&["profiles", "list"]);
        }
    });
    let growth = peak_rss_kib(endpoint.pid) - before;
    assert_eq!(home.daemon_pid(), Some(endpoint.pid));
    eprintln!("peak growth {growth} KiB");
    assert!(growth <= MOST_GROWTH_KIB, "{growth} KiB for {PEERS} peers");
}

#[test]
fn whole_megabytes_of_garbage() {
    let body = vec![b'x'; (1 << 20) - sp::REQUEST_ID];
    costs_little(|endpoint| {
        let mut peer = Peer::calls(&endpoint.calls);
        peer.send(&body).unwrap();
        assert!(peer.receive().is_ok());
    });
}

#[test]
fn whole_megabytes_of_requests() {
    let filler = "y".repeat((1 << 20) - 400);
    let body = request("profiles.inspect", "", json!({ "alias": filler })).to_string();
    costs_little(|endpoint| {
        let mut peer = Peer::calls(&endpoint.calls);
        peer.send(body.as_bytes()).unwrap();
        let (_, answer) = peer.receive().unwrap();
        assert!(answer.starts_with(b"{\"protocol\""));
    });
}

#[test]
fn whole_megabytes_of_brackets() {
    // The worst a parser can be asked to keep: many small values.
    let body = format!("{{\"protocol\":1,\"version\":\"0\",\"id\":\"\",\"call\":\"x\",\"body\":[{}0]}}", "0,".repeat((1 << 19) - 200));
    costs_little(|endpoint| {
        let mut peer = Peer::calls(&endpoint.calls);
        peer.send(body.as_bytes()).unwrap();
        assert!(peer.receive().is_ok());
    });
}

#[test]
fn frames_that_stay_half() {
    let head = [&[1][..], &(1_u64 << 20).to_be_bytes(), &[0x80, 0, 0, 1]].concat();
    let body = vec![b'x'; 1 << 19];
    costs_little(|endpoint| {
        let mut peer = Peer::calls(&endpoint.calls);
        peer.stream.set_write_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
        push(&mut peer.stream, &head);
        push(&mut peer.stream, &body);
    });
}

#[test]
fn slow_calls_block_nobody() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "echo x >> $W/probes; while [ ! -e $W/go ]; do sleep 0.2; done; echo 1.2.3");
    let manifest = home.root().join("agents.d/fake.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("[install]", "[version]\nargs = [\"--version\"]\ntimeout_ms = 60000\n[install]")).unwrap();
    std::fs::set_permissions(&manifest, std::fs::Permissions::from_mode(0o644)).unwrap();
    let socket = Endpoint::of(&home).calls;
    let path = home.env()[std::ffi::OsStr::new("PATH")].to_str().unwrap().to_owned();
    let mut detect = request("agents.detect", "", json!({ "agent": "fake" }));
    detect["caller"] = json!({ "pid": 1, "cwd": "/", "env": { "PATH": path } });
    let probes = || std::fs::read_to_string(home.work().join("probes")).unwrap_or_default().lines().count();
    std::thread::scope(|scope| {
        let slow: Vec<_> = (0..50).map(|_| scope.spawn(|| Peer::calls(&socket).ask(&detect))).collect();
        wait_until("fifty probes", || probes() >= 50);
        for _ in 0..20 {
            home.json(&["profiles", "list"]);
        }
        assert!(slow.iter().all(|s| !s.is_finished()), "the slow ones were still at it");
        home.write("w/go", "");
        for answer in slow.into_iter().map(|s| s.join().unwrap()) {
            assert!(answer["reply"].is_object(), "{answer}");
        }
    });
}
