//! `/ws`: live events over a WebSocket. Texts are `wire::http::{ToServer, FromServer}`.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hyper::{
    body::Incoming,
    header::{self, HeaderMap, HeaderValue},
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use tokio::{sync::watch, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    body::{Reply, json, whole},
    events::{Feed, Next},
    server::stopped,
};
use crate::{
    app::App,
    wire::{
        error::{Code, Failure},
        http::{Failed, FromServer, Seen, ToServer},
    },
};

pub(super) const PATH: &str = "/ws";

/// What a client sends is a subscription.
const MOST_IN: usize = 16 << 10;
/// What may wait for a client that does not read, besides the events it will be told it missed.
const MOST_OUT: usize = 64 << 10;
/// For each idle client; the library's own choice is 128 KiB.
const BUFFER: usize = 2 << 10;
const PING: Duration = Duration::from_secs(20);
/// A client that neither reads nor answers is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers the request for an upgrade; the client is served by a task of its own, which holds `held`.
pub(super) fn open(mut request: hyper::Request<Incoming>, app: Arc<App>, stop: watch::Receiver<bool>, held: impl Send + 'static) -> Reply {
    let Some(key) = handshake(request.headers()) else {
        let failure = Failure::new(Code::InvalidInput, "this address speaks WebSocket, version 13");
        let body = serde_json::to_vec(&Failed { error: failure }).unwrap_or_default();
        let mut reply = json(426, body);
        reply.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        reply.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return reply;
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let _held = held;
        let Ok(stream) = upgrade.await else { return };
        let limits = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MOST_OUT)
            .max_message_size(Some(MOST_IN))
            .max_frame_size(Some(MOST_IN));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(limits)).await;
        Client { socket, feed: None, app, heard: Instant::now() }.serve(stop).await;
    });
    let mut reply = whole(101, "", &[][..]);
    let headers = reply.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    reply
}

/// The key of a request that asks for a WebSocket as it must.
fn handshake(headers: &HeaderMap) -> Option<HeaderValue> {
    let named = |name: header::HeaderName, word: &str| {
        let lists = headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
        lists.flat_map(|l| l.split(',')).any(|w| w.trim().eq_ignore_ascii_case(word))
    };
    let right = named(header::UPGRADE, "websocket") && named(header::CONNECTION, "upgrade") && named(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|k| k.len() == 24)?;
    right.then(|| key.clone())
}

struct Client {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    /// Absent until it subscribes.
    feed: Option<Feed>,
    app: Arc<App>,
    heard: Instant,
}

/// The connection is of no more use.
struct Gone;

impl Client {
    async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        let hello = Seen { epoch: self.app.bus.epoch().to_owned(), seq: self.app.bus.newest() };
        if self.say(&FromServer::Hello(hello)).await.is_err() {
            return;
        }
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        loop {
            let step = tokio::select! {
                next = next(&mut self.feed) => self.pass(next).await,
                text = self.socket.next() => self.hear(text).await,
                _ = ping.tick() => self.probe().await,
                () = stopped(&mut stop) => {
                    self.close(CloseCode::Away, "the daemon ends").await;
                    Err(Gone)
                }
            };
            if step.is_err() {
                return;
            }
        }
    }

    async fn pass(&mut self, next: Next) -> Result<(), Gone> {
        match next {
            Next::Event(event) => self.say(&FromServer::Event(event)).await,
            Next::Missed(newest) => self.say(&FromServer::Resync(newest)).await,
            Next::Closed => Err(Gone),
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Result<(), Gone> {
        self.heard = Instant::now();
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            // Pings are answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => {
                self.close(CloseCode::Unsupported, "texts only").await;
                return Err(Gone);
            }
            Some(Err(tokio_tungstenite::tungstenite::Error::Capacity(_))) => {
                self.close(CloseCode::Size, "the text is too large").await;
                return Err(Gone);
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
        };
        match serde_json::from_str(&text) {
            Ok(ToServer::Ping {}) => self.say(&FromServer::Pong).await,
            Ok(ToServer::Subscribe { topics, after }) => {
                let feed = Feed::open(&self.app, topics, after.as_ref());
                let seen = feed.seen();
                self.feed = Some(feed);
                self.say(&FromServer::Subscribed(seen)).await
            }
            Err(e) => {
                let message = format!("this is neither subscribe nor ping: line {}, column {}", e.line(), e.column());
                self.say(&FromServer::Error { message }).await
            }
        }
    }

    async fn probe(&mut self) -> Result<(), Gone> {
        if self.heard.elapsed() > 3 * PING {
            return Err(Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    async fn say(&mut self, what: &FromServer) -> Result<(), Gone> {
        let text = serde_json::to_string(what).map_err(|_| Gone)?;
        self.send(Message::text(text)).await
    }

    /// Meanwhile its events wait on the bus, which keeps a bounded number of them for everybody.
    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }

    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(Some(frame))).await;
    }
}

async fn next(feed: &mut Option<Feed>) -> Next {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
