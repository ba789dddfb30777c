//! Every call says over HTTP what it says on the local socket.

use std::collections::BTreeSet;

use clown::{
    http::{EXCEPTIONS, ROUTES},
    wire::envelope::CALLER_VARS,
};
use serde_json::{Value, json};

use super::{examples, web::Web};
use crate::support::{Endpoint, Peer, request};

/// What two looks at the same thing may say differently.
const VOLATILE: &[(&str, &[&str])] = &[
    ("daemon.status", &["calls", "guards"]),
    ("doctor.run", &["findings"]),
    ("daemon.metrics", &["families"]),
    ("usage.rescan", &["milliseconds"]),
];

#[test]
fn every_call_is_a_resource_or_an_exception_with_a_reason() {
    let web = Web::new();
    let calls: BTreeSet<String> = known_calls(&web);
    let routed: Vec<&str> = ROUTES.iter().map(|route| route.call).collect();
    let excepted: Vec<&str> = EXCEPTIONS.iter().map(|(call, _)| *call).collect();
    let mut all: Vec<&str> = routed.iter().chain(&excepted).copied().collect();
    all.sort_unstable();
    assert_eq!(all, calls.iter().map(String::as_str).collect::<Vec<_>>(), "each call once, in ROUTES or in EXCEPTIONS");
    assert!(EXCEPTIONS.iter().all(|(_, why)| why.len() > 20));
}

/// The router's own names, by asking for one that there is not.
fn known_calls(web: &Web) -> BTreeSet<String> {
    let source = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("PROTOCOL.md")).unwrap();
    let named = source.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name.to_owned());
    let mut peer = Peer::calls(&Endpoint::of(&web.home).calls);
    let known = |name: &String| {
        let answer = peer.ask(&request(name, "", json!("no object")));
        !answer["error"]["message"].as_str().unwrap_or_default().starts_with("there is no call")
    };
    named.filter(|name| name.contains('.') && !name.contains(['/', '*', ' ', '<'])).filter(known).collect()
}

#[test]
fn addresses_do_not_stand_in_each_others_way() {
    for (n, a) in ROUTES.iter().enumerate() {
        for b in ROUTES.iter().skip(n + 1) {
            let (left, right): (Vec<&str>, Vec<&str>) = (a.pattern.split('/').collect(), b.pattern.split('/').collect());
            let meet =
                left.len() == right.len() && left.iter().zip(&right).all(|(l, r)| l == r || l.starts_with('{') || r.starts_with('{'));
            assert!(!meet || a.pattern == b.pattern && a.method != b.method, "{} and {}", a.pattern, b.pattern);
        }
    }
}

#[test]
fn both_ways_in_give_equal_bodies_for_every_call() {
    let web = Web::new();
    let mut peer = Peer::calls(&Endpoint::of(&web.home).calls);
    let env: Value = web
        .home
        .env()
        .iter()
        .filter_map(|(n, v)| Some((n.to_str()?.to_owned(), Value::from(v.to_str()?))))
        .filter(|(n, _)| CALLER_VARS.contains(&n.as_str()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let examples = examples::all(&web);
    let mut good = 0;
    for (n, (call, body)) in examples.iter().enumerate() {
        let id = format!("equal-{n}");
        let asked = |peer: &mut Peer| {
            let mut envelope = request(call, &id, body.clone());
            envelope["caller"] = json!({ "pid": 0, "cwd": "", "env": env });
            peer.send(envelope.to_string().as_bytes()).unwrap();
            let whole = String::from_utf8(peer.receive().unwrap().1).unwrap();
            let inner = whole.split_once("\"version\":\"").and_then(|(_, rest)| rest.split_once("\",")).unwrap().1;
            match inner.strip_prefix("\"reply\":") {
                Some(reply) => reply.strip_suffix('}').unwrap().to_owned(),
                None => format!("{{{inner}"),
            }
        };
        if *call == "daemon.stop" {
            assert_eq!(examples::ask(&web, call, body, &id).text(), "{}");
            good += 1;
            continue;
        }
        let socket = asked(&mut peer);
        let http = examples::ask(&web, call, body, &id);
        good += usize::from(http.status == 200);
        match VOLATILE.iter().find(|(name, _)| name == call) {
            None => assert_eq!(http.text(), socket, "{call} {body}"),
            Some((_, fields)) => {
                let without = |text: &str| {
                    let mut value: Value = serde_json::from_str(text).unwrap();
                    fields.iter().for_each(|field| value[*field] = Value::Null);
                    value
                };
                assert_eq!(without(&http.text()), without(&socket), "{call}");
            }
        }
    }
    assert!(good >= 50, "most examples are of something that works: {good} of {}", examples.len());
    let shown: BTreeSet<&str> = examples.iter().map(|(call, _)| *call).collect();
    let missing: Vec<&str> = ROUTES.iter().map(|r| r.call).filter(|call| !shown.contains(call)).collect();
    assert_eq!(missing, [""; 0], "no example");
}

#[test]
fn a_mutation_runs_once_whichever_way_it_is_sent_again() {
    let web = Web::new();
    let body = json!({ "agent": "claude", "alias": "work", "provider": "offline" });
    let first = examples::ask(&web, "profiles.create", &body, "once");
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(examples::ask(&web, "profiles.create", &body, "once").body, first.body);
    assert_eq!(examples::ask(&web, "profiles.create", &body, "twice").json()["error"]["code"], "already_exists");
    let other = json!({ "agent": "claude", "alias": "rest", "provider": "offline" });
    assert_eq!(examples::ask(&web, "profiles.create", &other, "once").json()["error"]["code"], "conflict");
    let bad = web.ask_with("POST", "/api/v1/profiles", &[("authorization", &web.bearer()), ("idempotency-key", "a b")], Some(&other));
    assert_eq!(bad.status, 400);
}
