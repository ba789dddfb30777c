//! Reads along while a reply passes through: its id, its tokens, whether it failed. Changes no byte.

use memchr::{memchr, memmem};

use crate::{
    proxy::stream::{
        convert::{self, Reader, raw_usage},
        event::{Event, Usage},
    },
    wire::manifest::Format,
};

/// A line or a body larger than this goes by unread.
const MOST: usize = 8 << 20;
/// Where a reply's id stands, at the latest.
const HEAD: usize = 4096;

pub(super) struct Tap {
    format: Format,
    /// None: the reply is not a stream.
    reader: Option<Reader>,
    /// The line or the body that is not whole yet.
    held: Vec<u8>,
    /// This line was too long to keep.
    skip: bool,
    id_sought: usize,
    pub(super) id: Option<String>,
    pub(super) usage: Option<Usage>,
    /// The upstream's own words on tokens, for prices that depend on more than their number.
    pub(super) raw: Option<String>,
    pub(super) error: bool,
}

impl Tap {
    pub(super) fn new(format: Format, stream: bool) -> Self {
        let reader = stream.then(|| Reader::new(format));
        Self { format, reader, held: Vec::new(), skip: false, id_sought: 0, id: None, usage: None, raw: None, error: false }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.reader.is_none() {
            if self.held.len() + bytes.len() <= MOST {
                self.held.extend_from_slice(bytes);
            } else {
                self.skip = true;
            }
            return;
        }
        let mut rest = bytes;
        while let Some(at) = memchr(b'\n', rest) {
            let (line, tail) = rest.split_at(at);
            rest = tail.get(1..).unwrap_or_default();
            if std::mem::take(&mut self.skip) {
                self.held.clear();
            } else if self.held.is_empty() {
                self.line(line);
            } else {
                let mut whole = std::mem::take(&mut self.held);
                whole.extend_from_slice(line);
                self.line(&whole);
                whole.clear();
                self.held = whole;
            }
        }
        if self.held.len() + rest.len() <= MOST {
            self.held.extend_from_slice(rest);
        } else {
            self.skip = true;
        }
    }

    pub(super) fn finish(&mut self) {
        let held = std::mem::take(&mut self.held);
        if self.skip {
            return;
        }
        if self.reader.is_some() {
            return self.line(&held);
        }
        self.seek_id(&held);
        self.error = memmem::find(held.get(..64).unwrap_or(&held), b"\"error\"")
            .is_some_and(|at| !held.get(at..).unwrap_or_default().starts_with(b"\"error\":null"));
        let Some(found) = raw_usage(self.format, &held) else { return };
        // The words on tokens alone: the rest of the reply need not be understood.
        let key = if self.format == Format::Gemini { "usageMetadata" } else { "usage" };
        let mut usage = None;
        convert::whole(self.format, format!("{{\"{key}\":{found}}}").as_bytes(), &mut |event| {
            if let Event::Usage(tokens) = event {
                usage = Some(tokens);
            }
        });
        self.usage = usage;
        self.raw = Some(found);
    }

    fn line(&mut self, line: &[u8]) {
        let Some(data) = line.strip_prefix(b"data:") else { return };
        if self.id.is_none() && self.id_sought < HEAD {
            self.id_sought += data.len();
            self.seek_id(data);
        }
        let telling = match self.format {
            Format::Gemini => memmem::find(data, b"usageMetadata").is_some(),
            // Some say in every event that there is none yet.
            _ => memmem::find(data, b"\"usage\"").is_some_and(|at| !data.get(at..).unwrap_or_default().starts_with(b"\"usage\":null")),
        };
        // An error's line is short, and its first key says it.
        let failing = memmem::find(data.get(..64).unwrap_or(data), b"\"error\"").is_some();
        if !telling && !failing {
            return;
        }
        let Some(reader) = &mut self.reader else { return };
        let (usage, error) = (&mut self.usage, &mut self.error);
        reader.take(data.trim_ascii(), &mut |event| match event {
            Event::Usage(tokens) => *usage = Some(tokens),
            Event::Error { .. } => *error = true,
            _ => {}
        });
        if let Some(found) = raw_usage(self.format, data) {
            self.raw = Some(found);
        }
    }

    fn seek_id(&mut self, data: &[u8]) {
        let key: &[u8] = if self.format == Format::Gemini { b"\"responseId\"" } else { b"\"id\"" };
        let Some(at) = memmem::find(data, key) else { return };
        let value = data.get(at + key.len()..).unwrap_or_default().trim_ascii_start();
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii_start();
        let id = value.strip_prefix(b"\"").and_then(|v| v.get(..memchr(b'"', v)?));
        self.id = id.and_then(|i| std::str::from_utf8(i).ok()).map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANTHROPIC: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"id\":\"msg_1\",\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"say \\\"usage\\\"\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":42,\"service_tier\":\"batch\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    #[test]
    fn tokens_are_read_along_wherever_the_stream_is_cut() {
        for size in 1..ANTHROPIC.len() {
            let mut tap = Tap::new(Format::Anthropic, true);
            ANTHROPIC.as_bytes().chunks(size).for_each(|c| tap.feed(c));
            tap.finish();
            let usage = tap.usage.unwrap();
            assert_eq!((usage.input, usage.cache_read, usage.output), (5, 7, 42), "pieces of {size}");
            assert_eq!(tap.id.as_deref(), Some("msg_1"));
            assert_eq!(tap.raw.as_deref(), Some(r#"{"output_tokens":42,"service_tier":"batch"}"#));
            assert!(!tap.error);
        }
    }

    #[test]
    fn each_format_tells_its_tokens() {
        for (format, stream, text, id, want) in [
            (
                Format::OpenaiChat,
                true,
                "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{}}],\"usage\":null}\n\ndata: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\ndata: [DONE]\n\n",
                "c1",
                (6, 4, 3),
            ),
            (
                Format::OpenaiResponses,
                true,
                "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"usage\":null}}\n\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[],\"usage\":{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":3,\"output_tokens_details\":{\"reasoning_tokens\":1}}}}\n\n",
                "resp_1",
                (6, 4, 3),
            ),
            (
                Format::Gemini,
                true,
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":3,\"cachedContentTokenCount\":4},\"responseId\":\"g1\"}\r\n\r\n",
                "g1",
                (6, 4, 3),
            ),
            (
                Format::OpenaiChat,
                false,
                "{\"id\":\"c1\",\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":4}}}",
                "c1",
                (6, 4, 3),
            ),
        ] {
            let mut tap = Tap::new(format, stream);
            text.as_bytes().chunks(7).for_each(|c| tap.feed(c));
            tap.finish();
            let usage = tap.usage.unwrap();
            assert_eq!((tap.id.as_deref(), (usage.input, usage.cache_read, usage.output)), (Some(id), want), "{format}");
            assert!(tap.raw.unwrap().contains("10"));
        }
    }

    #[test]
    fn an_error_in_the_stream_is_seen() {
        let mut tap = Tap::new(Format::Anthropic, true);
        tap.feed(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n");
        tap.finish();
        assert!(tap.error);
    }
}
