//! The SP framing over a stream socket, as nng's ipc transport has it.
//!
//! Handshake: `00 'S' 'P' 00 <protocol u16 BE> 00 00` from both sides. Then messages:
//! `01 <length u64 BE> <body>`; for REQ/REP the body begins with a request id whose top bit is set.
//! Source: nanomsg's sp-ipc-mapping and a trace of nng 1.4.

use std::io::{self, Read, Write};

pub const REQ: u16 = 0x30;
pub const REP: u16 = 0x31;
pub const PUB: u16 = 0x20;
pub const SUB: u16 = 0x21;

pub const HANDSHAKE: usize = 8;
/// Message type and length.
pub const HEAD: usize = 9;
/// Length of the request id in front of a REQ or REP body.
pub const REQUEST_ID: usize = 4;

pub fn handshake(protocol: u16) -> [u8; HANDSHAKE] {
    let [high, low] = protocol.to_be_bytes();
    [0, b'S', b'P', 0, high, low, 0, 0]
}

pub fn head(length: usize) -> [u8; HEAD] {
    let mut head = [1; HEAD];
    head[1..].copy_from_slice(&(length as u64).to_be_bytes());
    head
}

/// Length of the message that follows, or `None` when no sane peer would send this.
pub fn length(head: &[u8; HEAD], max: usize) -> Option<usize> {
    let (kind, length) = head.split_first()?;
    let length = u64::from_be_bytes(length.try_into().ok()?);
    (*kind == 1 && length <= max as u64).then_some(length as usize)
}

/// Client's side of the handshake.
pub fn greet(stream: &mut (impl Read + Write), ours: u16, theirs: u16) -> io::Result<()> {
    stream.write_all(&handshake(ours))?;
    let mut reply = [0; HANDSHAKE];
    stream.read_exact(&mut reply)?;
    if reply == handshake(theirs) { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "the peer speaks another protocol")) }
}

pub fn write_message(stream: &mut impl Write, parts: &[&[u8]]) -> io::Result<()> {
    let length = parts.iter().map(|p| p.len()).sum();
    let mut frame = Vec::with_capacity(HEAD + length);
    frame.extend_from_slice(&head(length));
    parts.iter().for_each(|p| frame.extend_from_slice(p));
    stream.write_all(&frame)
}

pub fn read_message(stream: &mut impl Read, max: usize) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD];
    stream.read_exact(&mut head)?;
    let length = length(&head, max).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the peer sent a broken message"))?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_abort_the_library_are_refused() {
        for wrong in [u64::MAX, u64::MAX - 32, u64::MAX - 33, 1 << 63, (1 << 63) - 1, 1 << 32, 1 << 31, (1 << 20) + 1] {
            let mut bytes = [1; HEAD];
            bytes[1..].copy_from_slice(&wrong.to_be_bytes());
            assert_eq!(length(&bytes, 1 << 20), None, "{wrong}");
        }
        assert_eq!(length(&head(1 << 20), 1 << 20), Some(1 << 20));
        let mut other_kind = head(3);
        other_kind[0] = 2;
        assert_eq!(length(&other_kind, 10), None);
    }

    #[test]
    fn a_message_reads_back() {
        let mut wire = Vec::new();
        write_message(&mut wire, &[b"ab", b"c"]).unwrap();
        assert_eq!(read_message(&mut wire.as_slice(), 10).unwrap(), b"abc");
        assert!(read_message(&mut wire.as_slice(), 2).is_err());
    }
}
