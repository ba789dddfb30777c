//! Server-sent events from bytes that may be cut anywhere.
//!
//! Lines end with LF, CRLF or CR; a BOM may begin the stream; comments are dropped; several `data`
//! lines join with LF; the space after the colon is optional. Source: WHATWG HTML, "event stream".

/// One event: its `event` name (empty when none was given) and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub event: String,
    pub data: Vec<u8>,
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
    pub fn feed(&mut self, bytes: &[u8], mut frame: impl FnMut(Frame)) {
        let mut rest = bytes;
        while let Some((at, end)) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).and_then(|at| Some((at, *rest.get(at)?))) {
            let (head, tail) = rest.split_at(at);
            rest = tail.get(1..).unwrap_or_default();
            let continues = self.after_cr && end == b'\n' && head.is_empty();
            self.after_cr = end == b'\r';
            if continues {
                continue;
            }
            self.push(head);
            self.end_line(&mut frame);
        }
        if !rest.is_empty() {
            self.after_cr = false;
            self.push(rest);
        }
    }

    /// The stream is over: an event without its blank line still counts.
    pub fn finish(&mut self, mut frame: impl FnMut(Frame)) {
        if !self.line.is_empty() {
            self.end_line(&mut frame);
        }
        self.dispatch(&mut frame);
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

    fn end_line(&mut self, frame: &mut impl FnMut(Frame)) {
        let mut line = std::mem::take(&mut self.line);
        if self.seen == 0 {
            self.seen = 1;
            if line.starts_with(BOM) {
                line.drain(..BOM.len());
            }
        }
        if line.is_empty() {
            self.dispatch(frame);
        } else if let Some(value) = field(&line, b"data") {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.has_data = true;
            self.data.extend_from_slice(value);
        } else if let Some(value) = field(&line, b"event") {
            self.event = String::from_utf8_lossy(value).into_owned();
        }
        line.clear();
        self.line = line;
    }

    fn dispatch(&mut self, frame: &mut impl FnMut(Frame)) {
        let event = std::mem::take(&mut self.event);
        if std::mem::take(&mut self.has_data) {
            frame(Frame { event, data: std::mem::take(&mut self.data) });
        }
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
        let mut keep = |f: Frame| frames.push((f.event, String::from_utf8(f.data).unwrap()));
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
