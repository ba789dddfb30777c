//! Bytes no sane client sends.

use std::{net::Shutdown, path::Path};

use clown::ipc::sp;
use serde_json::json;

use crate::support::{Endpoint, Peer, TestHome, push, raw, request};

/// The same daemon answers, and nothing of its library had to be opened again.
fn unharmed(home: &TestHome, pid: u32, after: &str) {
    let out = home.clown(&["profiles", "list", "--json"]).run();
    assert_eq!(out.code, Some(0), "after {after}\n{}", out.report());
    let status = home.json(&["daemon", "status"]);
    assert_eq!((&status["pid"], &status["heals"], &status["defects"]), (&pid.into(), &0.into(), &0.into()), "after {after}");
}

fn start() -> (TestHome, Endpoint) {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let endpoint = Endpoint::of(&home);
    (home, endpoint)
}

#[test]
fn peers_that_leave_before_or_in_their_handshake() {
    let (home, endpoint) = start();
    for socket in [&endpoint.calls, &endpoint.events] {
        for with_another in [false, true] {
            let _other = with_another.then(|| Peer::calls(&endpoint.calls));
            for _ in 0..200 {
                drop(raw(socket));
            }
            unharmed(&home, endpoint.pid, "connect and close");
        }
        for part in 1..sp::HANDSHAKE {
            for _ in 0..20 {
                let mut stream = raw(socket);
                push(&mut stream, &sp::handshake(sp::REQ)[..part]);
            }
        }
        unharmed(&home, endpoint.pid, "half a handshake");
        for _ in 0..100 {
            let mut stream = raw(socket);
            push(&mut stream, &sp::handshake(if *socket == endpoint.calls { sp::REQ } else { sp::SUB }));
        }
        unharmed(&home, endpoint.pid, "a handshake and nothing more");
    }
}

#[test]
fn wrong_handshakes_are_closed_without_an_answer() {
    let (home, endpoint) = start();
    for (socket, own) in [(&endpoint.calls, sp::REQ), (&endpoint.events, sp::SUB)] {
        let mut wrong: Vec<[u8; sp::HANDSHAKE]> = vec![[0; 8], [0xff; 8], *b"GET / HT", *b"\0SP\x01\0\x30\0\0", *b"\0SP\0\0\x30\0\x01"];
        wrong.extend([sp::REQ, sp::REP, sp::PUB, sp::SUB, 0x10, 0x11, 0x50].into_iter().filter(|p| *p != own).map(sp::handshake));
        for greeting in wrong {
            let mut stream = raw(socket);
            push(&mut stream, &greeting);
            let mut got = Vec::new();
            let _ = std::io::Read::read_to_end(&mut stream, &mut got);
            assert!(got.is_empty(), "{greeting:?} got {got:?}");
        }
    }
    unharmed(&home, endpoint.pid, "wrong handshakes");
}

#[test]
fn silent_peers_are_sent_away_and_keep_nobody_waiting() {
    let (home, endpoint) = start();
    let mut silent: Vec<_> = (0..100).map(|n| raw(if n % 2 == 0 { &endpoint.calls } else { &endpoint.events })).collect();
    unharmed(&home, endpoint.pid, "silent connects");
    for stream in &mut silent {
        let mut byte = [0];
        assert_eq!(std::io::Read::read(stream, &mut byte).unwrap(), 0, "closed by the daemon");
    }
    unharmed(&home, endpoint.pid, "the silence");
}

/// After a right handshake. Whether the daemon closed the connection at once.
fn refused(socket: &Path, bytes: &[u8]) -> bool {
    let mut peer = Peer::calls(socket);
    push(&mut peer.stream, bytes);
    peer.is_closed()
}

#[test]
fn frames_of_lengths_that_no_message_has() {
    let (home, endpoint) = start();
    let frame = |length: u64| [&[1][..], &length.to_be_bytes()].concat();
    for length in [0, 1, 3, (1 << 20) + 1, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX - 33, u64::MAX - 32, u64::MAX - 31, u64::MAX]
    {
        assert!(refused(&endpoint.calls, &frame(length)), "{length} was not refused");
        let with_body = [&frame(length)[..], &[0x80, 0, 0, 1], &[b'x'; 64]].concat();
        assert!(refused(&endpoint.calls, &with_body), "{length} with a body was not refused");
        unharmed(&home, endpoint.pid, &format!("the length {length}"));
    }
    // Another message type, and requests with a route in front, which the library would drop in silence.
    assert!(refused(&endpoint.calls, &[&[2][..], &8_u64.to_be_bytes(), &[0x80, 0, 0, 1, b'{', b'}', b' ', b' ']].concat()));
    let route = [&[0, 0, 0, 1].repeat(20)[..], &[0x80, 0, 0, 1, b'{', b'}']].concat();
    assert!(refused(&endpoint.calls, &[&frame(route.len() as u64)[..], &route].concat()));
    unharmed(&home, endpoint.pid, "wrong frames");

    // The largest message there is gets an answer.
    let mut peer = Peer::calls(&endpoint.calls);
    peer.send(&vec![b'x'; (1 << 20) - sp::REQUEST_ID]).unwrap();
    let (_, answer) = peer.receive().unwrap();
    assert!(String::from_utf8(answer).unwrap().contains("is not a request"));
    unharmed(&home, endpoint.pid, "the largest message");
}

#[test]
fn half_frames() {
    let (home, endpoint) = start();
    let whole = [&[1][..], &4096_u64.to_be_bytes(), &[0x80, 0, 0, 1], &[b'x'; 4092]].concat();
    for cut in [1, 5, 8, 9, 10, 13, 14, 100, 4000, whole.len() - 1] {
        for how in [Some(Shutdown::Write), Some(Shutdown::Both), None] {
            let mut peer = Peer::calls(&endpoint.calls);
            push(&mut peer.stream, &whole[..cut]);
            if let Some(how) = how {
                peer.stream.shutdown(how).unwrap();
            }
        }
    }
    // One that stays half while others are served.
    let mut stays = Peer::calls(&endpoint.calls);
    push(&mut stays.stream, &whole[..2000]);
    unharmed(&home, endpoint.pid, "half frames");
    push(&mut stays.stream, &whole[2000..]);
    assert!(stays.receive().is_ok(), "the slow frame is served when it is whole");
}

#[test]
fn a_subscriber_that_sends() {
    let (home, endpoint) = start();
    for bytes in [&b"x"[..], &[1, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4], &[0xff; 9]] {
        let mut peer = Peer::events(&endpoint.events);
        push(&mut peer.stream, bytes);
        assert!(peer.is_closed());
    }
    unharmed(&home, endpoint.pid, "a subscriber that sends");
}

#[test]
fn requests_that_are_none() {
    let (home, endpoint) = start();
    let mut peer = Peer::calls(&endpoint.calls);
    let mut answer = |body: &[u8]| -> serde_json::Value {
        peer.send(body).unwrap();
        serde_json::from_slice(&peer.receive().unwrap().1).unwrap()
    };
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let nested = format!("{{\"protocol\":1,\"version\":\"0\",\"id\":\"\",\"call\":\"profiles.list\",\"body\":{}}}", deep("[", "]"));
    let map = format!(
        "{{\"protocol\":1,\"version\":\"0\",\"id\":\"\",\"call\":\"profiles.list\",\"body\":{}1{}}}",
        "{\"a\":".repeat(100_000),
        "}".repeat(100_000)
    );
    for body in
        [&b""[..], b"garbage", b"{", b"null", b"[]", b"\xff\xfe\0\0", b"{}", deep("[", "]").as_bytes(), nested.as_bytes(), map.as_bytes()]
    {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = answer(body);
        assert_eq!(answer["error"]["code"], "invalid_input", "{shown}: {answer}");
    }
    unharmed(&home, endpoint.pid, "bodies that are no requests");

    for (call, body) in [
        ("profiles.lisst", json!({})),
        ("", json!({})),
        ("profiles.inspect", json!({})),
        ("profiles.inspect", json!({ "alias": 7 })),
        ("profiles.inspect", json!("x")),
        ("profiles.create", json!({ "agent": [], "alias": {}, "provider": null })),
        ("sessions.list", json!({ "limit": -1 })),
        ("sessions.list", json!({ "limit": 1e300 })),
    ] {
        let answer = answer(request(call, "", body.clone()).to_string().as_bytes());
        assert_eq!(answer["error"]["code"], "invalid_input", "{call} {body}: {answer}");
    }
    let near = answer(request("profiles.lisst", "", json!({})).to_string().as_bytes());
    assert_eq!(near["error"]["hints"][0], "did you mean profiles.list");
    for wrong in [
        json!({ "protocol": "1" }),
        json!({ "protocol": 1, "version": 1, "id": 1, "call": 1 }),
        json!({ "protocol": -1, "version": "", "id": "", "call": "daemon.hello" }),
    ] {
        assert_eq!(answer(wrong.to_string().as_bytes())["error"]["code"], "invalid_input", "{wrong}");
    }
    // A key in a request that cannot be read is not quoted back, nor logged.
    let leaked = answer(b"{\"protocol\":1,\"body\":{\"key\":\"canary-7391\" oops");
    assert!(!leaked.to_string().contains("canary"), "{leaked}");
    assert!(!std::fs::read_to_string(home.log()).unwrap().contains("canary"));
    unharmed(&home, endpoint.pid, "wrong requests");
}

#[test]
fn a_peer_that_asks_and_never_reads() {
    let (home, endpoint) = start();
    let ask = request("config.list", "", json!({})).to_string();
    let mut greedy: Vec<_> = (0..20).map(|_| Peer::calls(&endpoint.calls)).collect();
    for peer in &mut greedy {
        peer.stream.set_nonblocking(true).unwrap();
        // Until its own pipe is full.
        while peer.send(ask.as_bytes()).is_ok() {}
    }
    unharmed(&home, endpoint.pid, "peers that never read");
    drop(greedy);
    unharmed(&home, endpoint.pid, "their end");
}

#[test]
fn one_connection_may_have_several_requests_under_way() {
    let (home, endpoint) = start();
    let mut peer = Peer::calls(&endpoint.calls);
    let ids: Vec<u32> = (0..50).map(|_| peer.send(request("daemon.hello", "", json!({})).to_string().as_bytes()).unwrap()).collect();
    let mut answered: Vec<u32> = (0..50).map(|_| peer.receive().unwrap().0).collect();
    answered.sort_unstable();
    assert_eq!(answered, ids);
    unharmed(&home, endpoint.pid, "fifty requests on one connection");
}
