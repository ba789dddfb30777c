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
use hyper::StatusCode;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::providers::offline::{self, Body, Reply};

mod gate;

use gate::{Refusal, refusal};

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
    let server = Arc::new(Server { port: address.port(), gate, observer });
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

    async fn handle(&self, request: hyper::Request<Incoming>) -> Result<hyper::Response<Outgoing>, Infallible> {
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let answer =
        tokio::task::spawn_blocking(move || offline::answer(&offline::Request { method: method.as_str(), path: &path, body: &body, now }));
    answer.await.unwrap_or_else(|error| {
        tracing::error!(%error, "offline provider could not make an answer");
        Refusal::Failed.reply()
    })
}

fn response(reply: Reply) -> hyper::Response<Outgoing> {
    let body = match reply.body {
        Body::Full(bytes) => Outgoing { chunks: VecDeque::from([bytes]), stream: false, flush: false },
        Body::Events(frames) => Outgoing { chunks: frames.into(), stream: true, flush: false },
    };
    let mut response = hyper::Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
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

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
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
mod tests;
