//! Server-sent events from bytes that may be cut anywhere.
//!
//! Lines end with LF, CRLF or CR; a BOM may begin the stream; comments are dropped; several `data`
//! lines join with LF; the space after the colon is optional. Source: WHATWG HTML, "event stream".

use memchr::memchr2;

/// One event: its `event` name (empty when none was given) and its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'f> {
    pub event: &'f str,
    pub data: &'f [u8],
}

#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    event: String,
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was CR: an LF right behind it belongs to the same line end.
    after_cr: bool,
    /// Bytes of the stream seen, up to the length of a BOM.
    seen: usize,
    overflow: bool,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A frame larger than this is no frame of a model's reply.
const MOST: usize = 64 << 20;

impl Parser {
    /// Takes more bytes and hands every complete event to `frame`.
    pub fn feed(&mut self, bytes: &[u8], mut frame: impl FnMut(Frame<'_>)) {
        let mut rest = bytes;
        // The data of an event that stands in these bytes as a whole is not copied.
        let mut kept = None;
        while let Some((at, end)) = memchr2(b'\n', b'\r', rest).and_then(|at| Some((at, *rest.get(at)?))) {
            let (head, tail) = rest.split_at(at);
            rest = tail.get(1..).unwrap_or_default();
            let continues = self.after_cr && end == b'\n' && head.is_empty();
            self.after_cr = end == b'\r';
            if continues {
                continue;
            }
            if self.line.is_empty() {
                self.end_line(head, &mut kept, true, &mut frame);
            } else {
                self.push(head);
                self.end_own_line(&mut kept, &mut frame);
            }
        }
        if let Some(value) = kept {
            self.data.extend_from_slice(value);
        }
        if !rest.is_empty() {
            self.after_cr = false;
            self.push(rest);
        }
    }

    /// The stream is over: an event without its blank line still counts.
    pub fn finish(&mut self, mut frame: impl FnMut(Frame<'_>)) {
        if !self.line.is_empty() {
            self.end_own_line(&mut None, &mut frame);
        }
        self.dispatch(None, &mut frame);
    }

    /// Whether something was larger than any reply can be.
    pub fn overflowed(&self) -> bool {
        self.overflow
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.line.len() + self.data.len() + bytes.len() > MOST {
            self.overflow = true;
            return;
        }
        self.line.extend_from_slice(bytes);
    }

    fn end_own_line(&mut self, kept: &mut Option<&[u8]>, frame: &mut impl FnMut(Frame<'_>)) {
        if let Some(value) = kept.take() {
            self.data.extend_from_slice(value);
        }
        let mut line = std::mem::take(&mut self.line);
        self.end_line(&line, &mut None, false, frame);
        line.clear();
        self.line = line;
    }

    /// `keep`: the line outlives its event, if that ends in the same bytes.
    fn end_line<'b>(&mut self, mut line: &'b [u8], kept: &mut Option<&'b [u8]>, keep: bool, frame: &mut impl FnMut(Frame<'_>)) {
        if self.seen == 0 {
            self.seen = 1;
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(kept.take(), frame);
        } else if let Some(value) = field(line, b"data") {
            if keep && !self.has_data {
                *kept = Some(value);
            } else {
                if let Some(first) = kept.take() {
                    self.data.extend_from_slice(first);
                }
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            self.has_data = true;
        } else if let Some(value) = field(line, b"event") {
            self.event.clear();
            self.event.push_str(&String::from_utf8_lossy(value));
        }
    }

    fn dispatch(&mut self, kept: Option<&[u8]>, frame: &mut impl FnMut(Frame<'_>)) {
        if std::mem::take(&mut self.has_data) {
            frame(Frame { event: &self.event, data: kept.unwrap_or(&self.data) });
            self.data.clear();
        }
        self.event.clear();
    }
}

fn field<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        let mut frames = Vec::new();
        let mut keep = |f: Frame| frames.push((f.event.to_owned(), String::from_utf8(f.data.to_vec()).unwrap()));
        pieces.iter().for_each(|p| parser.feed(p, &mut keep));
        parser.finish(&mut keep);
        frames
    }

    const STREAM: &str = "\u{feff}: OPENROUTER PROCESSING\n\nevent: a\ndata: {\"x\":\"é\"}\n\ndata:one\ndata: two\r\n\r\nevent: c\rdata: 3\r\rid: 7\nretry: 1\n\ndata\n\ndata: [DONE]";

    #[test]
    fn events_as_the_standard_says() {
        let frames = parse(&[STREAM.as_bytes()]);
        let want = [("a", "{\"x\":\"é\"}"), ("", "one\ntwo"), ("c", "3"), ("", ""), ("", "[DONE]")];
        assert_eq!(frames, want.map(|(e, d)| (e.to_owned(), d.to_owned())));
    }

    /// musistudio/claude-code-router#198: JSON split across TCP chunks.
    #[test]
    fn bug_22_every_cut_gives_the_same_events() {
        let bytes = STREAM.as_bytes();
        let whole = parse(&[bytes]);
        for cut in 0..=bytes.len() {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(parse(&[a, b]), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(parse(&single), whole);
    }
}
