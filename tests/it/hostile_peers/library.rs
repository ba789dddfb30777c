//! The messaging library: any client of it works, and its own deaths are healed.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use nng::{
    Message, Protocol, Socket,
    options::{
        Options, RecvTimeout, SendTimeout,
        protocol::{pubsub::Subscribe, reqrep::ResendTime},
    },
};
use serde_json::{Value, json};

use crate::support::{Endpoint, Peer, TestHome, at_once, request, wait_until};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

fn ask(socket: &Socket, request: &Value) -> Value {
    socket.send(Message::from(request.to_string().as_bytes())).map_err(|(_, e)| e).unwrap();
    serde_json::from_slice(&socket.recv().unwrap()).unwrap()
}

fn requester(endpoint: &Endpoint) -> Socket {
    let socket = Socket::new(Protocol::Req0).unwrap();
    socket.set_opt::<ResendTime>(None).unwrap();
    socket.set_opt::<RecvTimeout>(PATIENCE).unwrap();
    socket.set_opt::<SendTimeout>(PATIENCE).unwrap();
    socket.dial(&format!("ipc://{}", endpoint.calls.display())).unwrap();
    socket
}

#[test]
fn clients_of_the_library_work() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let endpoint = Endpoint::of(&home);
    let subscriber = Socket::new(Protocol::Sub0).unwrap();
    subscriber.set_opt::<RecvTimeout>(PATIENCE).unwrap();
    subscriber.set_opt::<Subscribe>(b"profile/".to_vec()).unwrap();
    subscriber.dial(&format!("ipc://{}", endpoint.events.display())).unwrap();
    wait_until("the subscriber", || home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber"));

    let socket = requester(&endpoint);
    assert_eq!(ask(&socket, &request("daemon.hello", "", json!({})))["reply"]["pid"], endpoint.pid);
    for n in 0..20 {
        let made = ask(
            &socket,
            &request("profiles.create", &format!("id{n}"), json!({ "agent": "claude", "alias": format!("p{n}"), "provider": "offline" })),
        );
        assert!(made["reply"].is_object(), "{made}");
    }
    for n in 0..20 {
        let event = clown::wire::event::parse_frame(&subscriber.recv().unwrap()).unwrap();
        assert_eq!((event.topic.as_str(), event.subject), ("profile/created", format!("p{n}")));
    }
}

/// Where the library itself listens, which no client is told.
fn inner_sockets(home: &TestHome, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.runtime().join("clown")).unwrap().map(|e| e.unwrap().path());
    entries.filter(|p| p.file_name().unwrap().to_string_lossy().contains(name)).collect()
}

/// Whether the library serves a request there. A dead listener still shakes hands.
fn serves(socket: &Path) -> bool {
    let mut peer = Peer::calls(socket);
    peer.stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    peer.send(request("daemon.hello", "", json!({})).to_string().as_bytes()).is_ok() && peer.receive().is_ok()
}

/// Connects and goes away before the handshake, which stops the library's listener. Goes on until it is dead.
fn kill_listener(socket: &Path) {
    for _ in 0..200 {
        for _ in 0..20 {
            drop(UnixStream::connect(socket).unwrap());
        }
        if !serves(socket) {
            return;
        }
    }
    panic!("the library's listener did not die: is its hole mended? then the healing can go");
}

#[test]
fn a_dead_listener_of_the_library_is_opened_again() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let endpoint = Endpoint::of(&home);
    let old = requester(&endpoint);
    for death in 1..=3 {
        let place = inner_sockets(&home, "-req").into_iter().max_by_key(|p| std::fs::metadata(p).unwrap().modified().unwrap()).unwrap();
        kill_listener(&place);
        // Many at once find it dead.
        for out in at_once((0..20).map(|_| home.clown(&["profiles", "list"])).collect()) {
            assert_eq!(out.code, Some(0), "death {death}\n{}", out.report());
        }
        let status = home.json(&["daemon", "status"]);
        assert_eq!(status["pid"], endpoint.pid);
        let heals = status["heals"].as_u64().unwrap();
        // Once for all of them; a second time only when the machine is very busy.
        assert!((death..death * 3).contains(&heals), "{heals} heals for {death} deaths");
        let hello = ask(&old, &request("daemon.hello", "", json!({})));
        assert_eq!(hello["reply"]["pid"], endpoint.pid, "a client connected before is not cut");
    }
}

#[test]
fn a_dead_listener_of_events_is_opened_again() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let endpoint = Endpoint::of(&home);
    let place = inner_sockets(&home, "-pub").remove(0);
    // Whether a listener of events is dead shows only in what never comes.
    let heals = || home.json(&["daemon", "status"])["heals"].as_u64().unwrap();
    let mut subscriber = None;
    wait_until("the healing", || {
        // Not every storm kills it.
        (0..200).for_each(|_| drop(UnixStream::connect(&place)));
        subscriber = Some(Peer::events(&endpoint.events));
        let start = std::time::Instant::now();
        while heals() == 0 && start.elapsed() < std::time::Duration::from_secs(5) {}
        heals() >= 1
    });
    let mut subscriber = subscriber.unwrap();
    home.clown(&["config", "set", "daemon.idle_timeout", "600"]).ok();
    let event = clown::ipc::sp::read_message(&mut subscriber.stream, 1 << 20).unwrap();
    assert_eq!(clown::wire::event::parse_frame(&event).unwrap().topic, "config/changed");
}
