//! A file packed by zstd as the bytes in it. Several frames may follow one another.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::StreamingDecoder;

/// Codex packs with 2 MiB; nothing sensible needs more.
const WINDOW: u64 = 16 * 1024 * 1024;

pub(super) struct Unpacked(State);

enum State {
    Between(BufReader<File>),
    In(Box<StreamingDecoder<BufReader<File>, ruzstd::decoding::FrameDecoder>>),
    Over,
}

impl Unpacked {
    pub(super) fn new(file: File) -> Self {
        Self(State::Between(BufReader::with_capacity(64 * 1024, file)))
    }
}

impl Read for Unpacked {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.0, State::Over) {
                State::Over => return Ok(0),
                State::Between(mut file) => {
                    if file.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder = StreamingDecoder::new_with_max_window_size(file, WINDOW).map_err(io::Error::other)?;
                    self.0 = State::In(Box::new(decoder));
                }
                State::In(mut decoder) => {
                    let read = decoder.read(to)?;
                    if read > 0 || to.is_empty() {
                        self.0 = State::In(decoder);
                        return Ok(read);
                    }
                    self.0 = State::Between(decoder.into_inner());
                }
            }
        }
    }
}
