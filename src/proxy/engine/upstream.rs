//! Connections to upstreams: two pools, one of which speaks TLS and is made when it is first needed.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use super::life::BUFFER;

/// Connections nobody uses are closed after this.
const IDLE: Duration = Duration::from_secs(90);

pub(super) struct Upstream {
    plain: Client<HttpConnector, Pieces>,
    tls: OnceLock<Result<Client<HttpsConnector<HttpConnector>, Pieces>, String>>,
    connect: Duration,
}

impl Upstream {
    pub(super) fn new(connect: Duration) -> Self {
        Self { plain: builder().build(connector(connect)), tls: OnceLock::new(), connect }
    }

    /// Sends a request to an absolute address.
    pub(super) async fn send(&self, request: Request<Pieces>) -> Result<Response<Incoming>, Trouble> {
        if request.uri().scheme() == Some(&hyper::http::uri::Scheme::HTTP) {
            return self.plain.request(request).await.map_err(Trouble::Connection);
        }
        let tls = self.tls.get_or_init(|| self.secure());
        match tls {
            Ok(client) => client.request(request).await.map_err(Trouble::Connection),
            Err(problem) => Err(Trouble::Tls(problem.clone())),
        }
    }

    fn secure(&self) -> Result<Client<HttpsConnector<HttpConnector>, Pieces>, String> {
        let mut http = connector(self.connect);
        http.enforce_http(false);
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_platform_verifier();
        Ok(builder().build(https.https_only().enable_http1().wrap_connector(http)))
    }
}

fn connector(limit: Duration) -> HttpConnector {
    let mut http = HttpConnector::new();
    // Without this a small body waits for the other side's acknowledgement.
    http.set_nodelay(true);
    http.set_connect_timeout(Some(limit));
    http.set_keepalive(Some(Duration::from_secs(60)));
    http
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(64).http1_max_buf_size(BUFFER);
    builder
}

/// Why no answer came.
#[derive(Debug)]
pub(super) enum Trouble {
    Connection(Error),
    Tls(String),
}

impl Trouble {
    /// For the client: never more than what kind of trouble it is.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Connection(e) if e.is_connect() => format!("the upstream cannot be reached: {}", root(e)),
            Self::Connection(e) => format!("the connection to the upstream broke: {}", root(e)),
            Self::Tls(problem) => format!("no secure connection can be made: {problem}"),
        }
    }
}

fn root(e: &dyn std::error::Error) -> String {
    let mut cause = e;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A request's body in a few pieces, so that one value in the middle can change without a copy.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    pub(super) fn of(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self(pieces.into_iter().filter(|p| !p.is_empty()).collect())
    }

    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|p| p.len() as u64).sum()
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(bytes: Vec<u8>) -> Self {
        Self::of([Bytes::from(bytes)])
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len())
    }
}
