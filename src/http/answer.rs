//! A request for the API: found in the table, made a call, answered by the router.

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};

use super::{
    body::{Reply, json},
    route::Route,
};
use crate::{
    base::error::{Error, Result},
    router::{Router, SPOKEN, VERSION},
    wire::{
        Call, Effect,
        envelope::Request,
        error::{Code, Failure},
        http::Failed,
    },
};

/// How a failure is told in HTTP's own terms. Programs decide by the code in the body.
fn status(code: Code) -> u16 {
    match code {
        Code::Usage | Code::InvalidInput | Code::Protocol => 400,
        Code::Refused => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Conflict => 409,
        Code::Unsupported | Code::Script => 422,
        Code::Unreachable => 502,
        Code::SecretsUnavailable => 503,
        Code::Corrupt | Code::Io | Code::Defect | Code::Unknown => 500,
    }
}

pub(super) fn failed(error: impl Into<Failure>) -> Reply {
    let error = error.into();
    json(status(error.code), serde_json::to_vec(&Failed { error }).unwrap_or_default())
}

/// The id of a request that must run once; a client that wants to send it again gives one.
pub(super) fn request_id(route: &Route, headers: &HeaderMap) -> Result<String> {
    if route.effect != Effect::Once {
        return Ok(String::new());
    }
    let mut keys = headers.get_all("idempotency-key").iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(uuid::Uuid::new_v4().to_string()),
        (Some(key), None) => {
            let plain =
                |key: &&str| (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            let key = key.to_str().ok().filter(plain);
            key.map(str::to_owned)
                .ok_or_else(|| Error::invalid("Idempotency-Key has at most 128 letters, digits, dots, dashes and underscores"))
        }
        _ => Err(Error::invalid("Idempotency-Key is given twice")),
    }
}

/// May block.
pub(super) fn call(router: &Router, route: &Route, values: &[&str], query: Option<&str>, bytes: &[u8], id: String) -> Reply {
    if router.too_many_parts(bytes) {
        return failed(Error::invalid("the message has too many parts"));
    }
    let body = match route.body(values, query, bytes) {
        Ok(body) => body,
        Err(error) => return failed(error),
    };
    let request =
        Request { protocol: *SPOKEN, version: VERSION.into(), id, call: route.call.into(), body, caller: (*router.stand_in()).clone() };
    match router.reply(request) {
        Ok(bytes) => json(200, bytes),
        Err(failure) => failed(failure),
    }
}

/// A call of our own. May block.
pub(super) fn ask<C: Call>(router: &Router, call: &C) -> std::result::Result<C::Reply, Failure> {
    let wrong = |e: serde_json::Error| Failure::from(Error::defect(format!("{} cannot be encoded", C::NAME)).cause(e));
    let body = serde_json::to_value(call).map_err(wrong)?;
    let request = Request {
        protocol: *SPOKEN,
        version: VERSION.into(),
        id: String::new(),
        call: C::NAME.into(),
        body,
        caller: (*router.stand_in()).clone(),
    };
    serde_json::from_slice(&router.reply(request)?).map_err(wrong)
}

pub(super) fn allow(methods: &[hyper::Method], mut reply: Reply) -> Reply {
    let names: Vec<&str> = methods.iter().map(|m| m.as_str()).collect();
    if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
        reply.headers_mut().insert(header::ALLOW, value);
    }
    reply
}

/// Made once: it only changes with the program.
pub(super) fn document() -> Bytes {
    static DOCUMENT: std::sync::LazyLock<Bytes> =
        std::sync::LazyLock::new(|| serde_json::to_vec(&super::schema::openapi()).unwrap_or_default().into());
    DOCUMENT.clone()
}
