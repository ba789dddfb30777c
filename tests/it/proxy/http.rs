//! The plainest client there is: it shows every byte.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::engine::CLIENT_KEY;

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// Sends a request and leaves the reply to be read.
pub fn open(url: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let host = if headers.contains("host:") { String::new() } else { format!("host: {address}\r\n") };
    write!(stream, "{method} {path} HTTP/1.1\r\n{host}{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len()).unwrap();
    // An upstream or a guard may answer before it has read all.
    let _ = stream.write_all(body);
    stream
}

pub fn read(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A guard that answers early may reset the connection behind its answer.
    if let Err(e) = stream.read_to_end(&mut bytes) {
        assert!(!bytes.is_empty(), "{e}");
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status: {head}"));
    let body = if head.to_lowercase().contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() };
    Reply { status, head: head.to_owned(), body }
}

fn unchunked(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        out.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").unwrap_or_default();
    }
    out
}

/// As a client with the right key.
pub fn post(url: &str, path: &str, body: &str) -> Reply {
    read(open(url, "POST", path, &format!("authorization: Bearer {CLIENT_KEY}\r\nanthropic-version: 2023-06-01\r\n"), body.as_bytes()))
}

pub fn get(url: &str, path: &str) -> Reply {
    read(open(url, "GET", path, &format!("authorization: Bearer {CLIENT_KEY}\r\n"), b""))
}

/// A question in Anthropic's words.
pub fn question(model: &str, stream: bool) -> String {
    format!(r#"{{"model":"{model}","max_tokens":64,"stream":{stream},"messages":[{{"role":"user","content":"hello"}}]}}"#)
}
