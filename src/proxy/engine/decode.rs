//! Bodies that came compressed. Nobody is asked to compress, but some do.

use std::io::Write;

use brotli_decompressor::DecompressorWriter;
use flate2::write::{GzDecoder, ZlibDecoder};

/// A whole body may not grow beyond this.
pub(super) const MOST: usize = 64 << 20;

/// Takes compressed bytes as they come and gives what can be read so far.
pub(super) enum Decoder {
    Gzip(Box<GzDecoder<Vec<u8>>>),
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    Brotli(Box<DecompressorWriter<Vec<u8>>>),
    Zstd(Box<zstd::Zstd>),
}

impl Decoder {
    /// None: not compressed. Error: in a way nobody here knows.
    pub(super) fn of(encoding: Option<&str>) -> Result<Option<Self>, ()> {
        Ok(Some(match encoding.map(str::trim).unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Self::Gzip(Box::new(GzDecoder::new(Vec::new()))),
            "deflate" => Self::Zlib(Box::new(ZlibDecoder::new(Vec::new()))),
            "br" => Self::Brotli(Box::new(DecompressorWriter::new(Vec::new(), 16 << 10))),
            "zstd" => Self::Zstd(Box::default()),
            _ => return Err(()),
        }))
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Gzip(d) => {
                d.write_all(bytes)?;
                d.flush()?;
                Ok(std::mem::take(d.get_mut()))
            }
            Self::Zlib(d) => {
                d.write_all(bytes)?;
                d.flush()?;
                Ok(std::mem::take(d.get_mut()))
            }
            Self::Brotli(d) => {
                d.write_all(bytes)?;
                d.flush()?;
                Ok(std::mem::take(d.get_mut()))
            }
            Self::Zstd(d) => d.feed(bytes),
        }
    }

    /// A body in one piece. The error says too much or not readable.
    pub(super) fn whole(mut self, body: &[u8]) -> Result<Vec<u8>, TooMuch> {
        let mut out = Vec::with_capacity(body.len() * 4);
        for piece in body.chunks(64 << 10) {
            out.extend(self.feed(piece).map_err(|_| TooMuch::Broken)?);
            if out.len() > MOST {
                return Err(TooMuch::Large);
            }
        }
        if !self.complete() {
            return Err(TooMuch::Broken);
        }
        Ok(out)
    }

    fn complete(&mut self) -> bool {
        match self {
            Self::Gzip(d) => d.try_finish().is_ok(),
            Self::Zlib(d) => d.try_finish().is_ok(),
            Self::Brotli(d) => d.close().is_ok(),
            Self::Zstd(d) => d.complete(),
        }
    }
}

/// Why a compressed body is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMuch {
    Large,
    Broken,
}

mod zstd {
    use std::io;

    use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

    /// The library reads from what it is given; what is not yet a whole block waits here.
    #[derive(Default)]
    pub(in crate::proxy::engine) struct Zstd {
        decoder: FrameDecoder,
        held: Vec<u8>,
        begun: bool,
    }

    impl Zstd {
        pub(super) fn feed(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
            self.held.extend_from_slice(bytes);
            let mut out = Vec::new();
            if !self.begun {
                let mut head = self.held.as_slice();
                match self.decoder.init(&mut head) {
                    Ok(()) => {
                        let rest = head.to_vec();
                        self.held = rest;
                        self.begun = true;
                    }
                    // The longest header has 18 bytes.
                    Err(_) if self.held.len() < 18 => return Ok(out),
                    Err(e) => return Err(io::Error::other(e)),
                }
            }
            while self.block() && !self.decoder.is_finished() {
                let mut from = self.held.as_slice();
                self.decoder.decode_blocks(&mut from, BlockDecodingStrategy::UptoBlocks(1)).map_err(io::Error::other)?;
                let rest = from.to_vec();
                self.held = rest;
                if let Some(more) = self.decoder.collect() {
                    out.extend(more);
                }
            }
            if let Some(more) = self.decoder.collect() {
                out.extend(more);
            }
            Ok(out)
        }

        /// Whether the next block is here as a whole: 3 bytes say how long it is. A last one needs its checksum too.
        fn block(&self) -> bool {
            let Some(&[a, b, c]) = self.held.get(..3).and_then(|h| <&[u8; 3]>::try_from(h).ok()) else { return false };
            let head = u32::from_le_bytes([a, b, c, 0]);
            let (last, kind, size) = (head & 1 == 1, (head >> 1) & 3, (head >> 3) as usize);
            let size = if kind == 1 { 1 } else { size };
            // Without a checksum these four bytes never come, but then nothing else does either.
            let sum = if last && self.has_checksum() { 4 } else { 0 };
            self.held.len() >= 3 + size + sum
        }

        fn has_checksum(&self) -> bool {
            self.decoder.get_checksum_from_data().is_some()
        }

        pub(super) fn complete(&self) -> bool {
            self.begun && self.decoder.is_finished()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "data: {\"x\":\"héllo\"}\n\n";

    fn gzip(text: &str) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn compressed_bodies_are_read_whole_and_in_pieces() {
        let long = TEXT.repeat(20_000);
        for text in [TEXT, &long] {
            for (name, body) in [("gzip", gzip(text)), ("zstd", zstd(text))] {
                assert_eq!(Decoder::of(Some(name)).unwrap().unwrap().whole(&body).unwrap(), text.as_bytes(), "{name}");
                for size in [1, 3, 1000] {
                    let mut decoder = Decoder::of(Some(name)).unwrap().unwrap();
                    let pieces: Vec<u8> = body.chunks(size).flat_map(|c| decoder.feed(c).unwrap()).collect();
                    assert_eq!(pieces, text.as_bytes(), "{name} in pieces of {size}");
                }
                assert_eq!(Decoder::of(Some(name)).unwrap().unwrap().whole(&body[..body.len() / 2]), Err(TooMuch::Broken), "{name} cut");
                assert_eq!(
                    Decoder::of(Some(name)).unwrap().unwrap().whole(b"no such thing at all, not at all"),
                    Err(TooMuch::Broken),
                    "{name}"
                );
            }
        }
        let brotli = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        assert_eq!(Decoder::of(Some("br")).unwrap().unwrap().whole(&brotli).unwrap(), b"hello");
    }

    #[test]
    fn a_small_body_that_grows_without_end_is_refused() {
        let bomb = gzip(&"\0".repeat(MOST + (1 << 20)));
        assert!(bomb.len() < 1 << 20);
        assert_eq!(Decoder::of(Some("gzip")).unwrap().unwrap().whole(&bomb), Err(TooMuch::Large));
        assert!(Decoder::of(Some("lzw")).is_err());
        assert!(Decoder::of(Some("identity")).unwrap().is_none() && Decoder::of(None).unwrap().is_none());
    }
}
