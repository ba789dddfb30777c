//! The load: a closed loop of some connections that are kept, one request each at a time, on core 0.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::http::{Malformed, Reply};
use super::poll::{self, Got, Poll, now};
use super::wire::{DELTAS, Marks};
use crate::outcome::Failure;

/// No reply for so long is a failure, not a slow proxy.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Load<'a> {
    pub(super) port: u16,
    pub(super) request: &'a [u8],
    pub(super) connections: usize,
    pub(super) until: Until,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Until {
    Time(Duration),
    Requests(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A reply is good when its status is.
    Plain,
    /// A reply is good when every delta came.
    Stream,
    /// The client is gone, with a reset, after the first byte of the body, and comes back on a new connection.
    Abort,
}

/// Nanoseconds, sorted.
#[derive(Clone, Default)]
pub(super) struct Spread(Vec<u64>);

impl Spread {
    pub(super) fn new(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Microseconds at a rank from 0 to 100; `None` of nothing.
    pub(super) fn micros(&self, percent: usize) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        self.0.get((last * percent).div_ceil(100)).map(|time| *time as f64 / 1000.0)
    }
}

/// What the load saw.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) requests: usize,
    pub(super) failed: usize,
    /// Why the first of the failed ones did.
    pub(super) why: Option<String>,
    pub(super) deltas: usize,
    /// From the first request to the last reply.
    pub(super) seconds: f64,
    pub(super) latency: Spread,
    pub(super) first_byte: Spread,
    pub(super) delay: Spread,
}

struct Connection {
    socket: TcpStream,
    reply: Reply,
    marks: Marks,
    sent: u64,
    /// Of the request, what the socket did not take yet begins here.
    written: usize,
    first: Option<u64>,
    /// The begin of a reply that is no success.
    said: Vec<u8>,
}

struct Runner<'a> {
    load: &'a Load<'a>,
    poll: Poll,
    connections: Vec<Option<Connection>>,
    seen: Seen,
    latency: Vec<u64>,
    first: Vec<u64>,
    delay: Vec<u64>,
    started: usize,
    begun: u64,
}

pub(super) fn run(load: &Load) -> Result<Seen, Failure> {
    let poll = Poll::new().map_err(|err| Failure::new(format!("cannot poll: {err}")))?;
    let mut runner = Runner {
        load,
        poll,
        connections: Vec::new(),
        seen: Seen::default(),
        latency: Vec::new(),
        first: Vec::new(),
        delay: Vec::new(),
        started: 0,
        begun: now(),
    };
    runner.all().map_err(|err| Failure::new(format!("the load ended early: {err}")))?;
    let Runner { mut seen, latency, first, delay, begun, .. } = runner;
    seen.seconds = (now() - begun) as f64 / 1e9;
    (seen.latency, seen.first_byte, seen.delay) = (Spread::new(latency), Spread::new(first), Spread::new(delay));
    Ok(seen)
}

impl Runner<'_> {
    fn all(&mut self) -> io::Result<()> {
        for key in 0..self.load.connections {
            self.connections.push(None);
            self.open(key)?;
        }
        let (mut keys, mut buffer) = (VecDeque::new(), vec![0; 256 * 1024]);
        let mut heard = now();
        while self.connections.iter().any(Option::is_some) {
            self.poll.wait(Some(PATIENCE), &mut keys)?;
            if !keys.is_empty() {
                heard = now();
            } else if u128::from(now() - heard) >= PATIENCE.as_nanos() {
                return Err(io::Error::other(format!("nothing came for {} s", PATIENCE.as_secs())));
            }
            while let Some(key) = keys.pop_front() {
                self.visit(key, &mut buffer)?;
            }
        }
        Ok(())
    }

    /// Connects and asks, if there is something left to ask.
    fn open(&mut self, key: usize) -> io::Result<()> {
        if !self.more() {
            return Ok(());
        }
        let socket = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.load.port)))?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        self.poll.add(&socket, key)?;
        let mut new =
            Connection { socket, reply: Reply::default(), marks: Marks::default(), sent: 0, written: 0, first: None, said: Vec::new() };
        self.started += 1;
        new.ask(self.load.request)?;
        self.connections[key] = Some(new);
        Ok(())
    }

    fn more(&self) -> bool {
        match self.load.until {
            Until::Time(limit) => u128::from(now() - self.begun) < limit.as_nanos(),
            Until::Requests(limit) => self.started < limit,
        }
    }

    fn visit(&mut self, key: usize, buffer: &mut [u8]) -> io::Result<()> {
        let Some(mut connection) = self.connections.get_mut(key).and_then(Option::take) else { return Ok(()) };
        let mut broken = connection.push(self.load.request).err().map(|err| err.to_string());
        while broken.is_none() {
            match poll::read(&connection.socket, buffer) {
                Got::Bytes(count) => {
                    broken = self.take(&mut connection, &buffer[..count]).err().map(|Malformed(why)| why);
                    if broken.is_none() && self.load.kind == Kind::Abort && connection.first.is_some() {
                        return self.abort(connection, key);
                    }
                    if connection.reply.done() {
                        self.note(&connection);
                        if !self.more() {
                            return Ok(());
                        }
                        self.started += 1;
                        broken = connection.ask(self.load.request).err().map(|err| err.to_string());
                    }
                    if count < buffer.len() {
                        break;
                    }
                }
                Got::Nothing => break,
                Got::Closed => broken = Some("the connection was closed before the reply ended".into()),
            }
        }
        let Some(why) = broken else {
            self.connections[key] = Some(connection);
            return Ok(());
        };
        self.fail(why);
        // A proxy that refuses everything must not keep the bench busy for ever.
        if self.seen.failed > 1000 {
            return Err(io::Error::other(format!("too many failed: {}", self.seen.why.as_deref().unwrap_or_default())));
        }
        self.open(key)
    }

    fn take(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<(), Malformed> {
        let at = now();
        let Connection { reply, marks, first, said, .. } = connection;
        let delay = &mut self.delay;
        let mut saw = false;
        let fed = reply.feed(bytes, |body| {
            saw = true;
            marks.feed(body, |moment| delay.push(at.saturating_sub(moment)));
            if said.len() < 300 {
                said.extend_from_slice(&body[..body.len().min(300)]);
            }
        });
        if saw {
            first.get_or_insert(at);
        }
        fed
    }

    /// A reply is whole.
    fn note(&mut self, connection: &Connection) {
        let (at, sent) = (now(), connection.sent);
        let deltas = connection.marks.count;
        if connection.reply.status != 200 {
            let said = String::from_utf8_lossy(&connection.said).into_owned();
            return self.fail(format!("HTTP {}: {said}", connection.reply.status));
        }
        if self.load.kind == Kind::Stream && deltas != DELTAS {
            return self.fail(format!("a stream of {deltas} deltas, not {DELTAS}"));
        }
        self.seen.requests += 1;
        self.seen.deltas += deltas;
        self.latency.push(at - sent);
        self.first.push(connection.first.unwrap_or(at) - sent);
    }

    fn abort(&mut self, connection: Connection, key: usize) -> io::Result<()> {
        set_socket_linger(&connection.socket, Some(Duration::ZERO))?;
        if connection.reply.status == 200 {
            self.seen.requests += 1;
        } else {
            self.fail(format!("HTTP {}", connection.reply.status));
        }
        drop(connection);
        self.open(key)
    }

    fn fail(&mut self, why: String) {
        self.seen.failed += 1;
        self.seen.why.get_or_insert(why);
    }
}

impl Connection {
    fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.reply.reset();
        self.said.clear();
        (self.marks, self.first, self.written) = (Marks::default(), None, 0);
        self.sent = now();
        self.push(request)
    }

    fn push(&mut self, request: &[u8]) -> io::Result<()> {
        if self.written < request.len() {
            self.written += poll::write(&self.socket, &request[self.written..])?;
        }
        Ok(())
    }
}

/// One request on a connection of its own; status and body.
pub(super) fn ask_once(port: u16, request: &[u8], limit: Duration) -> io::Result<(u16, Vec<u8>)> {
    let mut socket = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), limit)?;
    socket.set_read_timeout(Some(limit))?;
    socket.write_all(request)?;
    let (mut reply, mut body, mut buffer) = (Reply::default(), Vec::new(), [0; 16 * 1024]);
    while !reply.done() {
        let count = socket.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reply.feed(&buffer[..count], |bytes| body.extend_from_slice(bytes)).map_err(|Malformed(why)| io::Error::other(why))?;
    }
    Ok((reply.status, body))
}

#[cfg(test)]
mod tests {
    use super::super::mock;
    use super::super::wire::{Format, SAID};
    use super::*;

    fn request(path: &str, body: &str) -> Vec<u8> {
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[test]
    fn load_and_mock_understand_each_other() {
        let port = mock::start().unwrap();
        for format in [Format::Anthropic, Format::Chat, Format::Responses, Format::Gemini] {
            for (model, kind) in [("json", Kind::Plain), ("burst", Kind::Stream), ("blob", Kind::Stream), ("burst", Kind::Abort)] {
                let stream = kind != Kind::Plain;
                let request = request(&format.path(model, stream), &format.small_request(model, stream));
                let load = Load { port, request: &request, connections: 4, until: Until::Requests(20), kind };
                let seen = run(&load).unwrap();
                assert_eq!((seen.requests, seen.failed, seen.why), (20, 0, None), "{format:?} {model}");
                assert_eq!(seen.deltas, if kind == Kind::Stream { 20 * DELTAS } else { 0 });
            }
        }
        let request = request("/v1/messages", "{}");
        let (status, body) = ask_once(port, &request, Duration::from_secs(5)).unwrap();
        assert!(status == 200 && String::from_utf8(body).unwrap().contains(SAID));
    }

    #[test]
    fn a_paced_stream_is_paced() {
        let port = mock::start().unwrap();
        let request = request("/v1/chat/completions", &Format::Chat.small_request("paced", true));
        let load = Load { port, request: &request, connections: 3, until: Until::Requests(3), kind: Kind::Stream };
        let seen = run(&load).unwrap();
        assert_eq!((seen.requests, seen.deltas), (3, 3 * DELTAS));
        assert!(seen.seconds >= 0.99, "{}", seen.seconds);
        assert!(seen.first_byte.micros(50) < seen.latency.micros(50));
    }

    #[test]
    fn ranks() {
        let spread = Spread::new(vec![3000, 1000, 2000]);
        assert_eq!((spread.micros(0), spread.micros(50), spread.micros(100)), (Some(1.0), Some(2.0), Some(3.0)));
        assert_eq!(Spread::default().micros(50), None);
    }
}
