//! The server over real connections.

use super::*;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct One;

impl Gate for One {
    fn admits(&self, token: &str) -> bool {
        token == "good"
    }
}

struct Running {
    port: u16,
    stop: watch::Sender<bool>,
    seen: Arc<Mutex<Vec<(String, usize, u16)>>>,
    server: tokio::task::JoinHandle<io::Result<()>>,
}

async fn start() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, shutdown) = watch::channel(false);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let observer: Observer = Arc::new(move |parts, body, status| {
        log.lock().unwrap().push((parts.uri.path().to_owned(), body.len(), status));
    });
    let server = tokio::spawn(serve(listener, Arc::new(One), Some(observer), shutdown));
    Running { port, stop, seen, server }
}

/// Sends a head (with `PORT` filled in) and a body; returns all that comes back until the end.
async fn send(port: u16, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = head.replace("PORT", &port.to_string()).replace('\n', "\r\n");
    let request = format!("{head}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

async fn status(port: u16, head: &str) -> u16 {
    let reply = send(port, head, "").await;
    reply.split(' ').nth(1).unwrap().parse().unwrap()
}

const GET: &str = "GET /v1/models HTTP/1.1\nHost: 127.0.0.1:PORT";

#[tokio::test]
async fn only_our_own_host_is_answered() {
    let running = start().await;
    let port = running.port;
    let token = "\nAuthorization: Bearer good";
    for (expected, host) in [
        (200, "Host: 127.0.0.1:PORT"),
        (200, "Host: LOCALHOST:PORT"),
        (200, "Host: [::1]:PORT"),
        (421, "Host: 127.0.0.1"),
        (421, "Host: 127.0.0.1:1"),
        (421, "Host: evil.example:PORT"),
        (421, "Host: localhost:PORT\nHost: localhost:PORT"),
        (421, "X: no host"),
    ] {
        let head = format!("GET /v1/models HTTP/1.1\n{host}{token}");
        assert_eq!(status(port, &head).await, expected, "{host}");
    }
    let absolute = format!("GET http://evil.example/ HTTP/1.1\nHost: localhost:PORT{token}");
    assert_eq!(status(port, &absolute).await, 421);
}

#[tokio::test]
async fn web_pages_are_refused_even_with_a_token() {
    let running = start().await;
    let port = running.port;
    for (expected, line) in [
        (403, "Origin: http://127.0.0.1:PORT"),
        (403, "Origin: null"),
        (403, "Sec-Fetch-Site: cross-site"),
        (403, "Sec-Fetch-Site: same-site"),
        (200, "Sec-Fetch-Site: none"),
        (200, "Sec-Fetch-Site: same-origin"),
    ] {
        let head = format!("{GET}\nx-api-key: good\n{line}");
        assert_eq!(status(port, &head).await, expected, "{line}");
    }
}

#[tokio::test]
async fn every_token_present_must_be_admitted() {
    let running = start().await;
    let port = running.port;
    for (expected, lines) in [
        (401, ""),
        (200, "\nAuthorization: Bearer good"),
        (200, "\nauthorization: bearer good\nx-api-key: good\nx-goog-api-key: good"),
        (401, "\nAuthorization: Bearer bad"),
        (401, "\nAuthorization: Bearer good\nx-api-key: bad"),
        (401, "\nx-api-key: good\nx-api-key: bad"),
        (401, "\nAuthorization: Basic good\nx-api-key: good"),
    ] {
        assert_eq!(status(port, &format!("{GET}{lines}")).await, expected, "{lines}");
    }
    for (expected, line) in [(200, "HEAD /"), (200, "GET /api/hello"), (401, "GET /"), (401, "HEAD /v1/models")] {
        let head = format!("{line} HTTP/1.1\nHost: 127.0.0.1:PORT");
        assert_eq!(status(port, &head).await, expected, "{line}");
    }
}

#[tokio::test]
async fn the_gate_answers_before_the_body_arrives() {
    let running = start().await;
    let post = "POST /v1/responses HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 9";
    // None of these bodies is ever sent: an answer proves that it was not waited for.
    assert_eq!(status(running.port, post).await, 401);
    let post = format!("{post}\nx-api-key: good");
    assert_eq!(status(running.port, &format!("{post}\nContent-Encoding: gzip")).await, 415);
    let large = post.replace("Length: 9", &format!("Length: {}", BODY_LIMIT + 1));
    assert_eq!(status(running.port, &large).await, 413);
    let upgrade = "GET /v1/responses HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nUpgrade: websocket";
    assert_eq!(status(running.port, upgrade).await, 426);
    let seen: Vec<_> = running.seen.lock().unwrap().iter().map(|seen| (seen.1, seen.2)).collect();
    assert_eq!(seen, [(0, 401), (0, 415), (0, 413), (0, 426)]);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_limited_too() {
    let running = start().await;
    let head = "POST /v1/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nTransfer-Encoding: chunked";
    for (expected, length) in [("413", BODY_LIMIT + 1), ("400", BODY_LIMIT)] {
        let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
        let reply = send(running.port, head, &body).await;
        assert_eq!(reply.split(' ').nth(1), Some(expected));
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let running = start().await;
    let head = "POST /v1/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nContent-Length: 9";
    assert_eq!(status(running.port, head).await, 408);
}

#[tokio::test]
async fn a_slow_head_is_cut_and_makes_room() {
    let running = start().await;
    let mut slow = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(("127.0.0.1", running.port)).await.unwrap();
        stream.write_all(b"GET / HT").await.unwrap();
        slow.push(stream);
    }
    let head = format!("{GET}\nx-api-key: good");
    let late = status(running.port, &head);
    tokio::pin!(late);
    let mut end = Vec::new();
    tokio::select! {
        biased;
        _ = slow[0].read_to_end(&mut end) => {}
        _ = &mut late => panic!("answered although the house was full"),
    }
    assert_eq!(late.await, 200);
}

#[tokio::test]
async fn each_event_is_a_chunk_of_its_own() {
    let running = start().await;
    let body = r#"{"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let length = body.len();
    let head = format!("POST /v1/messages?beta=true HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nContent-Length: {length}");
    let reply = send(running.port, &head, body).await;
    let (head, chunks) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/event-stream"), "{head}");
    let frames: Vec<_> = chunks.split("\r\n").filter(|line| line.starts_with("event: ")).collect();
    assert_eq!(frames.len(), 10);
    assert!(frames.iter().all(|frame| frame.matches("event: ").count() == 1 && frame.ends_with("\n\n")));
    let seen = running.seen.lock().unwrap().clone();
    assert_eq!(seen, [("/v1/messages".to_owned(), length, 200)]);
}

#[tokio::test]
async fn a_stream_pauses_after_each_frame() {
    let chunks = VecDeque::from([Bytes::from("a"), Bytes::from("b")]);
    let mut body = Outgoing { chunks, stream: true, flush: false };
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut ready = || Pin::new(&mut body).poll_frame(&mut context).is_ready();
    assert_eq!([ready(), ready(), ready()], [true, false, true]);
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_ends() {
    let running = start().await;
    let mut idle = TcpStream::connect(("127.0.0.1", running.port)).await.unwrap();
    let head = format!("{GET}\nx-api-key: good\n\n").replace("PORT", &running.port.to_string());
    idle.write_all(head.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();
    running.stop.send(true).unwrap();
    // Sooner than the idle connection would have ended by itself.
    let ended = tokio::time::timeout(HEADER_TIMEOUT / 2, running.server).await;
    ended.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", running.port)).await.is_err());
}

#[tokio::test]
async fn only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (_stop, shutdown) = watch::channel(false);
    let error = serve(listener, Arc::new(One), None, shutdown).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn refusals_are_json_for_both_vendors() {
    use Refusal::{Broken, Encoding, Failed, Host, Page, Slow, Token, TooLarge, Upgrade};
    for refusal in [Host, Page, Token, Encoding, Upgrade, TooLarge, Slow, Broken, Failed] {
        let Body::Full(body) = refusal.reply().body else { panic!("not whole") };
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["type"], &body["error"]["type"]), (&"error".into(), &body["error"]["code"]));
    }
}
