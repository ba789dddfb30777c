//! As much HTTP/1.1 as both ends of the bench need: requests with a length, replies with a length or in chunks.

/// The bytes of a whole request at the front of `input`: head and body. `None` until it is all there.
pub(super) struct Request<'a> {
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
}

impl<'a> Request<'a> {
    pub(super) fn read(input: &'a [u8]) -> Option<Self> {
        let end = find(input, b"\r\n\r\n")? + 4;
        let (head, rest) = input.split_at(end);
        Some(Self { head, body: rest.get(..content_length(head).unwrap_or(0))? })
    }

    pub(super) fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    pub(super) fn path(&self) -> &'a [u8] {
        self.head.split(|b| *b == b' ').nth(1).unwrap_or_default()
    }
}

/// Where in a reply its reader stands.
#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Head,
    Length(usize),
    ChunkSize,
    Chunk(usize),
    /// The line end after a chunk.
    ChunkEnd(usize),
    /// After the last chunk, before the empty line.
    Trailer,
    Done,
}

/// Reads one reply, in whatever pieces it comes.
#[derive(Default)]
pub(super) struct Reply {
    at: At,
    /// The head, or a chunk's size line, so far.
    line: Vec<u8>,
    pub(super) status: u16,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

impl Reply {
    pub(super) fn done(&self) -> bool {
        self.at == At::Done
    }

    /// Makes it ready for the next reply and keeps its memory.
    pub(super) fn reset(&mut self) {
        self.line.clear();
        self.at = At::Head;
    }

    /// Takes what was read; `body` gets the content without its framing.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut body: impl FnMut(&[u8])) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            match self.at {
                At::Head => {
                    let Some(rest) = self.until(bytes, b"\r\n\r\n") else { return Ok(()) };
                    bytes = rest;
                    self.head_read()?;
                }
                At::Length(left) => {
                    let (part, rest) = bytes.split_at(left.min(bytes.len()));
                    body(part);
                    bytes = rest;
                    self.at = if part.len() == left { At::Done } else { At::Length(left - part.len()) };
                }
                At::ChunkSize => {
                    let Some(rest) = self.until(bytes, b"\r\n") else { return Ok(()) };
                    bytes = rest;
                    self.at = match hex(&self.line) {
                        Some(0) => At::Trailer,
                        Some(size) => At::Chunk(size),
                        None => return Err(Malformed(format!("a chunk of size {:?}", String::from_utf8_lossy(&self.line)))),
                    };
                    self.line.clear();
                }
                At::Chunk(left) => {
                    let (part, rest) = bytes.split_at(left.min(bytes.len()));
                    body(part);
                    bytes = rest;
                    self.at = if part.len() == left { At::ChunkEnd(2) } else { At::Chunk(left - part.len()) };
                }
                At::ChunkEnd(left) => {
                    let skipped = left.min(bytes.len());
                    bytes = &bytes[skipped..];
                    self.at = if skipped == left { At::ChunkSize } else { At::ChunkEnd(left - skipped) };
                }
                At::Trailer => {
                    let Some(rest) = self.until(bytes, b"\r\n") else { return Ok(()) };
                    bytes = rest;
                    self.at = if self.line.len() == 2 { At::Done } else { At::Trailer };
                    self.line.clear();
                }
                At::Done => return Err(Malformed("bytes after the end of a reply".into())),
            }
        }
        Ok(())
    }

    /// Collects into `line` up to and with `end`; the bytes after it, or `None` if it has not come yet.
    fn until<'a>(&mut self, bytes: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
        // The end may be split over two reads.
        let seen = self.line.len();
        let from = seen.saturating_sub(end.len() - 1);
        self.line.extend_from_slice(bytes);
        let stop = from + find(&self.line[from..], end)? + end.len();
        self.line.truncate(stop);
        bytes.get(stop - seen..)
    }

    fn head_read(&mut self) -> Result<(), Malformed> {
        let head = String::from_utf8_lossy(&self.line).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        self.status = status.ok_or_else(|| Malformed(format!("a reply that begins {:?}", head.lines().next().unwrap_or_default())))?;
        self.at = match content_length(&self.line) {
            Some(0) => At::Done,
            Some(length) => At::Length(length),
            None if head.to_ascii_lowercase().contains("transfer-encoding: chunked") => At::ChunkSize,
            None => return Err(Malformed("a reply without length and without chunks".into())),
        };
        self.line.clear();
        Ok(())
    }
}

fn hex(line: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(line).ok()?.trim().split(';').next()?;
    usize::from_str_radix(digits, 16).ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head.split(|b| *b == b'\n').find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?;
    std::str::from_utf8(line.get(NAME.len()..)?).ok()?.trim().parse().ok()
}

pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        from += at;
        if bytes[from..].starts_with(wanted) {
            return Some(from);
        }
        from += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reply: &[u8], piece: usize) -> (Vec<u8>, u16, bool) {
        let (mut reader, mut body) = (Reply::default(), Vec::new());
        for part in reply.chunks(piece) {
            reader.feed(part, |bytes| body.extend_from_slice(bytes)).unwrap();
        }
        (body, reader.status, reader.done())
    }

    #[test]
    fn replies_in_any_pieces() {
        let sized = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let chunked = b"HTTP/1.1 429 No\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n";
        for piece in 1..80 {
            assert_eq!(read(sized, piece), (b"hello".to_vec(), 200, true), "{piece}");
            assert_eq!(read(chunked, piece), (b"hello".to_vec(), 429, true), "{piece}");
        }
        assert!(!read(&chunked[..chunked.len() - 1], 7).2);
    }

    #[test]
    fn what_is_no_reply() {
        let refuse = |bytes: &[u8]| Reply::default().feed(bytes, |_| ()).unwrap_err().0;
        assert_eq!(refuse(b"HTTP/1.1 200 OK\r\n\r\n"), "a reply without length and without chunks");
        assert_eq!(refuse(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nx"), "bytes after the end of a reply");
        assert_eq!(refuse(b"nonsense\r\n\r\n"), "a reply that begins \"nonsense\"");
    }

    #[test]
    fn requests() {
        let bytes = b"POST /v1/messages?beta=true HTTP/1.1\r\nCONTENT-LENGTH: 3\r\n\r\nabcGET";
        let request = Request::read(bytes).unwrap();
        assert_eq!((request.path(), request.body, request.len()), (&b"/v1/messages?beta=true"[..], &b"abc"[..], bytes.len() - 3));
        assert!(Request::read(&bytes[..bytes.len() - 4]).is_none());
        assert!(Request::read(b"GET / HTTP/1.1\r\n").is_none());
    }
}
