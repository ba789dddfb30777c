//! What is wrong is told in a clear 4xx, and the daemon stays quick.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::web::{Web, read};

fn post(web: &Web, path: &str, body: &str) -> (u16, String) {
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\n", web.host(), web.bearer());
    let answer = web.raw(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    (answer.status, answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_wrong_body_or_query_says_what_is_wrong_and_shows_no_key() {
    let web = Web::new();
    let before = web.home.tree();
    let cases: &[(&str, &str)] = &[
        ("", "missing field"),
        ("{", "the body is not JSON: line 1"),
        ("[]", "the body is not a JSON object"),
        ("null", "the body is not a JSON object"),
        (r#"{"agent":1,"alias":"a","provider":"offline"}"#, "wrong at agent"),
        (r#"{"agent":"claude","alias":"a","provider":"offline","dry_rum":true}"#, "no field \"dry_rum\""),
        (r#"{"agent":"claude","alias":"a","provider":"offline","settings":{"modle":"x"}}"#, "no field \"settings.modle\""),
        (r#"{"agent":"claude","alias":"../x","provider":"offline"}"#, "\"../x\" is not valid"),
        (r#"{"agent":"claude","alias":"a","provider":"offline","key":"sk-canary-0001"}"#, "wrong at key"),
        (r#"{"agent":"claude","alias":"a","provider":"offline","key":{"from":"text","key":["sk-canary-0001"]}}"#, "wrong at key"),
    ];
    for (body, said) in cases {
        let (status, message) = post(&web, "/api/v1/profiles", body);
        assert!(status == 400 && message.contains(said), "{body}: {status} {message}");
        assert!(!message.contains("canary"), "{message}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(post(&web, "/api/v1/profiles", &format!("{{\"agent\":{deep}")).0, 400);
    let queries = [
        ("/api/v1/sessions?limit=many", "limit is \"many\""),
        ("/api/v1/sessions?limit=1&limit=2", "limit is given twice"),
        ("/api/v1/sessions?live=yes", "live is \"yes\""),
        ("/api/v1/sessions?limitt=1", "no parameter \"limitt\""),
        ("/api/v1/usage/report?group=hourly", "group"),
        ("/api/v1/usage/report", "missing field"),
        ("/api/v1/profiles/%ff", "not UTF-8"),
        ("/api/v1/proxies/px/keys/one", "one"),
    ];
    for (path, said) in queries {
        let answer = web.ask(if path.contains("keys") { "DELETE" } else { "GET" }, path, None);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(answer.status == 400 && message.contains(said), "{path}: {} {message}", answer.status);
    }
    assert_eq!(web.ask("GET", "/api/v1/profiles/none", None).status, 404);
    assert_eq!(web.ask("GET", "/api/v1/nothing", None).status, 404);
    let wrong = web.ask("PUT", "/api/v1/profiles", Some(&json!({})));
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, POST")));
    assert_eq!(before.changes(&web.home.tree()), "");
}

#[test]
fn a_body_beyond_the_limit_is_refused_by_its_length_and_by_its_bytes() {
    let web = Web::new();
    let head = format!(
        "POST /api/v1/profiles HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\n",
        web.host(),
        web.bearer()
    );
    assert_eq!(web.raw(format!("{head}content-length: 1048577\r\n\r\n").as_bytes()).status, 413, "before it is read");
    let mut stream = web.connect();
    stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..17 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(read(&mut stream).unwrap().status, 413);
    let parts = format!("{{\"agent\":[{}0]}}", "0,".repeat(40_000));
    assert_eq!(post(&web, "/api/v1/profiles", &parts), (400, "the message has too many parts".into()));
}

#[test]
fn slow_senders_are_cut_and_thousands_of_sockets_keep_nobody_out() {
    let web = Web::new();
    let mut half = web.connect();
    half.write_all(b"GET /api/v1/hello HTTP/1.1\r\nhost:").unwrap();
    let mut body = web.connect();
    let head = format!(
        "POST /api/v1/profiles HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\n",
        web.host(),
        web.bearer()
    );
    body.write_all(format!("{head}content-length: 100\r\n\r\n{{").as_bytes()).unwrap();
    let idle: Vec<_> = (0..2000).map(|_| web.connect()).collect();
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(web.ask("GET", "/api/v1/hello", None).status, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(30), "it answers while they wait: {:?}", start.elapsed());
    // These were taken in after the strangers, so all of those have been.
    let open = |mut stream: &std::net::TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.read(&mut [0; 1]).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock)
    };
    let left = idle.iter().filter(|stream| open(stream)).count();
    assert!(left <= 256, "{left} of them still have a place");
    // The oldest strangers gave way to newer ones; a known sender of a slow body is told.
    assert_eq!(half.read(&mut [0; 1]).unwrap_or(0), 0);
    assert_eq!(read(&mut body).unwrap().status, 408);
    drop(idle);
    let alone = web.connect();
    let mut one = alone.try_clone().unwrap();
    // A stranger alone is cut by time.
    one.write_all(b"GET / HT").unwrap();
    let mut rest = Vec::new();
    let _ = one.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    let status: Value = web.ask("GET", "/api/v1/daemon", None).json();
    assert_eq!(status["defects"], 0);
}
