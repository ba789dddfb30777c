//! Writes JSON straight into bytes, with slices copied as they are.

use super::text::Str;

/// Commas are set by themselves; brackets are the caller's to close.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Whether something stands before at this level.
    comma: bool,
}

impl Writer {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), comma: false }
    }

    /// Goes on behind what is there; [`into_bytes`](Self::into_bytes) gives all of it.
    pub fn onto(bytes: Vec<u8>) -> Self {
        Self { bytes, comma: false }
    }

    /// Bytes outside of any JSON.
    pub fn outside(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.comma = false;
        self
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn before(&mut self) {
        if self.comma {
            self.bytes.push(b',');
        }
        self.comma = true;
    }

    /// A key of ours: plain letters only.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.before();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self.comma = false;
        self
    }

    pub fn open(&mut self, bracket: u8) -> &mut Self {
        self.before();
        self.bytes.push(bracket);
        self.comma = false;
        self
    }

    pub fn close(&mut self, bracket: u8) -> &mut Self {
        self.bytes.push(bracket);
        self.comma = true;
        self
    }

    /// JSON that is valid already.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.before();
        self.bytes.extend_from_slice(json.as_bytes());
        self
    }

    pub fn str(&mut self, text: &Str<'_>) -> &mut Self {
        self.strs(&[text.raw()])
    }

    /// One string of pieces that are escaped already.
    pub fn strs(&mut self, pieces: &[&str]) -> &mut Self {
        self.before();
        self.bytes.push(b'"');
        pieces.iter().for_each(|p| self.bytes.extend_from_slice(p.as_bytes()));
        self.bytes.push(b'"');
        self
    }

    /// Plain text, escaped here.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
            return self.strs(&[text]);
        }
        self.str(&Str::quote(text))
    }

    pub fn number(&mut self, n: u64) -> &mut Self {
        let (mut digits, mut at, mut n) = ([0; 20], 20, n);
        loop {
            at -= 1;
            if let Some(digit) = digits.get_mut(at) {
                *digit = b'0' + (n % 10) as u8;
            }
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.before();
        self.bytes.extend_from_slice(digits.get(at..).unwrap_or_default());
        self
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_where_they_must() {
        let mut w = Writer::default();
        w.open(b'{').key("a").open(b'[').number(1).text("x\"").open(b'{').close(b'}').close(b']').key("b").bool(true).close(b'}');
        assert_eq!(String::from_utf8(w.into_bytes()).unwrap(), r#"{"a":[1,"x\"",{}],"b":true}"#);
        let mut w = Writer::onto(b"data: ".to_vec());
        w.open(b'[').number(0).number(u64::MAX).text("\u{1}\\é").close(b']').outside(b"\n").open(b'{').close(b'}');
        assert_eq!(String::from_utf8(w.into_bytes()).unwrap(), "data: [0,18446744073709551615,\"\\u0001\\\\é\"]\n{}");
    }
}
