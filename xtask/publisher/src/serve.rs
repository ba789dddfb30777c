//! `serve`: a registry on loopback, for trials. Any server of plain files does it elsewhere.

use std::{convert::Infallible, io::Write, net::Ipv4Addr, path::PathBuf, sync::Arc};

use argh::FromArgs;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

use crate::Outcome;

#[derive(FromArgs)]
/// Serve a registry on loopback until interrupted.
#[argh(subcommand, name = "serve")]
pub(crate) struct Serve {
    /// directory of the registry
    #[argh(positional)]
    dir: PathBuf,
    /// port (default: one that is free)
    #[argh(option, default = "0")]
    port: u16,
}

impl Serve {
    pub fn run(self) -> Outcome {
        let dir = self.dir.canonicalize().map_err(|e| format!("{}: {e}", self.dir.display()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let listener =
                tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.map_err(|e| format!("port {}: {e}", self.port))?;
            println!("http://{}", listener.local_addr().map_err(|e| e.to_string())?);
            let _ = std::io::stdout().flush();
            let dir = Arc::new(dir);
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let dir = Arc::clone(&dir);
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let dir = Arc::clone(&dir);
                        async move { Ok::<_, Infallible>(answer(&dir, &request)) }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        })
    }
}

fn answer(dir: &std::path::Path, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let status = |code: StatusCode| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = code;
        response
    };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = request.uri().path().trim_start_matches('/');
    let Ok(file) = dir.join(path).canonicalize() else { return status(StatusCode::NOT_FOUND) };
    let Some(content) = file.starts_with(dir).then(|| std::fs::read(&file).ok()).flatten() else { return status(StatusCode::NOT_FOUND) };
    let etag = format!("\"{}\"", &blake3::hash(&content).to_hex()[..32]);
    println!("{} /{path}", request.method());
    let mut response = if request.headers().get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == etag.as_bytes()) {
        status(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(Full::from(content))
    };
    if let Ok(value) = etag.parse() {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
