//! `GET /health` of an engine.

use std::{collections::BTreeMap, io, net::Ipv4Addr, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::wire::metrics::Spread;

/// More than an answer ever has.
const MAX_ANSWER: u64 = 256 << 10;

/// The part of the answer that matters here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Health {
    #[serde(default)]
    pub pid: Option<u32>,
    /// blake3 of the file in force, hex.
    #[serde(default)]
    pub config: Option<String>,
    /// Why the file on disk is not the one in force.
    #[serde(default)]
    pub config_error: Option<String>,
    /// How long requests took, by outcome.
    #[serde(default)]
    pub times: BTreeMap<String, Spread>,
}

/// Asks until the limit. A port whose process does not accept yet keeps the question waiting.
pub(super) async fn ask(port: u16, limit: Duration) -> io::Result<Health> {
    match tokio::time::timeout(limit, question(port)).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
    }
}

async fn question(port: u16) -> io::Result<Health> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(format!("GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    if !answer.starts_with(b"HTTP/1.1 200") && !answer.starts_with(b"HTTP/1.0 200") {
        return Err(io::Error::other("it does not say that it is well"));
    }
    // An engine of other make may say so in other words, or in none.
    let (from, to) = (answer.iter().position(|b| *b == b'{'), answer.iter().rposition(|b| *b == b'}'));
    let body = from.zip(to).and_then(|(from, to)| answer.get(from..=to)).unwrap_or_default();
    Ok(serde_json::from_slice(body).unwrap_or_default())
}
