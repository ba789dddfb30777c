//! A reply's body on its way to the client: passing through, or translated as it comes.
//!
//! A piece goes on as soon as it is there. Whatever happens after the first piece, the request is not
//! sent again; a stream that breaks ends with an error in the client's own words.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::body::{Body, Incoming, SizeHint};
use tokio::{sync::watch, time::Sleep};

use super::{
    decode::Decoder,
    fail::{self, Told},
    frames::Frames,
    meter::{Measure, Outcome},
    tap::Tap,
};
use crate::{
    proxy::{
        route::{Table, Times},
        stream::{convert::Translator, event::ErrorKind},
    },
    wire::manifest::Format,
};

/// A client hears of us at least this often.
const PING: Duration = Duration::from_secs(15);
/// What is ready goes out together, up to this size.
const ENOUGH: usize = 32 << 10;

/// Where a reply comes from.
pub(super) struct Source {
    pub(super) body: Incoming,
    pub(super) decoder: Option<Decoder>,
}

pub(super) enum Work {
    Pass(Tap),
    Translate(Box<Translator>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The last piece is out.
    Done,
}

pub(super) struct Flow {
    source: Source,
    /// Read before it was decided that this reply is the one.
    head: VecDeque<Bytes>,
    work: Work,
    /// Ready to go, in the upstream's own bytes; before `out`.
    piece: Bytes,
    out: Vec<u8>,
    /// The upstream's task had its turn since the last piece came.
    waited: bool,
    /// Of a stream that passes through.
    frames: Frames,
    /// The last of them, where an error behind them must go on from it.
    last_frames: Bytes,
    /// The client's format, in which a stream's error is told; none when it is no stream.
    stream: Option<Format>,
    measure: Measure,
    state: State,
    times: Times,
    last: Instant,
    pinged: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    stop: Stop,
    table: Arc<Table>,
    target: usize,
}

/// Becomes ready when the proxy ends.
struct Stop {
    watch: watch::Receiver<bool>,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
}

impl Stop {
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let watch = &self.watch;
        let waiting = self.waiting.get_or_insert_with(|| {
            let mut watch = watch.clone();
            Box::pin(async move {
                let _ = watch.wait_for(|stop| *stop).await;
            })
        });
        waiting.as_mut().poll(context).is_ready()
    }
}

/// What a flow is made of.
pub(super) struct Parts {
    pub(super) source: Source,
    pub(super) head: VecDeque<Bytes>,
    pub(super) work: Work,
    /// Already translated out of the head.
    pub(super) out: Vec<u8>,
    pub(super) stream: Option<Format>,
    pub(super) measure: Measure,
    pub(super) table: Arc<Table>,
    pub(super) target: usize,
    pub(super) stop: watch::Receiver<bool>,
}

impl Flow {
    pub(super) fn new(parts: Parts) -> Self {
        let now = Instant::now();
        Self {
            source: parts.source,
            head: parts.head,
            work: parts.work,
            piece: Bytes::new(),
            out: parts.out,
            waited: false,
            frames: Frames::default(),
            last_frames: Bytes::new(),
            stream: parts.stream,
            measure: parts.measure,
            state: State::Open,
            times: parts.table.times,
            last: now,
            pinged: now,
            sleep: None,
            stop: Stop { watch: parts.stop, waiting: None },
            table: parts.table,
            target: parts.target,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.state == State::Done
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match (&self.work, &self.source.decoder) {
            (Work::Pass(_), None) if self.stream.is_none() && self.head.is_empty() && self.state == State::Open => {
                self.source.body.size_hint()
            }
            _ => SizeHint::default(),
        }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.state == State::Done {
            return Poll::Ready(None);
        }
        while let Some(piece) = self.head.pop_front() {
            self.passing(piece);
        }
        loop {
            if self.piece.len() + self.out.len() >= ENOUGH {
                return self.send();
            }
            match Pin::new(&mut self.source.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.waited = false;
                    self.last = Instant::now();
                    let data = match self.decoded(data) {
                        Ok(data) => data,
                        Err(_) => return self.broken(ErrorKind::Broken, "the upstream's compressed reply cannot be read"),
                    };
                    match &mut self.work {
                        Work::Pass(tap) => {
                            tap.feed(&data);
                            self.passing(data);
                        }
                        Work::Translate(translator) => translator.feed(&data, &mut self.out),
                    }
                    // Where the length is known, the server asks no more behind the last byte.
                    if self.source.body.is_end_stream() {
                        return self.finish();
                    }
                }
                Poll::Ready(Some(Err(_))) => {
                    return self.broken(ErrorKind::Broken, "the upstream's connection broke in the middle of the reply");
                }
                Poll::Ready(None) => return self.finish(),
                // Events that came in one packet are handed over one by one. Each task gets one turn before
                // what is there is sent: so they leave in one packet too, and nothing waits for the network.
                Poll::Pending if self.ready() && !self.waited => {
                    self.waited = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending if self.ready() => return self.send(),
                Poll::Pending => return self.wait(context),
            }
        }
    }

    fn ready(&self) -> bool {
        !self.piece.is_empty() || !self.out.is_empty()
    }

    fn decoded(&mut self, data: Bytes) -> io::Result<Bytes> {
        match &mut self.source.decoder {
            None => Ok(data),
            Some(decoder) => decoder.feed(&data).map(Bytes::from),
        }
    }

    /// Makes ready what of it may leave.
    fn passing(&mut self, data: Bytes) {
        let whole = if self.stream.is_some() { self.frames.feed(data) } else { data };
        if whole.is_empty() {
            return;
        }
        if self.stream == Some(Format::OpenaiResponses) {
            self.last_frames = whole.clone();
        }
        if self.ready() {
            self.out.extend_from_slice(&whole);
        } else {
            self.piece = whole;
        }
    }

    fn send(&mut self) -> Poll<Option<io::Result<Bytes>>> {
        self.measure.first_byte();
        let (piece, out) = (std::mem::take(&mut self.piece), std::mem::take(&mut self.out));
        Poll::Ready(Some(Ok(match (piece.is_empty(), out.is_empty()) {
            (_, true) => piece,
            (true, false) => out.into(),
            (false, false) => [&piece[..], &out].concat().into(),
        })))
    }

    fn finish(&mut self) -> Poll<Option<io::Result<Bytes>>> {
        self.state = State::Done;
        let failed = match &mut self.work {
            Work::Pass(tap) => {
                tap.finish();
                self.out.extend(self.frames.rest());
                tap.error
            }
            Work::Translate(translator) => {
                translator.finish(&mut self.out);
                translator.seen().error.is_some()
            }
        };
        self.measure.ended(if failed { Outcome::Broken } else { Outcome::Ok });
        if failed {
            self.blame();
        }
        self.tell();
        if self.ready() { self.send() } else { Poll::Ready(None) }
    }

    /// What went by, for the record.
    fn tell(&mut self) {
        match &mut self.work {
            Work::Pass(tap) => {
                self.measure.tokens(tap.usage, tap.raw.take());
                self.measure.record.reply = tap.id.take();
            }
            Work::Translate(translator) => {
                let usage = translator.usage();
                let known = usage != Default::default();
                self.measure.tokens(known.then_some(usage), translator.raw.take());
                self.measure.record.reply = translator.seen().id.as_ref().map(|id| id.plain().into_owned());
            }
        }
    }

    fn broken(&mut self, kind: ErrorKind, why: &str) -> Poll<Option<io::Result<Bytes>>> {
        self.state = State::Done;
        self.measure.ended(Outcome::Broken);
        self.blame();
        match &mut self.work {
            Work::Translate(translator) => translator.fail(kind, why, &mut self.out),
            Work::Pass(tap) => match self.stream {
                // What came of a frame that will never be whole is let go.
                Some(format) => self.out.extend(fail::event(format, Told { id: tap.id.as_deref(), last: &self.last_frames }, kind, why)),
                None => {
                    self.tell();
                    return Poll::Ready(Some(Err(io::Error::other(why.to_owned()))));
                }
            },
        }
        self.tell();
        self.send()
    }

    fn blame(&self) {
        if let Some(target) = self.table.targets.get(self.target) {
            target.health.failed(Instant::now(), self.times.cooldown);
        }
    }

    /// Nothing is there: not for ever, and not without a word.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.stop.poll(context) {
            return self.broken(ErrorKind::Overloaded, "the proxy is being stopped");
        }
        loop {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(PING.min(self.times.idle))));
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now.duration_since(self.last) >= self.times.idle {
                let why = format!("the upstream sent nothing for {} s", self.times.idle.as_secs());
                return self.broken(ErrorKind::Broken, &why);
            }
            if self.measure.elapsed() >= self.times.request {
                return self.broken(ErrorKind::Broken, "the request took longer than it may");
            }
            let quiet = now.duration_since(self.last.max(self.pinged));
            let silent = quiet >= PING && matches!(self.work, Work::Translate(_));
            let rest = self.times.idle.saturating_sub(now.duration_since(self.last)).min(PING).max(Duration::from_millis(10));
            sleep.as_mut().reset(tokio::time::Instant::now() + rest);
            if let (true, Some(format)) = (silent, self.stream) {
                self.pinged = now;
                let ping: &[u8] =
                    if format == Format::Anthropic { b"event: ping\ndata: {\"type\": \"ping\"}\n\n" } else { b": keep-alive\n\n" };
                return Poll::Ready(Some(Ok(Bytes::from_static(ping))));
            }
        }
    }
}

impl Drop for Flow {
    /// A client that went away still used what it got.
    fn drop(&mut self) {
        if self.state == State::Open {
            if let Work::Pass(tap) = &mut self.work {
                tap.finish();
            }
            self.tell();
        }
    }
}
