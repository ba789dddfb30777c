//! Peers of the daemon that are not clown: raw bytes on its sockets, and calls made by hand.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use clown::ipc::sp;
use serde_json::{Value, json};

use super::home::TestHome;

/// Sockets of the running daemon, from `daemon-endpoint`.
pub struct Endpoint {
    pub calls: PathBuf,
    pub events: PathBuf,
    pub pid: u32,
}

impl Endpoint {
    pub fn of(home: &TestHome) -> Self {
        let bytes = std::fs::read(home.root().join("daemon-endpoint")).expect("a daemon has written daemon-endpoint");
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        let path = |key: &str| PathBuf::from(file[key].as_str().unwrap().strip_prefix("ipc://").unwrap());
        Self { calls: path("ipc"), events: path("events"), pid: file["pid"].as_u64().unwrap() as u32 }
    }
}

/// A connection after its handshake.
pub struct Peer {
    pub stream: UnixStream,
    next: u32,
}

impl Peer {
    /// As a REQ client.
    pub fn calls(socket: &Path) -> Self {
        Self::greeted(socket, sp::REQ, sp::REP)
    }

    /// As a SUB client.
    pub fn events(socket: &Path) -> Self {
        Self::greeted(socket, sp::SUB, sp::PUB)
    }

    fn greeted(socket: &Path, ours: u16, theirs: u16) -> Self {
        let mut stream = raw(socket);
        sp::greet(&mut stream, ours, theirs).unwrap();
        Self { stream, next: 0 }
    }

    /// Sends a request body and gives the request id it went under.
    pub fn send(&mut self, body: &[u8]) -> io::Result<u32> {
        self.next += 1;
        let id = self.next | 1 << 31;
        sp::write_message(&mut self.stream, &[&id.to_be_bytes(), body])?;
        Ok(id)
    }

    pub fn receive(&mut self) -> io::Result<(u32, Vec<u8>)> {
        let mut message = sp::read_message(&mut self.stream, 2 << 20)?;
        let body = message.split_off(sp::REQUEST_ID);
        Ok((u32::from_be_bytes(message.try_into().unwrap()), body))
    }

    /// One request and its answer document.
    pub fn ask(&mut self, request: &Value) -> Value {
        let id = self.send(request.to_string().as_bytes()).unwrap();
        let (answered, body) = self.receive().unwrap();
        assert_eq!(answered, id);
        serde_json::from_slice(&body).unwrap()
    }

    /// Whether the daemon closed the connection; whatever it sent before is dropped.
    pub fn is_closed(&mut self) -> bool {
        let mut sink = [0; 4096];
        loop {
            match self.stream.read(&mut sink) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(e) => return e.kind() == io::ErrorKind::ConnectionReset,
            }
        }
    }
}

/// A bare connection whose reads give up long before a test hangs.
pub fn raw(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Sends what the peer takes; it may close before the end.
pub fn push(stream: &mut UnixStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// A request document of this protocol.
pub fn request(call: &str, id: &str, body: Value) -> Value {
    json!({ "protocol": clown::wire::PROTOCOL, "version": "0", "id": id, "call": call, "body": body })
}
