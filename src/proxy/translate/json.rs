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
        let quoted = Str::quote(text);
        self.str(&quoted)
    }

    pub fn number(&mut self, n: u64) -> &mut Self {
        self.raw(&n.to_string())
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
    }
}
