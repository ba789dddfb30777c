//! One upstream format's replies as another's: all pairs of readers and writers behind one type.

use std::sync::Arc;

use memchr::memmem;
use serde_json::value::RawValue;

use crate::{
    proxy::{
        stream::{
            event::{ErrorKind, Event, Usage},
            order::{Orderer, Step},
            read_anthropic, read_chat, read_gemini, read_responses, sse, write_anthropic, write_chat, write_gemini, write_responses,
        },
        translate::{names::Names, text::Str},
    },
    wire::manifest::Format,
};

/// Understands an upstream.
pub enum Reader {
    Anthropic(read_anthropic::Reader),
    Chat(read_chat::Reader),
    Responses(read_responses::Reader),
    Gemini(read_gemini::Reader),
}

impl Reader {
    pub fn new(format: Format) -> Self {
        match format {
            Format::Anthropic => Self::Anthropic(Default::default()),
            Format::OpenaiChat => Self::Chat(Default::default()),
            Format::OpenaiResponses => Self::Responses(Default::default()),
            Format::Gemini => Self::Gemini(Default::default()),
        }
    }

    /// One frame's data.
    pub fn take<'a>(&mut self, data: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
        match self {
            Self::Anthropic(r) => r.take(data, event),
            Self::Chat(r) => r.take(data, event),
            Self::Responses(r) => r.take(data, event),
            Self::Gemini(r) => r.take(data, event),
        }
    }
}

/// Reads a reply that is not streamed.
pub fn whole<'a>(format: Format, body: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
    match format {
        Format::Anthropic => read_anthropic::whole(body, event),
        Format::OpenaiChat => read_chat::whole(body, event),
        Format::OpenaiResponses => read_responses::whole(body, event),
        Format::Gemini => read_gemini::whole(body, event),
    }
}

/// What a client's frames depend on besides its format.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Told as the input until the upstream gives its own count.
    pub estimate: u64,
    /// A Chat client asked for usage at the end of a stream.
    pub include_usage: bool,
}

/// Writes a client's stream.
pub enum Frames {
    Anthropic(write_anthropic::Frames<Arc<Names>>),
    Chat(write_chat::Frames<Arc<Names>>),
    Responses(write_responses::Frames<Arc<Names>>),
    Gemini(write_gemini::Frames<Arc<Names>>),
}

impl Frames {
    /// `model`: as the client called it. `now`: seconds since 1970.
    pub fn new(format: Format, names: Arc<Names>, model: &str, now: u64, extra: &Extra) -> Self {
        match format {
            Format::Anthropic => Self::Anthropic(write_anthropic::Frames::new(names, model, extra.estimate)),
            Format::OpenaiChat => Self::Chat(write_chat::Frames::new(names, model, now, extra.include_usage)),
            Format::OpenaiResponses => Self::Responses(write_responses::Frames::new(names, model, now)),
            Format::Gemini => Self::Gemini(write_gemini::Frames::new(names, model)),
        }
    }

    pub fn write(&mut self, step: Step, out: &mut Vec<u8>) {
        match self {
            Self::Anthropic(f) => f.write(step, out),
            Self::Chat(f) => f.write(step, out),
            Self::Responses(f) => f.write(step, out),
            Self::Gemini(f) => f.write(step, out),
        }
    }
}

/// Collects a client's reply that is not streamed.
pub enum Whole {
    Anthropic(write_anthropic::Whole),
    Chat(write_chat::Whole),
    Responses(write_responses::Whole),
    Gemini(Box<write_gemini::Whole<Arc<Names>>>),
}

impl Whole {
    fn new(format: Format, names: &Arc<Names>, model: &str) -> Self {
        match format {
            Format::Anthropic => Self::Anthropic(Default::default()),
            Format::OpenaiChat => Self::Chat(Default::default()),
            Format::OpenaiResponses => Self::Responses(Default::default()),
            Format::Gemini => Self::Gemini(Box::new(write_gemini::Whole::new(names.clone(), model))),
        }
    }

    fn take(&mut self, step: Step) {
        match self {
            Self::Anthropic(w) => w.take(step),
            Self::Chat(w) => w.take(step),
            Self::Responses(w) => w.take(step),
            Self::Gemini(w) => w.take(step),
        }
    }
}

enum Sink {
    Stream(Frames),
    Whole(Whole),
}

/// A reply on its way from an upstream to a client of another format.
pub struct Translator {
    parser: sse::Parser,
    reader: Reader,
    orderer: Orderer,
    sink: Sink,
    pub names: Arc<Names>,
    model: String,
    now: u64,
    seen: Seen,
    from: Format,
    /// The upstream's own words on tokens.
    pub raw: Option<String>,
}

/// What went by.
#[derive(Default)]
pub struct Seen {
    /// The upstream's id of the reply.
    pub id: Option<Str<'static>>,
    /// Something of the answer itself came.
    pub useful: bool,
    pub ended: bool,
    pub error: Option<(ErrorKind, Str<'static>)>,
}

impl Seen {
    fn note(&mut self, step: &Step) {
        match step {
            Step::Start { id, .. } => self.id = Some(id.clone()),
            Step::End { .. } => (self.useful, self.ended) = (true, true),
            Step::Error { kind, message } => {
                self.ended = true;
                self.error = Some((*kind, message.clone()));
            }
            _ => self.useful = true,
        }
    }
}

impl Translator {
    pub fn new(from: Format, to: Format, stream: bool, names: Names, model: &str, now: u64, extra: &Extra) -> Self {
        let names = Arc::new(names);
        let sink = if stream {
            Sink::Stream(Frames::new(to, names.clone(), model, now, extra))
        } else {
            Sink::Whole(Whole::new(to, &names, model))
        };
        Self {
            parser: sse::Parser::default(),
            reader: Reader::new(from),
            orderer: Orderer::default(),
            sink,
            names,
            model: model.to_owned(),
            now,
            seen: Seen::default(),
            from,
            raw: None,
        }
    }

    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    pub fn usage(&self) -> Usage {
        self.orderer.usage()
    }

    /// More bytes of an event stream.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Self { parser, reader, orderer, sink, seen, raw, from, .. } = self;
        parser.feed(bytes, |frame| {
            let mut told = false;
            reader.take(frame.data, &mut |e| {
                told |= matches!(e, Event::Usage(_));
                orderer.take(e, &mut |s| put(sink, seen, s, out));
            });
            if told && let Some(found) = raw_usage(*from, frame.data) {
                *raw = Some(found);
            }
        });
        if parser.overflowed() {
            self.fail(ErrorKind::Broken, "the upstream sent an event larger than any reply", out);
        }
    }

    /// A whole stream in pieces, from its begin to its end.
    pub fn stream<'p>(mut self, pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        pieces.into_iter().for_each(|piece| self.feed(piece, &mut out));
        self.finish(&mut out);
        out
    }

    /// The upstream closed the stream.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let Self { parser, reader, orderer, sink, seen, .. } = self;
        parser.finish(|frame| reader.take(frame.data, &mut |e| orderer.take(e, &mut |s| put(sink, seen, s, out))));
        orderer.finish(&mut |s| put(sink, seen, s, out));
    }

    /// A reply that came in one piece.
    pub fn whole(&mut self, from: Format, body: &[u8], out: &mut Vec<u8>) {
        self.raw = raw_usage(from, body);
        let Self { orderer, sink, seen, .. } = self;
        whole(from, body, &mut |e| orderer.take(e, &mut |s| put(sink, seen, s, out)));
        orderer.finish(&mut |s| put(sink, seen, s, out));
    }

    /// Ends the reply with an error, unless it has ended.
    pub fn fail(&mut self, kind: ErrorKind, message: &str, out: &mut Vec<u8>) {
        let Self { orderer, sink, seen, .. } = self;
        orderer.take(Event::Error { kind, message: Str::quote(message) }, &mut |s| put(sink, seen, s, out));
    }

    /// Body of a reply that is not streamed, or the error it came to.
    pub fn body(self) -> Result<Vec<u8>, (ErrorKind, Str<'static>)> {
        if let Some(error) = self.seen.error {
            return Err(error);
        }
        match self.sink {
            Sink::Stream(_) => Ok(Vec::new()),
            Sink::Whole(Whole::Anthropic(w)) => w.body(&self.names, &self.model),
            Sink::Whole(Whole::Chat(w)) => w.body(&self.names, &self.model, self.now),
            Sink::Whole(Whole::Responses(w)) => w.body(&self.names, &self.model, self.now),
            Sink::Whole(Whole::Gemini(w)) => Ok(w.body().1),
        }
    }
}

fn put(sink: &mut Sink, seen: &mut Seen, step: Step, out: &mut Vec<u8>) {
    seen.note(&step);
    match sink {
        Sink::Stream(frames) => frames.write(step, out),
        Sink::Whole(whole) => whole.take(step),
    }
}

/// The last object of a reply's own words on tokens, as it stands.
pub fn raw_usage(format: Format, data: &[u8]) -> Option<String> {
    let key: &[u8] = if format == Format::Gemini { b"\"usageMetadata\"" } else { b"\"usage\"" };
    let at = memmem::rfind(data, key)? + key.len();
    let value = data.get(at..)?.trim_ascii_start().strip_prefix(b":")?;
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<&RawValue>();
    values.next()?.ok().map(|v| v.get().to_owned()).filter(|v| v.starts_with('{'))
}
