//! Live events, over a WebSocket and as a stream.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use clown::wire::{
    event::Event,
    http::{FromServer, Seen, ToServer},
};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client::IntoClientRequest, http::HeaderValue};

use super::web::Web;
use crate::support::wait_until;

struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn open(web: &Web, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}/ws", web.host()).into_client_request().unwrap();
        headers.iter().for_each(|(name, value)| {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        });
        match tokio_tungstenite::tungstenite::client(request, web.connect()) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    fn say(&mut self, what: &ToServer) {
        self.0.send(Message::text(serde_json::to_string(what).unwrap())).unwrap();
    }

    fn hear(&mut self) -> FromServer {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other}"),
            }
        }
    }

    fn subscribe(&mut self, topics: &[&str], after: Option<Seen>) -> Seen {
        self.say(&ToServer::Subscribe { topics: topics.iter().map(|t| (*t).to_owned()).collect(), after });
        match self.hear() {
            FromServer::Subscribed(seen) => seen,
            other => panic!("{other:?}"),
        }
    }

    fn event(&mut self) -> Event {
        match self.hear() {
            FromServer::Event(event) => event,
            other => panic!("{other:?}"),
        }
    }
}

fn create(web: &Web, alias: &str) {
    let made = json!({ "agent": "claude", "alias": alias, "provider": "offline" });
    assert_eq!(web.ask("POST", "/api/v1/profiles", Some(&made)).status, 200);
}

#[test]
fn a_socket_hears_what_it_subscribed_to_and_learns_what_it_missed() {
    let web = Web::new();
    let mut socket = Socket::open(&web, &[("authorization", &web.bearer())]).unwrap();
    let FromServer::Hello(hello) = socket.hear() else { panic!("no hello") };
    socket.subscribe(&["profile/"], None);
    assert_eq!(web.ask("PUT", "/api/v1/config/preferences.x", Some(&json!({ "value": "1" }))).status, 200);
    create(&web, "one");
    let event = socket.event();
    assert_eq!((event.topic.as_str(), event.subject.as_str()), ("profile/created", "one"));
    assert_eq!(event.epoch, hello.epoch);
    socket.say(&ToServer::Ping {});
    assert_eq!(socket.hear(), FromServer::Pong);
    // Another one goes on after the first event it could have seen.
    let mut late = Socket::open(&web, &[("authorization", &web.bearer())]).unwrap();
    late.hear();
    late.subscribe(&[""], Some(hello.clone()));
    let (first, second) = (late.event(), late.event());
    assert_eq!((first.seq, second.seq), (hello.seq + 1, hello.seq + 2));
    assert_eq!(first.topic, "config/changed");
    late.subscribe(&[""], Some(Seen { epoch: "another life".into(), seq: 1 }));
    assert!(matches!(late.hear(), FromServer::Resync(newest) if newest.seq == second.seq));
}

#[test]
fn who_has_gone_keeps_the_daemon_up_no_more() {
    let web = Web::new();
    let subscribers = || web.home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber");
    let mut sockets: Vec<Socket> = (0..3).map(|_| Socket::open(&web, &[("authorization", &web.bearer())]).unwrap()).collect();
    for socket in &mut sockets {
        socket.hear();
        socket.subscribe(&[""], None);
    }
    assert!(subscribers());
    // One says goodbye, the others are cut off.
    sockets[0].0.close(None).unwrap();
    drop(sockets);
    wait_until("the daemon knows that they are gone", || !subscribers());
}

#[test]
fn a_socket_says_what_it_does_not_understand_and_ends_what_is_too_large() {
    let web = Web::new();
    let mut socket = Socket::open(&web, &[("authorization", &web.bearer())]).unwrap();
    socket.hear();
    for odd in ["", "{}", r#"{"type":"subscribe"}"#, r#"{"type":"ping","x":1}"#, r#"{"type":"subscribe","topics":[1]}"#] {
        socket.0.send(Message::text(odd)).unwrap();
        assert!(matches!(socket.hear(), FromServer::Error { .. }), "{odd}");
    }
    socket.0.send(Message::text(" ".repeat(20_000))).unwrap();
    let end = socket.0.read();
    assert!(matches!(&end, Ok(Message::Close(Some(frame))) if u16::from(frame.code) == 1009) || end.is_err(), "{end:?}");
    let mut binary = Socket::open(&web, &[("authorization", &web.bearer())]).unwrap();
    binary.hear();
    binary.0.send(Message::binary(vec![1])).unwrap();
    assert!(matches!(binary.0.read(), Ok(Message::Close(Some(frame))) if u16::from(frame.code) == 1003));
}

#[test]
fn only_our_page_and_holders_of_the_token_get_a_socket() {
    let web = Web::new();
    let cookie = web.cookie();
    let own = format!("http://{}", web.host());
    assert!(Socket::open(&web, &[("cookie", &cookie), ("origin", &own)]).is_ok());
    assert_eq!(Socket::open(&web, &[("cookie", &cookie)]).err(), Some(403));
    assert_eq!(Socket::open(&web, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")]).err(), Some(403));
    assert_eq!(Socket::open(&web, &[("cookie", &cookie), ("origin", "http://evil.com")]).err(), Some(403));
    assert_eq!(Socket::open(&web, &[("authorization", &web.bearer()), ("origin", "http://evil.com")]).err(), Some(403));
    assert_eq!(Socket::open(&web, &[("origin", &own)]).err(), Some(401));
    assert_eq!(web.ask("GET", "/ws", None).status, 426);
}

#[test]
fn a_stream_goes_on_after_the_last_event_a_reader_saw() {
    let web = Web::new();
    let open = |path: &str, last: Option<&str>| {
        let mut stream = web.connect();
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n{last}\r\n", web.host(), web.bearer()).unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        let status = lines.next().unwrap();
        let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        assert!(status.contains(" 200 ") && headers.iter().any(|h| h == "content-type: text/event-stream"), "{status} {headers:?}");
        // The first line of the stream says that it is subscribed.
        assert!(lines.by_ref().any(|line| line.starts_with(": clown")));
        lines
    };
    fn next(lines: &mut impl Iterator<Item = String>) -> (String, Event) {
        let id = lines.find_map(|line| line.strip_prefix("id: ").map(str::to_owned)).unwrap();
        let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned)).unwrap();
        (id, serde_json::from_str(&data).unwrap())
    }
    let mut first = open("/api/v1/events?topics=profile/", None);
    create(&web, "one");
    let (id, event) = next(&mut first);
    assert_eq!(event.subject, "one");
    drop(first);
    create(&web, "two");
    create(&web, "three");
    let mut again = open("/api/v1/events?topics=profile/,config/", Some(&id));
    assert_eq!([next(&mut again).1.subject, next(&mut again).1.subject], ["two", "three"]);
    let mut lost = open("/api/v1/events", Some("another-life:7"));
    assert!(lost.any(|line| line == "event: resync"));
    assert_eq!(web.ask_with("GET", "/api/v1/events", &[("authorization", &web.bearer()), ("last-event-id", "x")], None).status, 400);
    assert_eq!(web.ask("GET", "/api/v1/events?topic=x", None).status, 400);
    drop((again, lost));
    // A reader that left holds the daemon no longer.
    wait_until("no subscriber holds the daemon", || {
        let status = web.ask("GET", "/api/v1/daemon", None).json();
        !status["guards"].as_array().unwrap().iter().any(|g| g.as_str().unwrap().starts_with("event subscriber"))
    });
}
