//! Numbers that look random and are the same for the same seed (SplitMix64), and what is made of them.

use std::fmt::Write;

pub(super) struct Random(u64);

const WORDS: &[&str] = &[
    "the",
    "file",
    "function",
    "returns",
    "error",
    "\\\"usage\\\"",
    "test",
    "session",
    "line",
    "value",
    "because",
    "\\n",
    "token",
    "let",
    "match",
    "struct",
    "expected",
    "{}",
    "path",
    "\\t",
    "index",
    "reads",
    "caf\u{e9}",
    "build",
    "0x7f",
    "=>",
];

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to and without `high`.
    pub(super) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low).max(1)
    }

    pub(super) fn one_in(&mut self, chance: u64) -> bool {
        self.next().is_multiple_of(chance)
    }

    /// Hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            let _ = write!(text, "{:016x}", self.next());
        }
        text.truncate(digits);
        text
    }

    /// A UUID of version 7 of this time.
    pub(super) fn uuid7(&mut self, ms: u64) -> String {
        let tail = self.hex(15);
        format!("{:08x}-{:04x}-7{}-8{}-{}", ms >> 16, ms & 0xffff, &tail[..3], &tail[..3], &tail[3..15])
    }

    /// Words inside a JSON string, about this many bytes.
    pub(super) fn words(&mut self, bytes: u64) -> String {
        let bytes = usize::try_from(bytes).unwrap_or(0);
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            let mut bits = self.next();
            for _ in 0..8 {
                text.push_str(WORDS.get(bits as usize % WORDS.len()).unwrap_or(&""));
                text.push(' ');
                bits >>= 8;
            }
        }
        text
    }
}

/// RFC 3339, of milliseconds since 2026-06-01.
pub(super) fn stamp(ms: u64) -> String {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (mut month, mut day) = (6, days % 183);
    for length in [30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        (month, day) = (month + 1, day - length);
    }
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("2026-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", day + 1, rest % 1000)
}

/// 2026-06-01 in milliseconds since 1970.
pub(super) const JUNE: u64 = 1_780_272_000_000;
