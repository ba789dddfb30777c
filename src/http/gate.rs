//! Decided on the head of a request, before anything else is done with it. Refusals are constant.

use hyper::{
    Method,
    header::{self, HeaderMap},
    http::request::Parts,
};

use super::auth::{Keys, Proof};
use crate::base::loopback;

/// Why a request is not served. Each has one status and one body: they tell a stranger nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Host,
    Page,
    Token,
    Override,
    Framing,
    Upgrade,
    NoBody,
    Type,
    Encoding,
    TooLarge,
    Slow,
    Broken,
    NotFound,
    Method,
    Busy,
}

impl Refusal {
    #[rustfmt::skip] // one line each: a table
    pub(super) fn words(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Host => (421, "refused", "clown answers only to its own loopback address"),
            Self::Page => (403, "refused", "requests of other pages are refused"),
            Self::Token => (401, "refused", "a token or a login is needed: clown ui"),
            Self::Override => (400, "invalid_input", "a request is what its method says"),
            Self::Framing => (400, "invalid_input", "the length of the body is said in two ways"),
            Self::Upgrade => (400, "invalid_input", "there is nothing to upgrade to here"),
            Self::NoBody => (400, "invalid_input", "this method has no body"),
            Self::Type => (415, "invalid_input", "send content-type: application/json"),
            Self::Encoding => (415, "invalid_input", "send the body without a content-encoding"),
            Self::TooLarge => (413, "invalid_input", "the body is larger than 1 MiB"),
            Self::Slow => (408, "invalid_input", "the body did not arrive in time"),
            Self::Broken => (400, "invalid_input", "the body could not be read"),
            Self::NotFound => (404, "not_found", "there is nothing at this address"),
            Self::Method => (405, "invalid_input", "this address does not know the method"),
            Self::Busy => (503, "conflict", "too many requests at once"),
        }
    }

    /// The texts hold nothing that JSON would escape.
    pub(super) fn body(self) -> String {
        let (_, code, message) = self.words();
        format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#)
    }
}

/// What is asked for, as far as it decides who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    /// Files of the UI, and whether the daemon is there: no secret, no state.
    Open,
    /// Buys a cookie: its body is the proof.
    Login,
    /// Everything else.
    Closed,
}

/// Asked of every request, whatever it asks for.
pub(super) fn refusal(parts: &Parts, port: u16, area: Area, keys: &Keys) -> Option<Refusal> {
    if !loopback::names_us(parts, port) {
        return Some(Refusal::Host);
    }
    let Some(page) = page(&parts.headers) else { return Some(Refusal::Page) };
    if area == Area::Closed {
        match keys.proof(&parts.headers) {
            None => return Some(Refusal::Token),
            Some(Proof::Token) => {}
            // A browser sends a cookie by itself: only our own page may have caused it.
            Some(Proof::Cookie) if page == Page::Ours || (page == Page::Site && plain(&parts.method) && !upgrades(&parts.headers)) => {}
            Some(Proof::Cookie) => return Some(Refusal::Page),
        }
    }
    let overrides = ["x-http-method-override", "x-http-method", "x-method-override"];
    if overrides.iter().any(|name| parts.headers.contains_key(*name)) {
        return Some(Refusal::Override);
    }
    if parts.headers.contains_key(header::TRANSFER_ENCODING) && parts.headers.contains_key(header::CONTENT_LENGTH) {
        return Some(Refusal::Framing);
    }
    (parts.headers.contains_key(header::UPGRADE) && parts.uri.path() != super::ws::PATH).then_some(Refusal::Upgrade)
}

/// Asked once it is known that the method takes a body.
pub(super) fn body_refusal(headers: &HeaderMap, limit: usize) -> Option<Refusal> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else { return Some(Refusal::Type) };
    let (kind, rest) = given.to_str().map(|t| t.split_once(';').unwrap_or((t, ""))).unwrap_or_default();
    let charset = rest.trim();
    if !kind.trim().eq_ignore_ascii_case("application/json") || !(charset.is_empty() || charset.eq_ignore_ascii_case("charset=utf-8")) {
        return Some(Refusal::Type);
    }
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Some(Refusal::Encoding);
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    length.is_some_and(|length| length > limit as u64).then_some(Refusal::TooLarge)
}

/// Which page a request comes from, as its browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// The origin is the very address that was asked.
    Ours,
    /// The browser says so without naming an origin, as it does for plain reads.
    Site,
    /// No page at all: a program, or an address that somebody typed.
    None,
}

/// `None`: another page's.
fn page(headers: &HeaderMap) -> Option<Page> {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let site = match (sites.next(), sites.next()) {
        (None, _) => None,
        (Some(site), None) if site == "same-origin" || site == "none" => Some(site == "same-origin"),
        _ => return None,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => Some(if site == Some(true) { Page::Site } else { Page::None }),
        (Some(origin), None) => {
            let host = headers.get(header::HOST)?.to_str().ok()?;
            let named = origin.to_str().ok()?.strip_prefix("http://")?;
            named.eq_ignore_ascii_case(host).then_some(Page::Ours)
        }
        _ => None,
    }
}

fn plain(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn upgrades(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}
