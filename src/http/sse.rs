//! `/api/v1/events`: live events as a stream that a browser's `EventSource`, or curl, reads.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{Response, header, header::HeaderValue, http::request::Parts};
use tokio::sync::{mpsc, watch};

use super::{
    body::{Body, Reply},
    events::{Feed, Next},
    server::stopped,
};
use crate::{
    app::App,
    base::error::{Error, Result},
    wire::http::Seen,
};

/// What may wait for a reader that does not read; the bus keeps the rest, and tells it what it missed.
const WAITING: usize = 16;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `?topics=profile/,session/` (absent: all), and `Last-Event-ID: EPOCH:SEQ` to go on after an event. The task that sends
/// holds `held`.
pub(super) fn open(parts: &Parts, app: &Arc<App>, mut stop: watch::Receiver<bool>, held: impl Send + 'static) -> Result<Reply> {
    let mut topics = Vec::new();
    for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "topics" => topics.extend(value.split(',').map(str::to_owned)),
            _ => return Err(Error::invalid(format!("events have no parameter {name:?}")).hint("use topics, with commas between")),
        }
    }
    if topics.is_empty() {
        topics.push(String::new());
    }
    let after = parts.headers.get("last-event-id").map(seen).transpose()?;
    let mut feed = Feed::open(app, topics, after.as_ref());
    let (sender, stream) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _held = held;
        // So that the reader's end of the headers comes at once.
        let mut text = Bytes::from_static(b": clown\n\n");
        loop {
            if sender.send(text).await.is_err() {
                return;
            }
            text = tokio::select! {
                next = feed.next() => match frame(next) {
                    Some(text) => text,
                    None => return,
                },
                () = tokio::time::sleep(KEEP_ALIVE) => Bytes::from_static(b":\n\n"),
                () = sender.closed() => return,
                () = stopped(&mut stop) => return,
            };
        }
    });
    let mut reply = Response::new(Body::Stream(stream));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(reply)
}

fn seen(value: &HeaderValue) -> Result<Seen> {
    let parsed = value.to_str().ok().and_then(|v| v.rsplit_once(':')).and_then(|(epoch, seq)| Some((epoch.to_owned(), seq.parse().ok()?)));
    let (epoch, seq) = parsed.ok_or_else(|| Error::invalid("Last-Event-ID is not EPOCH:SEQ"))?;
    Ok(Seen { epoch, seq })
}

/// A `resync` has the number of the newest event, so that a reader goes on from there.
fn frame(next: Next) -> Option<Bytes> {
    let text = match next {
        Next::Event(event) => format!("id: {}:{}\ndata: {}\n\n", event.epoch, event.seq, serde_json::to_string(&event).ok()?),
        Next::Missed(newest) => {
            format!("id: {}:{}\nevent: resync\ndata: {}\n\n", newest.epoch, newest.seq, serde_json::to_string(&newest).ok()?)
        }
        Next::Closed => return None,
    };
    Some(text.into())
}
