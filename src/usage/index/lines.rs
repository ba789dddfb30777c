//! Lines out of a file of any size, in little memory.
//!
//! A line may be longer than memory should be: then its long strings are cut while it passes, since what tells of usage is short. What
//! stays long even so has nothing to tell.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2};

const CHUNK: usize = 256 * 1024;
/// A line up to here is kept as it is, and a longer one is cut down to this.
const LONG: usize = 4 * 1024 * 1024;
/// Kept of a string of a long line.
const KEPT: usize = 4096;

pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The file's last, without a line's end: perhaps only a part so far.
    Last(&'a [u8]),
    TooLong,
}

#[derive(Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
}

/// What was read.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) bytes: u64,
    /// Up to the last line's end.
    pub(super) lines: u64,
    pub(super) failed: bool,
}

impl Lines {
    /// Hands over each line, or all of it as one where `apart` is false.
    pub(super) fn run(&mut self, from: &mut impl Read, apart: bool, on: &mut dyn FnMut(Line<'_>)) -> Passed {
        self.buffer.resize(CHUNK, 0);
        let mut passed = Passed::default();
        let mut filled = 0;
        let mut long: Option<Squeeze> = None;
        loop {
            if filled == self.buffer.len() {
                if self.buffer.len() < LONG {
                    self.buffer.resize(self.buffer.len() * 2, 0);
                } else {
                    long.get_or_insert_default().feed(&self.buffer);
                    filled = 0;
                }
            }
            let read = match self.buffer.get_mut(filled..).map_or(Ok(0), |rest| from.read(rest)) {
                Ok(0) => break,
                Ok(read) => read,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    passed.failed = true;
                    break;
                }
            };
            passed.bytes += read as u64;
            let end = filled + read;
            let mut start = 0;
            if apart {
                let fresh = self.buffer.get(filled..end).unwrap_or_default();
                for at in memchr_iter(b'\n', fresh) {
                    let line = self.buffer.get(start..filled + at).unwrap_or_default();
                    start = filled + at + 1;
                    match long.take() {
                        None => on(Line::Whole(line)),
                        Some(mut long) => {
                            long.feed(line);
                            on(long.line().map_or(Line::TooLong, Line::Whole));
                        }
                    }
                }
            }
            if start > 0 {
                self.buffer.copy_within(start..end, 0);
                passed.lines = passed.bytes - (end - start) as u64;
            }
            filled = end - start;
        }
        let rest = self.buffer.get(..filled).unwrap_or_default();
        match long {
            Some(mut long) => {
                long.feed(rest);
                on(long.line().map_or(Line::TooLong, Line::Last));
            }
            None if filled > 0 => on(Line::Last(rest)),
            None => {}
        }
        if self.buffer.len() > CHUNK {
            self.buffer = Vec::new();
        }
        passed
    }
}

/// JSON whose long strings are cut.
#[derive(Default)]
struct Squeeze {
    out: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// Of the string at hand.
    kept: usize,
    too_long: bool,
}

impl Squeeze {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.too_long {
            let taken = if self.in_string { self.string(bytes) } else { self.between(bytes) };
            bytes = bytes.get(taken..).unwrap_or_default();
            self.too_long = self.out.len() > LONG;
        }
    }

    fn line(&self) -> Option<&[u8]> {
        (!self.too_long).then_some(&self.out)
    }

    fn between(&mut self, bytes: &[u8]) -> usize {
        let end = memchr(b'"', bytes).map_or(bytes.len(), |at| at + 1);
        let room = (LONG + 1).saturating_sub(self.out.len());
        self.out.extend(bytes.get(..end.min(room)).unwrap_or_default());
        self.in_string = bytes.get(end - 1) == Some(&b'"');
        self.kept = 0;
        end
    }

    fn string(&mut self, bytes: &[u8]) -> usize {
        if self.escaped {
            self.escaped = false;
            // Its backslash was kept only where there was room for both.
            self.keep(bytes.get(..1).unwrap_or_default());
            return 1;
        }
        let plain = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
        let room = (KEPT - 1).saturating_sub(self.kept);
        self.keep(bytes.get(..plain.min(room)).unwrap_or_default());
        if plain > room {
            self.kept = KEPT;
        }
        match bytes.get(plain) {
            None => plain,
            Some(b'"') => {
                self.out.push(b'"');
                self.in_string = false;
                plain + 1
            }
            Some(_) => {
                self.escaped = true;
                if self.kept + 2 > KEPT {
                    self.kept = KEPT;
                }
                self.keep(b"\\");
                plain + 1
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.kept < KEPT {
            self.out.extend_from_slice(bytes);
            self.kept += bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], piece: usize) -> (Vec<String>, u64) {
        struct Pieces<'a>(&'a [u8], usize);
        impl Read for Pieces<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                let length = self.1.min(to.len()).min(self.0.len());
                to[..length].copy_from_slice(&self.0[..length]);
                self.0 = &self.0[length..];
                Ok(length)
            }
        }
        let mut found = Vec::new();
        let passed = Lines::default().run(&mut Pieces(text, piece), true, &mut |line| {
            found.push(match line {
                Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                Line::Last(line) => format!("last {}", String::from_utf8_lossy(line)),
                Line::TooLong => "too long".into(),
            });
        });
        (found, passed.lines)
    }

    #[test]
    fn lines_are_the_same_in_any_pieces() {
        let text = b"one\n\ntwo\nthree";
        for piece in 1..20 {
            assert_eq!(lines(text, piece), (vec!["one".into(), String::new(), "two".into(), "last three".into()], 9));
        }
    }

    #[test]
    fn a_line_of_100_mb_keeps_what_is_short_in_it_and_the_lines_after_it() {
        let mut text = br#"{"a":""#.to_vec();
        while text.len() < 100_000_000 {
            text.extend_from_slice(br#"words \" and \\ "#);
        }
        text.extend_from_slice(b"\\u00e9\",\"usage\":7}\nnext\n");
        let (found, passed) = lines(&text, 1 << 20);
        assert_eq!((found.len(), passed), (2, text.len() as u64));
        assert!(found[0].len() < 5000 && found[0].ends_with(r#","usage":7}"#), "{}", found[0].len());
        assert!(crate::usage::collect::json::is_whole(found[0].as_bytes()));
        assert_eq!(found[1], "next");
    }

    #[test]
    fn a_long_line_without_strings_is_told_and_left() {
        let mut text = vec![b'1'; 9_000_000];
        text.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&text, 1 << 20).0, ["too long", "next"]);
    }

    #[test]
    fn a_cut_never_parts_a_backslash_from_what_it_escapes() {
        for shift in 0..4 {
            let mut squeeze = Squeeze::default();
            squeeze.feed(b"{\"a\":\"");
            squeeze.feed(&b"x".repeat(KEPT - 3 + shift));
            squeeze.feed(br#"\\\"\n tail""#);
            squeeze.feed(b"}");
            assert!(serde_json::from_slice::<serde_json::Value>(squeeze.line().unwrap()).is_ok(), "{shift}");
        }
    }
}
