//! Streams as the vendors send them, through the translators, cut before every byte: what comes out never depends on the cut.

use clown::proxy::{
    stream::convert::{Extra, Translator},
    translate::names::Names,
};

use super::{Format, cast, script};

fn translate<'p>(upstream: Format, client: Format, pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let extra = Extra { estimate: 7, include_usage: true };
    Translator::new(upstream.wire(), client.wire(), true, Names::default(), "m", 5, &extra).stream(pieces)
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
