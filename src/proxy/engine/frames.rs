//! A passing stream, frame by frame: a client never gets half of one, behind which no error could be told.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// A blank line, however lines end. Clients act on a frame only behind it, so holding back what comes
/// before costs them nothing.
const ENDS: [&[u8]; 3] = [b"\n\n", b"\n\r\n", b"\r\r"];
/// Longer than an end.
const OVERLAP: usize = 2;

#[derive(Default)]
pub(super) struct Frames {
    /// Of a frame that is not whole yet.
    tail: BytesMut,
}

impl Frames {
    /// What is whole now; not one byte is changed.
    pub(super) fn feed(&mut self, data: Bytes) -> Bytes {
        if self.tail.is_empty() {
            let end = end(&data).unwrap_or(0);
            self.tail.extend_from_slice(data.get(end..).unwrap_or_default());
            return data.slice(..end);
        }
        let seen = self.tail.len().saturating_sub(OVERLAP);
        self.tail.extend_from_slice(&data);
        match self.tail.get(seen..).and_then(end) {
            Some(end) => self.tail.split_to(seen + end).freeze(),
            None => Bytes::new(),
        }
    }

    /// The stream is over: some end without a blank line.
    pub(super) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.tail).freeze()
    }
}

/// Behind the last frame that is whole.
fn end(bytes: &[u8]) -> Option<usize> {
    // Most pieces are whole frames.
    if ENDS.iter().any(|end| bytes.ends_with(end)) {
        return Some(bytes.len());
    }
    ENDS.iter().filter_map(|end| memmem::rfind(bytes, end).map(|at| at + end.len())).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_is_cut_no_byte_changes_and_only_whole_frames_leave() {
        for stream in ["a: 1\ndata: x\n\n: c\n\ndata: é", "data: 1\r\n\r\ndata: 2\r\n\r\n", "a\r\rb\r\r", "no end"] {
            let bytes = stream.as_bytes();
            for cut in 0..=bytes.len() {
                for second in cut..=bytes.len() {
                    let mut frames = Frames::default();
                    let mut out = Vec::new();
                    for piece in [&bytes[..cut], &bytes[cut..second], &bytes[second..]] {
                        let whole = frames.feed(Bytes::copy_from_slice(piece));
                        out.extend_from_slice(&whole);
                        assert!(out.is_empty() || ENDS.iter().any(|end| out.ends_with(end)), "{stream:?} cut at {cut} and {second}");
                    }
                    let whole = bytes.len() - frames.tail.len();
                    assert_eq!(Some(whole).filter(|n| *n > 0), end(bytes), "{stream:?} cut at {cut} and {second}");
                    out.extend_from_slice(&frames.rest());
                    assert_eq!(out, bytes);
                }
            }
        }
    }
}
