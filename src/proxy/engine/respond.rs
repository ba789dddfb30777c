//! Heads of replies.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};

use super::{fail::Failure, reply::Reply};
use crate::{proxy::stream::event::ErrorKind, wire::manifest::Format};

/// An upstream's headers that are of its connection, or not for a client on this machine.
const NOT_OURS: &[HeaderName] = &[
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::SET_COOKIE,
    header::ALT_SVC,
    header::STRICT_TRANSPORT_SECURITY,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
];
/// What a client of another format can use as well.
const ADVICE: &[&str] = &["retry-after", "retry-after-ms", "x-should-retry", "request-id", "x-request-id"];

pub(super) fn strip(headers: &mut HeaderMap) {
    NOT_OURS.iter().for_each(|name| {
        headers.remove(name);
    });
    headers.remove("keep-alive");
}

pub(super) fn copy_advice(from: &HeaderMap, to: &mut HeaderMap) {
    for name in ADVICE {
        if let Some(value) = from.get(*name) {
            to.insert(HeaderName::from_static(name), value.clone());
        }
    }
}

pub(super) fn is_stream(headers: &HeaderMap) -> bool {
    content_type(headers).starts_with("text/event-stream")
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers).starts_with("application/json")
}

/// A login page, a block page, a start page: never a model's answer.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    content_type(headers).starts_with("text/html")
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::trim_start).unwrap_or_default()
}

/// The upstream's own id of a request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["request-id", "x-request-id"].iter().find_map(|n| headers.get(*n)?.to_str().ok()).map(str::to_owned)
}

pub(super) fn failure(format: Format, failure: &Failure) -> Response<Reply> {
    let (status, body) = failure.body(format);
    json(status, body, &HeaderMap::new())
}

/// An upstream's error as it is.
pub(super) fn verbatim(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply::full(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers.clone();
    strip(response.headers_mut());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

pub(super) fn json(status: u16, body: impl Into<Bytes>, advice: &HeaderMap) -> Response<Reply> {
    let mut response = Response::new(Reply::full(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    copy_advice(advice, response.headers_mut());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(super) fn event_stream(body: Reply, advice: &HeaderMap) -> Response<Reply> {
    let mut response = Response::new(body);
    copy_advice(advice, response.headers_mut());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Status for a reply that turned out to be an error.
pub(super) fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Invalid => 400,
        ErrorKind::Authentication => 401,
        ErrorKind::RateLimit => 429,
        ErrorKind::Overloaded => 529,
        ErrorKind::Broken => 502,
        ErrorKind::Api => 500,
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
