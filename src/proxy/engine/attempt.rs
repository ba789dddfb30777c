//! One client's request, sent to one target after another until one answers.
//!
//! Another is asked only before the first useful byte: after 402, 429, 5xx, a connection that fails, a
//! silence, or a stream whose first event is an error. Behind that byte nothing is ever sent again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Incoming},
    header,
};

use super::{
    answer::Answered,
    decode::Decoder,
    fail::{self, Failure},
    meter::{Failed, Measure, Outcome},
    outgoing::{self, Call},
    reply::Reply,
    respond, rest,
    state::Engine,
};
use crate::{
    proxy::{
        route::{Key, Pick, Table, Target},
        stream::convert::Extra,
        translate::request::Request,
    },
    wire::manifest::Format,
};

/// An upstream's error is short.
const ERROR_MOST: usize = 1 << 20;
const ERROR_TIME: Duration = Duration::from_secs(10);

/// Everything that one request's attempts share.
pub(super) struct Attempts<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) table: &'a Arc<Table>,
    pub(super) call: &'a Call,
    /// Read when some target speaks another format.
    pub(super) request: Option<&'a Request<'a>>,
    pub(super) extra: Extra,
    /// Only the number of tokens is asked for.
    pub(super) count: bool,
}

/// A target with one of its keys.
#[derive(Clone, Debug)]
struct Try {
    pick: Pick,
    key: Option<usize>,
}

/// How an attempt ended that may be followed by another.
pub(super) enum Refused {
    /// In our words.
    Ours(Failure),
    /// In the upstream's.
    Theirs { status: StatusCode, headers: HeaderMap, body: Bytes, format: Format },
}

impl Attempts<'_> {
    pub(super) async fn run(&self, picks: &[Pick], affinity: &str, mut measure: Measure) -> Response<Reply> {
        let tries = self.order(picks, affinity);
        let mut last = None;
        for (n, attempt) in tries.iter().enumerate() {
            let Some(target) = self.table.targets.get(attempt.pick.target) else { continue };
            let key = attempt.key.and_then(|k| target.keys.get(k));
            let more = n + 1 < tries.len();
            // Of several, one that is being probed is left alone.
            let now = Instant::now();
            if more && !target.health.admit(now) {
                continue;
            }
            if more && !key.is_none_or(|k| k.health.admit(now)) {
                target.health.released();
                continue;
            }
            let others = tries.get(n + 1..).unwrap_or_default().iter().any(|t| t.pick.target == attempt.pick.target);
            match self.one(target, attempt, key, Chances { more, more_keys: others }, measure).await {
                Ok(response) => return response,
                Err((refused, back)) => {
                    measure = back;
                    let why = match &refused {
                        Refused::Ours(failure) => failure.message.clone(),
                        Refused::Theirs { status, .. } => status.as_u16().to_string(),
                    };
                    tracing::warn!(target_name = %target.name, why, "an upstream failed");
                    measure.record.failed.push(Failed { target: target.name.clone(), why });
                    last = Some(refused);
                }
            }
        }
        let refused = last.unwrap_or_else(|| Refused::Ours(Failure::new(503, "every upstream for this model is resting after failures")));
        self.refuse(refused, measure)
    }

    /// All targets with all their keys; those that rest come last, the soonest to be back first.
    fn order(&self, picks: &[Pick], affinity: &str) -> Vec<Try> {
        let now = Instant::now();
        let mut tries = Vec::new();
        for pick in picks {
            let Some(target) = self.table.targets.get(pick.target) else { continue };
            if target.keys.is_empty() {
                tries.push(Try { pick: pick.clone(), key: None });
            }
            let first = self.engine.turn(affinity, target.keys.len());
            for n in 0..target.keys.len() {
                tries.push(Try { pick: pick.clone(), key: Some((first + n) % target.keys.len()) });
            }
        }
        if tries.len() > 1 {
            tries.sort_by_key(|t| {
                let target = self.table.targets.get(t.pick.target);
                let key = t.key.and_then(|k| target?.keys.get(k));
                target.map_or(Duration::ZERO, |t| t.health.rest(now)).max(key.map_or(Duration::ZERO, |k| k.health.rest(now)))
            });
        }
        tries
    }

    async fn one(
        &self,
        target: &Target,
        attempt: &Try,
        key: Option<&Key>,
        chances: Chances,
        mut measure: Measure,
    ) -> Result<Response<Reply>, (Refused, Measure)> {
        let model = attempt.pick.model.as_deref();
        measure.price = target.price;
        measure.record.outbound = Some(target.format);
        measure.record.target.clone_from(&target.name);
        model.unwrap_or(&self.call.model).clone_into(&mut measure.record.upstream_model);
        let same = target.format == self.call.kind.format;
        let out = match self.request {
            Some(request) if !same => outgoing::translated(self.call, request, target, model.unwrap_or(&self.call.model)),
            _ => outgoing::pass(self.call, target, model, self.count),
        };
        let request = match out.request(self.call, target, key) {
            Ok(request) => request,
            Err(failure) => return Err((Refused::Ours(failure), measure)),
        };
        let times = &self.table.times;
        let asked = Instant::now();
        let answer = tokio::time::timeout(times.request.min(times.idle), self.engine.upstream.send(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(trouble)) => {
                target.health.failed(Instant::now(), times.cooldown);
                return Err((Refused::Ours(Failure::new(502, format!("{}: {}", target.name, trouble.words()))), measure));
            }
            Err(_) => {
                target.health.failed(Instant::now(), times.cooldown);
                let words = format!("{}: no answer within {} s", target.name, times.request.min(times.idle).as_secs());
                return Err((Refused::Ours(Failure::new(504, words)), measure));
            }
        };
        let status = response.status();
        measure.record.request = respond::request_id(response.headers());
        if !status.is_success() {
            return self.refused(target, key, chances, response, measure).await;
        }
        if respond::is_page(response.headers()) {
            target.health.failed(Instant::now(), times.cooldown);
            let words = format!("{}: a web page came instead of a model's answer", target.name);
            return Err((Refused::Ours(Failure::new(502, words)), measure));
        }
        target.health.succeeded(asked.elapsed());
        if let Some(key) = key {
            key.health.succeeded(asked.elapsed());
        }
        let answered = Answered { target, at: attempt.pick.target, more: chances.more, response };
        if same { self.pass(answered, measure).await } else { self.translate(answered, out, measure).await }
    }

    /// An error was the answer. Whether another is asked depends on what it says.
    async fn refused(
        &self,
        target: &Target,
        key: Option<&Key>,
        chances: Chances,
        response: Response<Incoming>,
        mut measure: Measure,
    ) -> Result<Response<Reply>, (Refused, Measure)> {
        let (status, format) = (response.status(), target.format);
        let (mut parts, body) = response.into_parts();
        let body = without_keys(read_error(body, &mut parts.headers).await, target);
        parts.headers.remove(header::CONTENT_LENGTH);
        let now = Instant::now();
        let cooldown = self.table.times.cooldown;
        let rest = rest::told(&parts.headers, &body).unwrap_or(cooldown).min(rest::MOST);
        let refused = Refused::Theirs { status, headers: parts.headers, body, format };
        match status.as_u16() {
            402 | 429 => {
                key.map_or(&target.health, |k| &k.health).failed(now, rest);
                target.health.released();
                Err((refused, measure))
            }
            500.. => {
                target.health.failed(now, rest);
                Err((refused, measure))
            }
            401 | 403 if chances.more_keys => {
                if let Some(key) = key {
                    key.health.failed(now, rest::MOST);
                }
                target.health.released();
                Err((refused, measure))
            }
            300..=399 => {
                target.health.released();
                let words = format!("{}: it points to another address ({status}), which is not followed with a key", target.name);
                Err((Refused::Ours(Failure::new(502, words)), measure))
            }
            _ => {
                // The request's own fault: no other target would like it better.
                target.health.released();
                if let Some(key) = key {
                    key.health.released();
                }
                measure.first_byte();
                Ok(self.refuse(refused, measure))
            }
        }
    }

    fn refuse(&self, refused: Refused, mut measure: Measure) -> Response<Reply> {
        measure.ended(Outcome::Error);
        let client = self.call.kind.format;
        let response = match refused {
            Refused::Ours(failure) => respond::failure(client, &failure),
            Refused::Theirs { status, headers, body, format } if format == client => respond::verbatim(status, &headers, body),
            Refused::Theirs { status, headers, body, .. } => {
                let failure = Failure::new(status.as_u16(), fail::message_of(&body, status.as_u16()));
                let mut response = respond::failure(client, &failure);
                respond::copy_advice(&headers, response.headers_mut());
                response
            }
        };
        measure.record.status = response.status().as_u16();
        response
    }

    pub(super) fn bad_start(&self, target: &Target, failure: Failure, measure: Measure) -> (Refused, Measure) {
        target.health.failed(Instant::now(), self.table.times.cooldown);
        (Refused::Ours(Failure::new(failure.status, format!("{}: {}", target.name, failure.message))), measure)
    }
}

/// Whether there is anybody else to ask.
#[derive(Clone, Copy)]
struct Chances {
    more: bool,
    /// Another key of the same target.
    more_keys: bool,
}

/// What there is of an error's body, readable.
async fn read_error(mut body: Incoming, headers: &mut HeaderMap) -> Bytes {
    let mut whole = BytesMut::new();
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            whole.extend_from_slice(&frame.into_data().unwrap_or_default());
            if whole.len() > ERROR_MOST {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(ERROR_TIME, read).await;
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok());
    if let Ok(Some(decoder)) = Decoder::of(encoding)
        && let Ok(plain) = decoder.whole(&whole)
    {
        headers.remove(header::CONTENT_ENCODING);
        return plain.into();
    }
    whole.freeze()
}

/// Some upstreams repeat what they were sent.
fn without_keys(body: Bytes, target: &Target) -> Bytes {
    let mut clean = body;
    for key in &target.keys {
        let key = key.secret.expose().as_bytes();
        while let Some(at) = memchr::memmem::find(&clean, key) {
            let (head, tail) = (clean.slice(..at), clean.slice(at + key.len()..));
            clean = [&head, &b"[key]"[..], &tail].concat().into();
        }
    }
    clean
}

const _: fn() = || {
    // Bodies move between tasks.
    fn sendable<T: Send + Body>() {}
    sendable::<Reply>();
};
