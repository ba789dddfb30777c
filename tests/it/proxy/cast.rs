//! A provider on loopback that speaks all four formats as their vendors do, and records.
//!
//! The model's name says what it replies: `SCENARIO` of `script` (`agent`: what `brain` makes of the request), and after a dot how:
//! `cutN` sends N bytes at a time, `stall` stops halfway, `drop` breaks the connection halfway,
//! `statusN` fails, `garbage` is no JSON, `type` calls it `text/plain`, `gzip` packs it, `afterN` is spent
//! for N seconds, `onlyKEY` is spent for every other key, `error` streams an error first, `page` is a web
//! page, `echo` refuses and repeats the credential.
//!
//! A metered one gives each answer an id and token counts of its own, and keeps the bill.

mod anthropic;
mod chat;
mod gemini;
mod gzip;
mod metered;
mod responses;

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{body::Frame, header, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;

pub use gzip::pack;
pub use metered::Served;

use super::{
    brain,
    script::{Format, Script, script},
};
use crate::support::Recorded;

pub struct Cast {
    pub port: u16,
    requests: Arc<Mutex<Vec<Recorded>>>,
    bill: metered::Bill,
    ended: Arc<AtomicUsize>,
    stop: tokio::sync::watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Cast {
    pub fn start() -> Self {
        Self::with(metered::Bill::default())
    }

    fn with(bill: metered::Bill) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let log = Arc::clone(&requests);
        let ended: Arc<AtomicUsize> = Arc::default();
        let gone = Arc::clone(&ended);
        let kept = bill.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, log, kept, gone, stopped));
        });
        Self { port, requests, bill, ended, stop, thread: Some(thread) }
    }

    /// Base URL as a provider's manifest has it: the OpenAI formats' includes `/v1`.
    pub fn url(&self, format: Format) -> String {
        let tail = if matches!(format, Format::Chat | Format::Responses) { "/v1" } else { "" };
        format!("http://127.0.0.1:{}{tail}", self.port)
    }

    /// Connections that are over.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// Since the last time.
    pub fn requests(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a vendor streams for a script.
pub fn stream(format: Format, script: &Script, model: &str) -> Vec<String> {
    match format {
        Format::Anthropic => anthropic::stream(script, model),
        Format::Chat => chat::stream(script, model, true),
        Format::Responses => responses::stream(script, model),
        Format::Gemini => gemini::stream(script, model),
    }
}

async fn serve(
    listener: std::net::TcpListener,
    log: Arc<Mutex<Vec<Recorded>>>,
    bill: metered::Bill,
    gone: Arc<AtomicUsize>,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            _ = stopped.changed() => return,
        };
        stream.set_nodelay(true).unwrap();
        let log = Arc::clone(&log);
        let bill = bill.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (log, bill) = (Arc::clone(&log), bill.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
                let headers =
                    parts.headers.iter().map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()));
                let request = Recorded {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: headers.collect(),
                    body,
                };
                let reply = reply(&request, &bill);
                log.lock().unwrap().push(request);
                Ok::<_, Infallible>(reply)
            }
        });
        let gone = Arc::clone(&gone);
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            gone.fetch_add(1, Ordering::SeqCst);
        });
    }
}

/// What is asked for: format, model, whether to stream.
fn asked(request: &Recorded) -> Option<(Format, String, bool)> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    // Below `/host/` a vendor's own path may stand before the format's.
    let path = match request.path.strip_prefix("/host/") {
        Some(own) => ["/v1/messages", "/chat/completions", "/responses", "/v1beta/models/"].iter().find_map(|end| {
            own.find(end).map(|at| if end.starts_with("/v1") { own[at..].to_owned() } else { format!("/v1{}", &own[at..]) })
        })?,
        None => request.path.clone(),
    };
    let format = match &*path {
        "/v1/messages" => Format::Anthropic,
        "/v1/chat/completions" => Format::Chat,
        "/v1/responses" => Format::Responses,
        path => {
            // Google's SDK takes either version.
            let rest = ["/v1beta/models/", "/v1/models/"].iter().find_map(|version| path.strip_prefix(version))?;
            let (model, method) = rest.split_once(':')?;
            return Some((Format::Gemini, model.to_owned(), method == "streamGenerateContent"));
        }
    };
    Some((format, body["model"].as_str()?.to_owned(), body["stream"] == true))
}

/// What the vendors refuse, as far as a proxy may get it wrong.
fn refusal(format: Format, request: &Recorded) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let has = |key: &str| body.get(key).is_some();
    match format {
        Format::Anthropic if request.header("anthropic-version").is_none() => Some("anthropic-version: header is required"),
        Format::Anthropic if !body["max_tokens"].is_u64() => Some("max_tokens: Field required"),
        Format::Anthropic | Format::Chat if !body["messages"].is_array() => Some("messages: Field required"),
        Format::Chat if has("stream_options") && body["stream"] != true => Some("stream_options is only allowed when stream is enabled"),
        Format::Responses if !has("input") => Some("Missing required parameter: 'input'."),
        Format::Gemini if !body["contents"].is_array() => Some("contents is not specified"),
        Format::Gemini if has("model") || has("stream") => Some("Invalid JSON payload received. Unknown name"),
        _ => None,
    }
}

fn reply(request: &Recorded, bill: &metered::Bill) -> hyper::Response<Pieces> {
    let Some((format, model, streamed)) = asked(request) else {
        return respond(404, "text/plain", vec![Bytes::from_static(b"no such thing here")], After::End);
    };
    let (name, manner) = model.split_once('.').filter(|_| !bill.is_kept()).unwrap_or((&model, ""));
    let fails = |status: Option<u16>, message: &str| {
        let (own, body) = match format {
            Format::Anthropic => anthropic::error(message),
            Format::Chat => chat::error(message),
            Format::Responses => responses::error(message),
            Format::Gemini => gemini::error(message),
        };
        respond(status.unwrap_or(own), "application/json", vec![body.to_string().into()], After::End)
    };
    if let Some(why) = refusal(format, request) {
        return fails(Some(400), why);
    }
    let known = if name == "agent" || bill.is_kept() { brain::script(format, &request.body) } else { script(name) };
    let Some(mut script) = known else { return fails(Some(404), "no such model") };
    if let Some(status) = manner.strip_prefix("status") {
        return fails(status.parse().ok(), "told to fail");
    }
    if !streamed && let Some(message) = script.failure {
        return fails(None, message);
    }
    bill.put_in(&mut script);
    let (kind, text) = body(format, &script, &model, streamed, request);
    let text = bill.keep(Served { id: String::new(), format, model: model.clone(), usage: script.usage, asked: request.clone() }, text);
    let bytes = Bytes::from(text);
    let half = bytes.len() / 2;
    let cut = |n: usize| bytes.chunks(n).map(Bytes::copy_from_slice).collect();
    if let Some(seconds) = manner.strip_prefix("after") {
        let mut response = fails(Some(429), "told to rest");
        response.headers_mut().insert(header::RETRY_AFTER, seconds.parse().unwrap());
        return response;
    }
    if let Some(key) = manner.strip_prefix("only")
        && !request.headers.iter().any(|(_, value)| value.ends_with(key))
    {
        return fails(Some(429), "this key is spent");
    }
    match manner {
        "" => respond(200, kind, vec![bytes], After::End),
        _ if manner.starts_with("only") => respond(200, kind, vec![bytes], After::End),
        "page" => respond(200, "text/html", vec![Bytes::from_static(b"<html>log in</html>")], After::End),
        "echo" => fails(Some(400), &format!("you sent {:?}", request.headers)),
        "error" => {
            let broken = Script { blocks: Vec::new(), failure: Some("fell over at once"), ..script };
            respond(200, kind, vec![Bytes::from(body(format, &broken, &model, streamed, request).1)], After::End)
        }
        "garbage" => respond(200, kind, vec![Bytes::from_static(b"data: <html>\n\n")], After::End),
        "type" => respond(200, "text/plain", vec![bytes], After::End),
        "stall" => respond(200, kind, vec![bytes.slice(..half)], After::Stall),
        "drop" => respond(200, kind, vec![bytes.slice(..half)], After::Drop),
        "gzip" => {
            let mut response = respond(200, kind, vec![gzip::pack(&bytes).into()], After::End);
            response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
            response
        }
        _ => match manner.strip_prefix("cut").and_then(|n| n.parse().ok()) {
            Some(n) => respond(200, kind, cut(n), After::End),
            None => fails(Some(404), "no such manner"),
        },
    }
}

/// Content type and body.
fn body(format: Format, script: &Script, model: &str, streamed: bool, request: &Recorded) -> (&'static str, String) {
    let with_usage = || serde_json::from_slice::<Value>(&request.body).unwrap()["stream_options"]["include_usage"] == true;
    match (format, streamed) {
        // Without this a stream is one array.
        (Format::Gemini, true) if !request.query.split('&').any(|q| q == "alt=sse") => {
            ("application/json; charset=UTF-8", serde_json::to_string(&gemini::chunks(script, model)).unwrap())
        }
        (Format::Chat, true) => ("text/event-stream; charset=utf-8", chat::stream(script, model, with_usage()).concat()),
        (_, true) => ("text/event-stream; charset=utf-8", stream(format, script, model).concat()),
        (Format::Anthropic, false) => ("application/json", anthropic::whole(script, model).to_string()),
        (Format::Chat, false) => ("application/json", chat::whole(script, model).to_string()),
        (Format::Responses, false) => ("application/json", responses::whole(script, model).to_string()),
        (Format::Gemini, false) => ("application/json; charset=UTF-8", format!("{:#}", gemini::whole(script, model))),
    }
}

fn respond(status: u16, kind: &'static str, pieces: Vec<Bytes>, after: After) -> hyper::Response<Pieces> {
    let body = Pieces { left: pieces.into(), after, flushed: true };
    hyper::Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(body).unwrap()
}

#[derive(Clone, Copy, Debug)]
enum After {
    End,
    Stall,
    Drop,
}

/// A body in pieces, each sent before the next is given.
struct Pieces {
    left: VecDeque<Bytes>,
    after: After,
    flushed: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !std::mem::replace(&mut self.flushed, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.flushed = false;
        match (self.left.pop_front(), self.after) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, After::End) => Poll::Ready(None),
            (None, After::Stall) => Poll::Pending,
            (None, After::Drop) => Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into()))),
        }
    }
}
