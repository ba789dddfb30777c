//! The upstream that every way of this bench ends at: one thread on core 0, answers ready-made.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::http::{Request, find};
use super::poll::{self, Got, Poll, now, stay_on};
use super::wire::{Answer, DELTAS, Format, stamp};
use crate::outcome::Failure;

/// Between two deltas of a paced stream.
const PACE: u64 = 5_000_000;
/// Streams that begin together do not tick together: each has another place within the pace.
const SPREAD: u64 = 625_000;

const LISTENER: usize = usize::MAX;

/// Starts it; the port it listens on. It serves until this process ends.
pub(super) fn start() -> Result<u16, Failure> {
    let broken = |err: io::Error| Failure::new(format!("cannot start the mock upstream: {err}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(broken)?;
    listener.set_nonblocking(true).map_err(broken)?;
    let port = listener.local_addr().map_err(broken)?.port();
    let poll = Poll::new().map_err(broken)?;
    poll.add(&listener, LISTENER).map_err(broken)?;
    let mut mock = Mock {
        listener,
        poll,
        answers: Answers::new(),
        connections: Vec::new(),
        free: Vec::new(),
        due: BinaryHeap::new(),
        bursts: VecDeque::new(),
    };
    thread::spawn(move || {
        // Whether core 0 is to be had, the thread of the load will say.
        let _ = stay_on(0);
        if let Err(err) = mock.serve() {
            eprintln!("    the mock upstream ended: {err}");
        }
    });
    Ok(port)
}

struct Connection {
    socket: TcpStream,
    input: Vec<u8>,
    /// What the socket did not take yet.
    output: Vec<u8>,
    stream: Option<Stream>,
    /// Tells this connection from an earlier one at the same place.
    turn: u64,
}

/// A stream under way.
struct Stream {
    format: Format,
    paced: bool,
    sent: usize,
    /// Known to the clock, or among the bursts.
    waits: bool,
}

struct Mock {
    listener: TcpListener,
    poll: Poll,
    answers: Answers,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// When a paced stream goes on: moment, place, turn.
    due: BinaryHeap<Reverse<(u64, usize, u64)>>,
    /// Bursts under way: place, turn. They take turns, a delta each, so that a proxy finds many streams with little to read.
    bursts: VecDeque<(usize, u64)>,
}

impl Mock {
    fn serve(&mut self) -> io::Result<()> {
        let (mut keys, mut buffer, mut turn) = (VecDeque::new(), vec![0; 256 * 1024], 0);
        loop {
            let limit = self.due.peek().map(|Reverse((moment, ..))| Duration::from_nanos(moment.saturating_sub(now())));
            self.poll.wait(if self.bursts.is_empty() { limit } else { Some(Duration::ZERO) }, &mut keys)?;
            while let Some(key) = keys.pop_front() {
                if key == LISTENER {
                    self.accept(&mut turn);
                } else {
                    self.visit(key, &mut buffer);
                }
            }
            for _ in 0..self.bursts.len() {
                self.burst();
            }
            while let Some(&Reverse((moment, key, turn))) = self.due.peek() {
                if moment > now() {
                    break;
                }
                self.due.pop();
                if self.delta(key, turn) {
                    self.due.push(Reverse((moment + PACE, key, turn)));
                }
            }
        }
    }

    fn accept(&mut self, turn: &mut u64) {
        while let Ok((socket, _)) = self.listener.accept() {
            *turn += 1;
            let key = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let ready = socket.set_nonblocking(true).and_then(|()| socket.set_nodelay(true)).and_then(|()| self.poll.add(&socket, key));
            if ready.is_ok() {
                self.connections[key] = Some(Connection { socket, input: Vec::new(), output: Vec::new(), stream: None, turn: *turn });
            } else {
                self.free.push(key);
            }
        }
    }

    /// Something happened at a connection: finish writing, read, answer.
    fn visit(&mut self, key: usize, buffer: &mut [u8]) {
        let Some(connection) = self.connections.get_mut(key).and_then(Option::as_mut) else { return };
        let mut alive = connection.flush().is_ok();
        while alive {
            match poll::read(&connection.socket, buffer) {
                Got::Bytes(count) => {
                    connection.input.extend_from_slice(&buffer[..count]);
                    alive = connection.answer(&self.answers).is_ok();
                    // Less than there was room for: nothing is left to read.
                    if count < buffer.len() {
                        break;
                    }
                }
                Got::Nothing => break,
                Got::Closed => alive = false,
            }
        }
        if !alive {
            self.connections[key] = None;
            self.free.push(key);
        } else if let Some(new) = connection.stream.as_mut().filter(|stream| !stream.waits && connection.output.is_empty()) {
            new.waits = true;
            if new.paced {
                self.due.push(Reverse((now() + PACE + key as u64 % 8 * SPREAD, key, connection.turn)));
            } else {
                self.bursts.push_back((key, connection.turn));
            }
        }
    }

    /// One delta of the burst whose turn it is.
    fn burst(&mut self) {
        let Some((key, turn)) = self.bursts.pop_front() else { return };
        if self.delta(key, turn) {
            self.bursts.push_back((key, turn));
        }
    }

    /// Sends a delta, of a burst only if the socket is not full; whether the next is to be sent in its turn.
    fn delta(&mut self, key: usize, turn: u64) -> bool {
        let place = self.connections.get_mut(key);
        let Some(connection) = place.and_then(Option::as_mut).filter(|connection| connection.turn == turn) else { return false };
        if !connection.output.is_empty()
            && let Some(stream) = connection.stream.as_mut().filter(|stream| !stream.paced)
        {
            // Back among the bursts when the socket takes more.
            stream.waits = false;
            return false;
        }
        connection.delta(&self.answers).unwrap_or_else(|_| {
            self.connections[key] = None;
            self.free.push(key);
            false
        })
    }
}

impl Connection {
    fn flush(&mut self) -> io::Result<()> {
        let written = poll::write(&self.socket, &self.output)?;
        self.output.drain(..written);
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.output.is_empty() {
            let written = poll::write(&self.socket, bytes)?;
            self.output.extend_from_slice(&bytes[written..]);
        } else {
            self.output.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Answers every whole request that is there.
    fn answer(&mut self, answers: &Answers) -> io::Result<()> {
        let input = std::mem::take(&mut self.input);
        let mut done = 0;
        while let Some(request) = Request::read(&input[done..]) {
            done += request.len();
            let path = request.path();
            match Format::of(path) {
                None => self.send(&answers.empty)?,
                Some(format) => {
                    let answer = Answer::of(model(path, request.body).unwrap_or_default());
                    match answer {
                        Answer::Json => self.send(answers.json(format))?,
                        Answer::Blob => self.send(&answers.blob(format))?,
                        Answer::Burst | Answer::Paced => {
                            self.send(&answers.of(format).opening)?;
                            self.stream = Some(Stream { format, paced: answer == Answer::Paced, sent: 0, waits: false });
                        }
                    }
                }
            }
        }
        self.input = input;
        self.input.drain(..done);
        Ok(())
    }

    /// Sends the next delta of the stream; whether there is another.
    fn delta(&mut self, answers: &Answers) -> io::Result<bool> {
        let Some(stream) = &mut self.stream else { return Ok(false) };
        stream.sent += 1;
        let prepared = answers.of(stream.format);
        let last = stream.sent >= DELTAS;
        let mut delta = prepared.delta.clone();
        stamp(&mut delta, prepared.stamp, now());
        self.send(&delta)?;
        if last {
            self.stream = None;
            self.send(&prepared.closing)?;
        }
        Ok(!last)
    }
}

/// The answers of one format, framed for the wire.
struct Prepared {
    json: Vec<u8>,
    opening: Vec<u8>,
    delta: Vec<u8>,
    /// Where the digits of the mark begin in `delta`.
    stamp: usize,
    closing: Vec<u8>,
}

struct Answers {
    formats: [(Format, Prepared); 4],
    /// To a question about health, models and the like.
    empty: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        let prepared = [Format::Anthropic, Format::Chat, Format::Responses, Format::Gemini].map(|format| (format, Prepared::new(format)));
        Self { formats: prepared, empty: json("{\"data\":[],\"input_tokens\":25}") }
    }

    fn of(&self, format: Format) -> &Prepared {
        let [first, ..] = &self.formats;
        &self.formats.iter().find(|(other, _)| *other == format).unwrap_or(first).1
    }

    fn json(&self, format: Format) -> &[u8] {
        &self.of(format).json
    }

    fn blob(&self, format: Format) -> Vec<u8> {
        let prepared = self.of(format);
        let mut all = prepared.opening.clone();
        let mut delta = prepared.delta.clone();
        let first = now();
        for place in 0..DELTAS {
            stamp(&mut delta, prepared.stamp, first + place as u64);
            all.extend_from_slice(&delta);
        }
        all.extend_from_slice(&prepared.closing);
        all
    }
}

impl Prepared {
    fn new(format: Format) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut opening = head.as_bytes().to_vec();
        if !format.opening().is_empty() {
            opening.extend(chunk(format.opening().as_bytes()));
        }
        let (plain, at) = format.delta();
        let delta = chunk(&plain);
        let mut closing = chunk(format.closing().as_bytes());
        closing.extend_from_slice(b"0\r\n\r\n");
        // The frame before the content: its size and a line end.
        let stamp = at + delta.len() - plain.len() - 2;
        Self { json: json(&format.reply()), opening, delta, stamp, closing }
    }
}

fn json(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunk(body: &[u8]) -> Vec<u8> {
    let mut all = format!("{:x}\r\n", body.len()).into_bytes();
    all.extend_from_slice(body);
    all.extend_from_slice(b"\r\n");
    all
}

/// The model's name in a body, or in a path of Gemini's.
fn model<'a>(path: &'a [u8], body: &'a [u8]) -> Option<&'a [u8]> {
    if let Some(at) = find(path, b"/models/") {
        return path.get(at + 8..)?.split(|b| *b == b':').next();
    }
    let key = b"\"model\":";
    let mut rest = body;
    // A tool's schema may have a property of this name; its value is no text.
    while let Some(at) = find(rest, key) {
        rest = rest.get(at + key.len()..)?.trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"\"") {
            return value.split(|b| *b == b'"').next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_says_the_answer() {
        let body = br#"{"tools":[{"properties":{"model":{"type":"string"}}}],"model": "x-burst","text":"\"model\":\"no\""}"#;
        assert_eq!(model(b"/v1/messages", body), Some(&b"x-burst"[..]));
        assert_eq!(model(b"/v1beta/models/g-paced:streamGenerateContent", b"{}"), Some(&b"g-paced"[..]));
        assert_eq!(model(b"/v1/messages", b"{}"), None);
    }

    #[test]
    fn the_mark_goes_where_the_digits_are() {
        for (_, prepared) in Answers::new().formats {
            let mut delta = prepared.delta.clone();
            assert_eq!(delta[prepared.stamp - 1], b'@');
            stamp(&mut delta, prepared.stamp, 42);
            assert!(String::from_utf8(delta).unwrap().contains("@0000000000000000042 some"));
        }
    }
}
