//! Who may ask: decided on the head of a request, before its body is read.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;

use super::{BODY_LIMIT, Gate};
use crate::base::loopback;
use crate::providers::offline::{Body, Reply};

/// Why a request is not answered. Each has one constant status and body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
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
    pub(super) fn reply(self) -> Reply {
        let (status, kind, message) = self.words();
        let body = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"offline: {message}","param":null,"code":"{kind}"}}}}"#);
        Reply { status, content_type: "application/json", body: Body::Full(Bytes::from(body)) }
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
pub(super) fn refusal(parts: &Parts, port: u16, gate: &dyn Gate) -> Option<Refusal> {
    let headers = &parts.headers;
    if !loopback::names_us(parts, port) {
        return Some(Refusal::Host);
    }
    if loopback::from_page(headers) {
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
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    if upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return Some(Refusal::Upgrade);
    }
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Some(Refusal::Encoding);
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|value| value.parse::<u64>().ok());
    length.is_some_and(|length| length > BODY_LIMIT as u64).then_some(Refusal::TooLarge)
}

/// Every credential present must be admitted: agents may send one in two headers, and a second,
/// foreign one means the request was not made for this server.
fn admitted(headers: &HeaderMap, gate: &dyn Gate) -> bool {
    let mut tokens = loopback::tokens(headers).peekable();
    tokens.peek().is_some() && tokens.all(|token| token.is_some_and(|token| gate.admits(token)))
}
