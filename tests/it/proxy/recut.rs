//! Streams as the vendors send them, through the translators, cut before every byte: what comes out never depends on the cut.

use clown::proxy::{
    stream::{
        event::Event,
        order::{Orderer, Step},
        read_anthropic, read_chat, read_gemini, read_responses, sse, write_anthropic, write_chat, write_gemini, write_responses,
    },
    translate::names::Names,
};

use super::{Format, cast, script};

enum Reader {
    Anthropic(read_anthropic::Reader),
    Chat(read_chat::Reader),
    Responses(read_responses::Reader),
    Gemini(read_gemini::Reader),
}

impl Reader {
    fn of(format: Format) -> Self {
        match format {
            Format::Anthropic => Self::Anthropic(read_anthropic::Reader::default()),
            Format::Chat => Self::Chat(read_chat::Reader::default()),
            Format::Responses => Self::Responses(read_responses::Reader::default()),
            Format::Gemini => Self::Gemini(read_gemini::Reader::default()),
        }
    }

    fn take<'a>(&mut self, data: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
        match self {
            Self::Anthropic(reader) => reader.take(data, event),
            Self::Chat(reader) => reader.take(data, event),
            Self::Responses(reader) => reader.take(data, event),
            Self::Gemini(reader) => reader.take(data, event),
        }
    }
}

enum Writer<'n> {
    Anthropic(write_anthropic::Frames<&'n Names>),
    Chat(write_chat::Frames<&'n Names>),
    Responses(write_responses::Frames<&'n Names>),
    Gemini(write_gemini::Frames<&'n Names>),
}

impl<'n> Writer<'n> {
    fn of(format: Format, names: &'n Names) -> Self {
        match format {
            Format::Anthropic => Self::Anthropic(write_anthropic::Frames::new(names, "m", 7)),
            Format::Chat => Self::Chat(write_chat::Frames::new(names, "m", 5, true)),
            Format::Responses => Self::Responses(write_responses::Frames::new(names, "m", 5)),
            Format::Gemini => Self::Gemini(write_gemini::Frames::new(names, "m")),
        }
    }

    fn write(&mut self, step: Step, out: &mut Vec<u8>) {
        match self {
            Self::Anthropic(frames) => frames.write(step, out),
            Self::Chat(frames) => frames.write(step, out),
            Self::Responses(frames) => frames.write(step, out),
            Self::Gemini(frames) => frames.write(step, out),
        }
    }
}

fn translate<'p>(upstream: Format, client: Format, pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let (names, mut out) = (Names::default(), Vec::new());
    let (mut parser, mut reader, mut orderer) = (sse::Parser::default(), Reader::of(upstream), Orderer::default());
    let mut writer = Writer::of(client, &names);
    let mut take = |frame: sse::Frame| reader.take(frame.data, &mut |e| orderer.take(e, &mut |s| writer.write(s, &mut out)));
    pieces.into_iter().for_each(|piece| parser.feed(piece, &mut take));
    parser.finish(&mut take);
    orderer.finish(&mut |step| writer.write(step, &mut out));
    out
}

/// One byte; less than a letter; about a frame.
const SIZES: [usize; 3] = [1, 3, 211];

fn check(upstream: Format, client: Format) {
    for name in script::NAMES {
        let script = script::script(name).unwrap();
        let stream = cast::stream(upstream, &script, "m").concat().into_bytes();
        let whole = translate(upstream, client, [&*stream]);
        let shown = String::from_utf8_lossy(&whole);
        // Something was said, and neither a failure hidden nor one made up.
        assert!(script.mark().is_none_or(|mark| shown.contains(mark)), "{name}: {shown}");
        assert_eq!(shown.contains("fell over"), script.failure.is_some(), "{name}: {shown}");
        assert!(!shown.contains("in the middle") && !shown.contains("broken"), "{name}: {shown}");
        // Every byte begins a piece in one of each size's rounds; a single cut per round would take minutes.
        for (size, begin) in SIZES.iter().flat_map(|size| (0..*size).map(move |begin| (*size, begin))) {
            let (head, tail) = stream.split_at(begin.min(stream.len()));
            let pieces = std::iter::once(head).chain(tail.chunks(size));
            assert_eq!(translate(upstream, client, pieces), whole, "{name}, {size} bytes at a time from {begin} on");
        }
    }
}

/// One test for each pair, so that they share the cores.
macro_rules! pairs {
    ($($upstream:ident: $format:ident),+) => {
        $(mod $upstream {
            use super::{Format, check};

            #[test]
            fn to_anthropic() { check(Format::$format, Format::Anthropic); }
            #[test]
            fn to_chat() { check(Format::$format, Format::Chat); }
            #[test]
            fn to_responses() { check(Format::$format, Format::Responses); }
            #[test]
            fn to_gemini() { check(Format::$format, Format::Gemini); }
        })+
    };
}
pairs!(anthropic: Anthropic, chat: Chat, responses: Responses, gemini: Gemini);
