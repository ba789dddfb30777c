//! From a request's head to its reply.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response,
    body::{Body, Incoming},
    header,
    http::request::Parts,
};

use super::{
    attempt::Attempts,
    decode::{self, Decoder, TooMuch},
    fail::Failure,
    gate,
    inbound::{self, Ask, Kind},
    log,
    meter::{Measure, Outcome},
    models,
    outgoing::Call,
    reply::Reply,
    respond,
    state::Engine,
};
use crate::{
    proxy::{
        condition::Facts,
        config::Strategy,
        route::{self, Choice, Ground, Table},
        stream::{convert::Extra, write_gemini},
    },
    wire::manifest::Format,
};

/// A body that stops halfway must not hold a connection for ever.
const BODY_TIME: Duration = Duration::from_secs(60);

pub(super) async fn handle(engine: Arc<Engine>, request: Request<Incoming>) -> Result<Response<Reply>, Infallible> {
    let (parts, body) = request.into_parts();
    let ask = inbound::ask(&parts);
    let format = format_of(&ask, &parts);
    if let Err(refusal) = gate::place(&parts, engine.port) {
        let (status, words) = refusal.words();
        return Ok(respond::failure(format, &Failure::new(status, words)));
    }
    match &ask {
        Ask::Hello => return Ok(Response::new(Reply::Full(None))),
        Ask::Health => return Ok(respond::json(200, engine.health().to_string(), &HeaderMap::new())),
        _ => {}
    }
    let table = engine.table();
    let session = match gate::session(&parts, &table.master) {
        Ok(session) => session,
        Err(refusal) => {
            let (status, words) = refusal.words();
            return Ok(respond::failure(format, &Failure::new(status, words)));
        }
    };
    Ok(match ask {
        Ask::Hello | Ask::Health => Response::new(Reply::Full(None)),
        Ask::WebSocket => respond::failure(format, &Failure::new(426, "web sockets are not served here: post the request")),
        Ask::Models(format) => respond::json(200, models::list(&table, format), &HeaderMap::new()),
        Ask::Spend => respond::json(200, engine.meter.analytics().to_string(), &HeaderMap::new()),
        Ask::Unknown => respond::failure(format, &Failure::new(404, format!("there is no {} {} here", parts.method, parts.uri.path()))),
        Ask::Count(kind) => answer(&engine, table, parts, body, kind, session, true).await,
        Ask::Generate(kind) => answer(&engine, table, parts, body, kind, session, false).await,
    })
}

/// In whose words an error is told.
fn format_of(ask: &Ask, parts: &Parts) -> Format {
    match ask {
        Ask::Generate(kind) | Ask::Count(kind) => kind.format,
        Ask::Models(format) => *format,
        _ if parts.headers.contains_key("anthropic-version") => Format::Anthropic,
        _ => Format::OpenaiChat,
    }
}

async fn answer(
    engine: &Arc<Engine>,
    table: Arc<Table>,
    parts: Parts,
    body: Incoming,
    kind: Kind,
    session: String,
    count: bool,
) -> Response<Reply> {
    let format = kind.format;
    let mut measure = Measure::new(&engine.meter, format, session);
    let refuse = |mut measure: Measure, failure: Failure| {
        measure.ended(Outcome::Error);
        measure.record.status = failure.status;
        respond::failure(format, &failure)
    };
    let body = match read(body, &parts.headers).await {
        Ok(body) => body,
        Err(failure) => return refuse(measure, failure),
    };
    let call = match Call::new(kind, parts, body) {
        Ok(call) => call,
        Err(failure) => return refuse(measure, failure),
    };
    measure.record.model.clone_from(&call.model);
    let logged = table.log_content.then(|| measure.record.id.clone());
    if let Some(id) = &logged {
        log::content(id, "request", &call.body);
    }
    let response = match route(engine, &table, &call, measure, count).await {
        Ok(response) => response,
        Err((measure, failure)) => refuse(measure, failure),
    };
    match logged {
        None => response,
        Some(id) => response.map(|reply| reply.logged(id)),
    }
}

async fn route(
    engine: &Arc<Engine>,
    table: &Arc<Table>,
    call: &Call,
    mut measure: Measure,
    count: bool,
) -> Result<Response<Reply>, (Measure, Failure)> {
    let estimate = route::estimate(call.body.len());
    let mut request = None;
    let facts = if table.needs_facts() {
        match call.read() {
            Ok(read) => {
                // Gemini says its model in the path.
                let facts = Facts { model: call.model.clone(), ..route::of_request(&read, call.body.len()) };
                request = Some(read);
                facts
            }
            Err(failure) => return Err((measure, failure)),
        }
    } else {
        Facts { model: call.model.clone(), tokens: estimate, ..Facts::default() }
    };
    let affinity = measure.record.session.clone();
    let lot = if affinity.is_empty() && table.strategy == Strategy::Weighted { engine.lot() } else { affinity.clone() };
    let Ok(Choice { rule, picks }) = table.choose(&facts, &Ground { affinity: &lot }) else {
        let known = table.models().join(", ");
        let words =
            format!("no model {:?} here: neither a target nor an alias has this name, and no rule holds; there are: {known}", call.model);
        return Err((measure, Failure::new(404, words)));
    };
    measure.record.rule = rule;
    let foreign = |pick: &route::Pick| table.targets.get(pick.target).is_some_and(|t| t.format != call.kind.format);
    if count {
        let own = picks.iter().filter(|p| !foreign(p) && call.kind.format == Format::Anthropic).cloned().collect::<Vec<_>>();
        if own.is_empty() {
            let tokens = if request.is_some() {
                facts.tokens
            } else {
                call.read().map_or(estimate, |r| route::of_request(&r, call.body.len()).tokens)
            };
            measure.ended(Outcome::Ok);
            measure.record.status = 200;
            let body = if call.kind.format == Format::Gemini {
                write_gemini::total_tokens(tokens)
            } else {
                format!("{{\"input_tokens\":{tokens}}}").into()
            };
            return Ok(respond::json(200, body, &HeaderMap::new()));
        }
        let attempts = Attempts { engine, table, call, request: None, extra: Extra::default(), count };
        return Ok(attempts.run(&own, &affinity, measure).await);
    }
    if request.is_none() && picks.iter().any(foreign) {
        match call.read() {
            Ok(read) => request = Some(read),
            Err(failure) => return Err((measure, failure)),
        }
    }
    let extra = if request.is_some() { call.extra(facts.tokens) } else { Extra::default() };
    let attempts = Attempts { engine, table, call, request: request.as_ref(), extra, count };
    Ok(attempts.run(&picks, &affinity, measure).await)
}

async fn read(mut body: Incoming, headers: &HeaderMap) -> Result<Bytes, Failure> {
    // A small body came with its head: no timer, no copy.
    if !headers.contains_key(header::CONTENT_ENCODING)
        && let Some(Some(Ok(frame))) = body.frame().now_or_never()
        && let Ok(data) = frame.into_data()
    {
        if body.is_end_stream() {
            return Ok(data);
        }
        return rest(data, body).await;
    }
    let bytes = rest(Bytes::new(), body).await?;
    match Decoder::of(headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok())) {
        Ok(None) => Ok(bytes),
        Ok(Some(decoder)) => decoder.whole(&bytes).map(Bytes::from).map_err(|e| match e {
            TooMuch::Large => Failure::new(413, TOO_LARGE),
            TooMuch::Broken => Failure::new(400, "the request's compressed body cannot be read"),
        }),
        Err(()) => {
            Err(Failure::new(415, "the request's body is compressed in a way that is not known here: use gzip, deflate, br or zstd"))
        }
    }
}

const TOO_LARGE: &str = "the request is larger than 64 MiB";

/// What follows the first piece, in one piece with it.
async fn rest(first: Bytes, mut body: Incoming) -> Result<Bytes, Failure> {
    let expected = body.size_hint().lower().min(decode::MOST as u64) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + expected);
    whole.extend_from_slice(&first);
    drop(first);
    let read = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::new(400, "the request's body ended in the middle"))?;
            whole.extend_from_slice(&frame.into_data().unwrap_or_default());
            if whole.len() > decode::MOST {
                return Err(Failure::new(413, TOO_LARGE));
            }
        }
        Ok(())
    };
    match tokio::time::timeout(BODY_TIME, read).await {
        Err(_) => Err(Failure::new(408, "the request's body did not come within a minute")),
        Ok(Err(failure)) => Err(failure),
        Ok(Ok(())) => Ok(whole.freeze()),
    }
}
