//! The listener, its connections, and the way of a request.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    Method, Request,
    body::{Body as _, Incoming},
    header::{self, HeaderMap, HeaderValue},
    http::request::Parts,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use super::{
    answer, assets,
    auth::Keys,
    body::{Reply, harden, json, refused, whole},
    gate::{self, Area, Refusal},
    house::{House, Seat},
    metrics,
    route::{BASE, Found, Route, find},
    routes::ROUTES,
    sse, ws,
};
use crate::{
    base::{
        error::{Error, Result},
        loopback,
    },
    router::Router,
    wire::{self, MAX_MESSAGE, http::Login},
};

/// Also ends connections that stay idle this long; clients open a new one.
const HEADER_TIME: Duration = Duration::from_secs(10);
const BODY_TIME: Duration = Duration::from_secs(10);
const HEADER_BYTES: usize = 16 << 10;
const HEADERS: usize = 64;
const LOGIN_BYTES: usize = 1 << 10;
/// Calls at work at once; each may have a thread and a body in memory.
const CALLS: usize = 128;
/// A failed accept (out of file descriptors) does not clear at once; do not spin on it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Makes a guard that keeps the daemon alive, for what is named.
pub type Guard = Arc<dyn Fn(&'static str) -> Box<dyn Send> + Send + Sync>;

/// What is served, and for whom.
pub struct Site {
    pub router: Arc<Router>,
    pub keys: Arc<Keys>,
    pub guard: Guard,
    pub stop: watch::Receiver<bool>,
}

pub struct Server {
    pub address: SocketAddr,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

/// Binds at the port, or another one when it is taken; 0 is any.
///
/// # Errors
/// When the address is none of loopback: other machines would need TLS, which there is none of here.
pub fn bind(address: IpAddr, port: u16) -> Result<TcpListener> {
    if !address.is_loopback() {
        return Err(loopback::beyond(address));
    }
    let listener = match TcpListener::bind((address, port)) {
        Err(e) if port != 0 && e.kind() == std::io::ErrorKind::AddrInUse => TcpListener::bind((address, 0)),
        other => other,
    };
    let failed = |e| Error::io(format!("cannot listen at {address}")).cause(e);
    let listener = listener.map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

impl Server {
    /// Serves until told to stop. Call within the runtime.
    pub fn open(listener: TcpListener, site: Site) -> Result<Self> {
        let failed = |e| Error::io("the HTTP listener cannot be served").cause(e);
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let serving = Arc::new(Serving { site, port: address.port(), calls: Semaphore::new(CALLS) });
        let accepting = tokio::spawn(accept(listener, serving));
        Ok(Self { address, accepting: Mutex::new(Some(accepting)) })
    }

    /// Returns when no more connections are taken, after the word to stop.
    pub async fn refuse(&self) {
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = accepting {
            let _ = task.await;
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, serving: Arc<Serving>) {
    let house = Arc::new(House::default());
    let mut stop = serving.site.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // Nobody waits when the house is full.
                if let Some(seat) = house.enter() {
                    tokio::spawn(Arc::clone(&serving).connection(stream, Arc::new(seat)));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "an HTTP connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits for the word to stop. A sender that is gone means the same.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

struct Serving {
    site: Site,
    port: u16,
    calls: Semaphore,
}

impl Serving {
    async fn connection(self: Arc<Self>, stream: TcpStream, seat: Arc<Seat>) {
        let _ = stream.set_nodelay(true);
        let mut stop = self.site.stop.clone();
        let service = service_fn(|request| {
            let (serving, seat) = (Arc::clone(&self), Arc::clone(&seat));
            async move {
                let mut reply = serving.reply(&seat, request).await;
                harden(reply.headers_mut());
                Ok::<_, Infallible>(reply)
            }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES).max_headers(HEADERS);
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = seat.cut() => return,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP connection ended early");
        }
    }

    async fn reply(&self, seat: &Arc<Seat>, request: Request<Incoming>) -> Reply {
        let path = request.uri().path();
        let area = match path {
            "/healthz" => Area::Open,
            LOGIN => Area::Login,
            path if assets::has(path) => Area::Open,
            _ => Area::Closed,
        };
        let (parts, body) = request.into_parts();
        if let Some(refusal) = gate::refusal(&parts, self.port, area, &self.site.keys) {
            return hang_up(refused(refusal), &body);
        }
        if area == Area::Closed {
            seat.prove();
        }
        match self.answer(&parts, body, seat).await {
            Ok(reply) => reply,
            // What is left of the body is nobody's business any more.
            Err((refusal, unread)) => {
                let mut reply = refused(refusal);
                if unread {
                    reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                reply
            }
        }
    }

    async fn answer(&self, parts: &Parts, body: Incoming, seat: &Arc<Seat>) -> Result<Reply, (Refusal, bool)> {
        let (path, method) = (parts.uri.path(), &parts.method);
        let Some(methods) = fixed(path) else { return self.api(parts, body).await };
        if !methods.contains(method) {
            return Ok(hang_up(answer::allow(methods, refused(Refusal::Method)), &body));
        }
        if *method != Method::POST && !body.is_end_stream() {
            return Err((Refusal::NoBody, true));
        }
        match path {
            "/healthz" => Ok(json(200, r#"{"status":"ok"}"#)),
            METRICS => self.metrics().await,
            LOGIN => self.log_in(&parts.headers, body).await,
            LOGOUT => {
                let bytes = self.read(&parts.headers, body, LOGIN_BYTES).await?;
                if !serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok_and(|body| body.is_empty()) {
                    return Ok(answer::failed(Error::invalid("the body is not {}")));
                }
                Ok(with_cookie(&self.site.keys.log_out(&parts.headers)))
            }
            ws::PATH => Ok(self.web_socket(parts, body, seat)),
            EVENTS => {
                let held = ((self.site.guard)("event subscriber"), Arc::clone(seat));
                Ok(sse::open(parts, self.site.router.app(), self.site.stop.clone(), held).unwrap_or_else(answer::failed))
            }
            OPENAPI => Ok(json(200, answer::document())),
            _ => assets::reply(path, method, &parts.headers).ok_or((Refusal::NotFound, false)),
        }
    }

    async fn api(&self, parts: &Parts, body: Incoming) -> Result<Reply, (Refusal, bool)> {
        let unread = !body.is_end_stream();
        let below = parts.uri.path().strip_prefix(BASE).ok_or((Refusal::NotFound, unread))?;
        let (route, values) = match find(&ROUTES, &parts.method, below) {
            Found::Route(route, values) => (route, values),
            Found::Methods(methods) => return Ok(hang_up(answer::allow(&methods, refused(Refusal::Method)), &body)),
            Found::Nothing => return Err((Refusal::NotFound, unread)),
        };
        if unread && !route.has_body() {
            return Err((Refusal::NoBody, true));
        }
        let permit = tokio::time::timeout(BODY_TIME, self.calls.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return Err((Refusal::Busy, unread)) };
        let _guard = (self.site.guard)("request");
        let bytes = if route.has_body() { self.read(&parts.headers, body, MAX_MESSAGE).await? } else { Bytes::new() };
        let id = match answer::request_id(route, &parts.headers) {
            Ok(id) => id,
            Err(error) => return Ok(answer::failed(error)),
        };
        Ok(self.run(route, values, parts.uri.query(), bytes, id).await)
    }

    async fn run(&self, route: &'static Route, values: Vec<&str>, query: Option<&str>, bytes: Bytes, id: String) -> Reply {
        if route.quick {
            return answer::call(&self.site.router, route, &values, query, &bytes, id);
        }
        let router = Arc::clone(&self.site.router);
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        let query = query.map(str::to_owned);
        let work = tokio::task::spawn_blocking(move || {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            answer::call(&router, route, &values, query.as_deref(), &bytes, id)
        });
        work.await.unwrap_or_else(|_| answer::failed(Error::defect(format!("a defect in clown stopped {}", route.call))))
    }

    async fn metrics(&self) -> Result<Reply, (Refusal, bool)> {
        let permit = tokio::time::timeout(BODY_TIME, self.calls.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return Err((Refusal::Busy, false)) };
        let _guard = (self.site.guard)("request");
        let router = Arc::clone(&self.site.router);
        let work = tokio::task::spawn_blocking(move || answer::ask(&router, &wire::metrics::Ask {}));
        Ok(match work.await {
            Ok(Ok(figures)) => whole(200, metrics::TYPE, metrics::text(&figures)),
            Ok(Err(failure)) => answer::failed(failure),
            Err(_) => answer::failed(Error::defect("a defect in clown stopped /metrics")),
        })
    }

    async fn log_in(&self, headers: &HeaderMap, body: Incoming) -> Result<Reply, (Refusal, bool)> {
        let bytes = self.read(headers, body, LOGIN_BYTES).await?;
        let Ok(login) = serde_json::from_slice::<Login>(&bytes) else {
            return Ok(answer::failed(Error::invalid("the body is not {\"token\": \"...\"}")));
        };
        Ok(match self.site.keys.log_in(&login.token) {
            Some(Ok(line)) => with_cookie(&line),
            Some(Err(error)) => answer::failed(error),
            None => refused(Refusal::Token),
        })
    }

    fn web_socket(&self, parts: &Parts, body: Incoming, seat: &Arc<Seat>) -> Reply {
        // The parts carry what the upgrade needs.
        let request = Request::from_parts(parts.clone(), body);
        let held = ((self.site.guard)("event subscriber"), Arc::clone(seat));
        ws::open(request, Arc::clone(self.site.router.app()), self.site.stop.clone(), held)
    }

    async fn read(&self, headers: &HeaderMap, body: Incoming, limit: usize) -> Result<Bytes, (Refusal, bool)> {
        if let Some(refusal) = gate::body_refusal(headers, limit) {
            return Err((refusal, true));
        }
        match tokio::time::timeout(BODY_TIME, Limited::new(body, limit).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err((Refusal::TooLarge, true)),
            Ok(Err(_)) => Err((Refusal::Broken, true)),
            Err(_) => Err((Refusal::Slow, true)),
        }
    }
}

const LOGIN: &str = "/api/v1/login";
const METRICS: &str = "/metrics";
const LOGOUT: &str = "/api/v1/logout";
const EVENTS: &str = "/api/v1/events";
const OPENAPI: &str = "/api/v1/openapi.json";

/// Methods of what is no call; `None` for every other address.
fn fixed(path: &str) -> Option<&'static [Method]> {
    Some(match path {
        "/healthz" | METRICS | ws::PATH | EVENTS | OPENAPI => &[Method::GET],
        LOGIN | LOGOUT => &[Method::POST],
        path if assets::has(path) => &[Method::GET, Method::HEAD],
        _ => return None,
    })
}

/// A body that was not read would be taken for the next request.
fn hang_up(mut reply: Reply, body: &Incoming) -> Reply {
    if !body.is_end_stream() {
        reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    reply
}

fn with_cookie(line: &str) -> Reply {
    let mut reply = whole(204, "", Bytes::new());
    if let Ok(line) = HeaderValue::from_str(line) {
        reply.headers_mut().insert(header::SET_COOKIE, line);
    }
    reply
}
