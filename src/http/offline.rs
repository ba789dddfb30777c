//! Loopback HTTP server in front of the offline provider.
//!
//! Owns: who is let in, how much is read, and how a reply is sent. The gate decides on the head
//! alone, before a byte of the body is read, and its refusals have constant bodies. Must never:
//! compare or log a token (the [`Gate`] knows them), serve beyond loopback, or answer a web page.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::providers::offline::{self, Body, Reply};

// Tests reach the same limits sooner.
const BODY_LIMIT: usize = if cfg!(test) { 64 << 10 } else { 64 << 20 };
/// Also closes connections that stay idle this long; agents open a new one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// A body that stops halfway must not hold a connection for ever.
const BODY_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 60 });
const CONNECTIONS: usize = if cfg!(test) { 4 } else { 256 };
/// After a shutdown request, how long replies under way may take. They need no upstream.
const DRAIN: Duration = Duration::from_secs(2);
/// A failed accept (out of file descriptors) does not clear at once; do not spin on it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Tokens of live sessions. The comparison must take the same time for every wrong token.
pub trait Gate: Send + Sync + 'static {
    fn admits(&self, token: &str) -> bool;
}

/// For tests: sees each request and the status answered. A refused request shows an empty body.
pub type Observer = Arc<dyn Fn(&Parts, &Bytes, u16) + Send + Sync>;

/// Serves until `shutdown` turns true or its sender is gone, then lets open replies finish.
///
/// # Errors
/// When the listener has no address or is not bound to loopback.
pub async fn serve(
    listener: TcpListener,
    gate: Arc<dyn Gate>,
    observer: Option<Observer>,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let problem = format!("the offline provider serves loopback only, not {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let server = Arc::new(Server {
        port: address.port(),
        gate,
        observer,
    });
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let stop = shutdown.clone();
    let accepting = async {
        loop {
            // A full house waits in the listen queue.
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    while connections.try_join_next().is_some() {}
                    let server = server.clone();
                    let stop = stop.clone();
                    connections.spawn(async move {
                        server.connection(stream, stop).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "offline provider cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stopped(&mut shutdown) => {}
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("offline provider cut replies that were still being read");
    }
    Ok(())
}

/// Waits for the word to stop. A sender that is gone means the same: nobody is left to say it.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

struct Server {
    port: u16,
    gate: Arc<dyn Gate>,
    observer: Option<Observer>,
}

impl Server {
    async fn connection(self: Arc<Self>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        // Without this each small frame of a stream waits for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "offline provider cannot set TCP_NODELAY");
        }
        let service = service_fn(|request| self.handle(request));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "offline provider connection ended early");
        }
    }

    async fn handle(
        &self,
        request: hyper::Request<Incoming>,
    ) -> Result<hyper::Response<Outgoing>, Infallible> {
        let (parts, body) = request.into_parts();
        let read = match refusal(&parts, self.port, self.gate.as_ref()) {
            Some(refusal) => Err(refusal),
            None => read(body).await,
        };
        let (body, reply) = match read {
            Err(refusal) => (Bytes::new(), refusal.reply()),
            Ok(body) => {
                let reply = answer(&parts, body.clone()).await;
                (body, reply)
            }
        };
        if let Some(observer) = &self.observer {
            observer(&parts, &body, reply.status);
        }
        Ok(response(reply))
    }
}

/// Why a request is not answered. Each has one constant status and body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refusal {
    Host,
    Page,
    Token,
    Encoding,
    Upgrade,
    TooLarge,
    Slow,
    Broken,
    Failed,
}

impl Refusal {
    /// The body satisfies the error shapes of both vendors: `type` + `error.type`, `error.code`.
    /// The texts hold nothing that JSON would escape.
    fn reply(self) -> Reply {
        let (status, kind, message) = self.words();
        let body = format!(
            r#"{{"type":"error","error":{{"type":"{kind}","message":"offline: {message}","param":null,"code":"{kind}"}}}}"#
        );
        Reply {
            status,
            content_type: "application/json",
            body: Body::Full(Bytes::from(body)),
        }
    }

    #[rustfmt::skip] // one line each: a table
    fn words(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Host => (421, "invalid_request_error", "this server answers only to its own loopback address"),
            Self::Page => (403, "permission_error", "requests from web pages are refused"),
            Self::Token => (401, "authentication_error", "the token is missing or is not of a running session"),
            Self::Encoding => (415, "invalid_request_error", "send the body without a content-encoding"),
            Self::Upgrade => (426, "invalid_request_error", "websockets are not served, use POST"),
            Self::TooLarge => (413, "request_too_large", "the body is larger than 64 MiB"),
            Self::Slow => (408, "timeout_error", "the body did not arrive in time"),
            Self::Broken => (400, "invalid_request_error", "the body could not be read"),
            Self::Failed => (500, "api_error", "the answer could not be made"),
        }
    }
}

/// Looks at the head only. Host and Origin come first: a web page must not learn about tokens.
fn refusal(parts: &Parts, port: u16, gate: &dyn Gate) -> Option<Refusal> {
    let headers = &parts.headers;
    if !names_us(parts, port) {
        return Some(Refusal::Host);
    }
    let own_site = |value: &HeaderValue| value == "none" || value == "same-origin";
    if headers.contains_key(header::ORIGIN)
        || !headers.get_all("sec-fetch-site").iter().all(own_site)
    {
        return Some(Refusal::Page);
    }
    let path = parts.uri.path();
    let probe = match parts.method {
        Method::HEAD => path == "/" || path == "/api/hello",
        Method::GET => path == "/api/hello",
        _ => false,
    };
    if !probe && !admitted(headers, gate) {
        return Some(Refusal::Token);
    }
    // Codex tries a websocket first: a 426 makes it post at once, a 404 costs it five retries.
    let upgrade = headers
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok());
    if upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return Some(Refusal::Upgrade);
    }
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Some(Refusal::Encoding);
    }
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let length = length.and_then(|value| value.parse::<u64>().ok());
    length
        .is_some_and(|length| length > BODY_LIMIT as u64)
        .then_some(Refusal::TooLarge)
}

/// Exactly one Host, naming loopback and our port; an absolute target must name the same. Keeps
/// out a page whose own name was made to resolve to loopback.
fn names_us(parts: &Parts, port: u16) -> bool {
    let ours = |host: &str| {
        ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")))
    };
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    host.to_str().is_ok_and(ours)
        && parts
            .uri
            .authority()
            .is_none_or(|target| ours(target.as_str()))
}

/// Every credential present must be admitted: agents may send one in two headers, and a second,
/// foreign one means the request was not made for this server.
fn admitted(headers: &HeaderMap, gate: &dyn Gate) -> bool {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let keys = ["x-api-key", "x-goog-api-key"]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .map(|value| value.to_str().ok());
    let mut tokens = bearer.chain(keys).peekable();
    tokens.peek().is_some() && tokens.all(|token| token.is_some_and(|token| gate.admits(token)))
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    let whole = Limited::new(body, BODY_LIMIT).collect();
    match tokio::time::timeout(BODY_TIMEOUT, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Ok(Err(_)) => Err(Refusal::Broken),
        Err(_) => Err(Refusal::Slow),
    }
}

/// Parsing up to 64 MiB of JSON takes long enough to stall other connections, so it moves away.
async fn answer(parts: &Parts, body: Bytes) -> Reply {
    let method = parts.method.clone();
    let path = parts.uri.path().to_owned();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let answer = tokio::task::spawn_blocking(move || {
        offline::answer(&offline::Request {
            method: method.as_str(),
            path: &path,
            body: &body,
            now,
        })
    });
    answer.await.unwrap_or_else(|error| {
        tracing::error!(%error, "offline provider could not make an answer");
        Refusal::Failed.reply()
    })
}

fn response(reply: Reply) -> hyper::Response<Outgoing> {
    let body = match reply.body {
        Body::Full(bytes) => Outgoing {
            chunks: VecDeque::from([bytes]),
            stream: false,
            flush: false,
        },
        Body::Events(frames) => Outgoing {
            chunks: frames.into(),
            stream: true,
            flush: false,
        },
    };
    let mut response = hyper::Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(reply.content_type),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A reply's body. A stream pauses once after each frame, because hyper flushes only when the body
/// has nothing ready: each frame then reaches the client as its own chunk, as from a real model.
struct Outgoing {
    chunks: VecDeque<Bytes>,
    stream: bool,
    flush: bool,
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::take(&mut self.flush) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.flush = self.stream;
        Poll::Ready(self.chunks.pop_front().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.stream {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.chunks.iter().map(|chunk| chunk.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
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
            log.lock()
                .unwrap()
                .push((parts.uri.path().to_owned(), body.len(), status));
        });
        let server = tokio::spawn(serve(listener, Arc::new(One), Some(observer), shutdown));
        Running {
            port,
            stop,
            seen,
            server,
        }
    }

    /// Sends a head (with `PORT` filled in) and a body; returns all that comes back until the end.
    async fn send(port: u16, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let head = head
            .replace("PORT", &port.to_string())
            .replace('\n', "\r\n");
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
            (
                200,
                "\nauthorization: bearer good\nx-api-key: good\nx-goog-api-key: good",
            ),
            (401, "\nAuthorization: Bearer bad"),
            (401, "\nAuthorization: Bearer good\nx-api-key: bad"),
            (401, "\nx-api-key: good\nx-api-key: bad"),
            (401, "\nAuthorization: Basic good\nx-api-key: good"),
        ] {
            assert_eq!(
                status(port, &format!("{GET}{lines}")).await,
                expected,
                "{lines}"
            );
        }
        for (expected, line) in [
            (200, "HEAD /"),
            (200, "GET /api/hello"),
            (401, "GET /"),
            (401, "HEAD /v1/models"),
        ] {
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
        assert_eq!(
            status(running.port, &format!("{post}\nContent-Encoding: gzip")).await,
            415
        );
        let large = post.replace("Length: 9", &format!("Length: {}", BODY_LIMIT + 1));
        assert_eq!(status(running.port, &large).await, 413);
        let upgrade =
            "GET /v1/responses HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nUpgrade: websocket";
        assert_eq!(status(running.port, upgrade).await, 426);
        let seen: Vec<_> = running
            .seen
            .lock()
            .unwrap()
            .iter()
            .map(|seen| (seen.1, seen.2))
            .collect();
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
        let head =
            "POST /v1/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nContent-Length: 9";
        assert_eq!(status(running.port, head).await, 408);
    }

    #[tokio::test]
    async fn a_slow_head_is_cut_and_makes_room() {
        let running = start().await;
        let mut slow = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(("127.0.0.1", running.port))
                .await
                .unwrap();
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
        let head = format!(
            "POST /v1/messages?beta=true HTTP/1.1\nHost: 127.0.0.1:PORT\nx-api-key: good\nContent-Length: {length}"
        );
        let reply = send(running.port, &head, body).await;
        let (head, chunks) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("text/event-stream"), "{head}");
        let frames: Vec<_> = chunks
            .split("\r\n")
            .filter(|line| line.starts_with("event: "))
            .collect();
        assert_eq!(frames.len(), 10);
        assert!(
            frames
                .iter()
                .all(|frame| frame.matches("event: ").count() == 1 && frame.ends_with("\n\n"))
        );
        let seen = running.seen.lock().unwrap().clone();
        assert_eq!(seen, [("/v1/messages".to_owned(), length, 200)]);
    }

    #[tokio::test]
    async fn a_stream_pauses_after_each_frame() {
        let chunks = VecDeque::from([Bytes::from("a"), Bytes::from("b")]);
        let mut body = Outgoing {
            chunks,
            stream: true,
            flush: false,
        };
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut ready = || Pin::new(&mut body).poll_frame(&mut context).is_ready();
        assert_eq!([ready(), ready(), ready()], [true, false, true]);
    }

    #[tokio::test]
    async fn shutdown_closes_idle_connections_and_ends() {
        let running = start().await;
        let mut idle = TcpStream::connect(("127.0.0.1", running.port))
            .await
            .unwrap();
        let head = format!("{GET}\nx-api-key: good\n\n").replace("PORT", &running.port.to_string());
        idle.write_all(head.replace('\n', "\r\n").as_bytes())
            .await
            .unwrap();
        let mut byte = [0];
        idle.read_exact(&mut byte).await.unwrap();
        running.stop.send(true).unwrap();
        // Sooner than the idle connection would have ended by itself.
        let ended = tokio::time::timeout(HEADER_TIMEOUT / 2, running.server).await;
        ended.unwrap().unwrap().unwrap();
        assert!(
            TcpStream::connect(("127.0.0.1", running.port))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn only_loopback_is_served() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let (_stop, shutdown) = watch::channel(false);
        let error = serve(listener, Arc::new(One), None, shutdown)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn refusals_are_json_for_both_vendors() {
        use Refusal::{Broken, Encoding, Failed, Host, Page, Slow, Token, TooLarge, Upgrade};
        for refusal in [
            Host, Page, Token, Encoding, Upgrade, TooLarge, Slow, Broken, Failed,
        ] {
            let Body::Full(body) = refusal.reply().body else {
                panic!("not whole")
            };
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(
                (&body["type"], &body["error"]["type"]),
                (&"error".into(), &body["error"]["code"])
            );
        }
    }
}
