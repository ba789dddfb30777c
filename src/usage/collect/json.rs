//! Walks over JSON in bytes, without a tree.
//!
//! Logs are written by programs that crash: what is between two quotes may be no UTF-8, keys come in any order, a number may be
//! null. A walk takes what it can read, skips the rest by its brackets and never fails: it ends.

use std::borrow::Cow;

use memchr::memchr;

/// A place in a text of JSON, before a value.
#[derive(Clone)]
pub(crate) struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | 0) = self.byte() {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        self.space();
        let found = self.byte() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Visits each key of an object with the walk before its value; what `visit` does not read is skipped. False when `visit` said
    /// false, which ends the walk where it is, or the object has no end. Another value is skipped.
    pub(crate) fn object(&mut self, mut visit: impl FnMut(&[u8], &mut Walk<'a>) -> bool) -> bool {
        if !self.take(b'{') {
            self.skip();
            return true;
        }
        loop {
            if self.take(b'}') {
                return true;
            }
            let Some(key) = self.raw() else { return false };
            if !self.take(b':') {
                return false;
            }
            self.space();
            let before = self.at;
            if !visit(key, self) {
                return false;
            }
            if self.at == before {
                self.skip();
            }
            if !self.take(b',') {
                return self.take(b'}');
            }
        }
    }

    /// Visits each value of an array. Another value is skipped.
    pub(crate) fn array(&mut self, mut visit: impl FnMut(&mut Walk<'a>)) {
        if !self.take(b'[') {
            return self.skip();
        }
        loop {
            self.space();
            if self.byte().is_none() || self.take(b']') {
                return;
            }
            let before = self.at;
            visit(self);
            if self.at == before {
                self.skip();
            }
            if self.at == before || !self.take(b',') {
                self.take(b']');
                return;
            }
        }
    }

    /// The bytes between quotes, as written. `None`, and nothing read, where no string is.
    pub(crate) fn raw(&mut self) -> Option<&'a [u8]> {
        self.space();
        if self.byte() != Some(b'"') {
            return None;
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            let Some(found) = self.text.get(at..).and_then(|rest| memchr(b'"', rest)) else {
                self.at = self.text.len();
                return None;
            };
            at += found;
            let string = self.text.get(start..at)?;
            at += 1;
            // A text has far more escapes than quotes, so only a quote is asked whether it is escaped: by how many backslashes stand before it.
            if string.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
                self.at = at;
                return Some(string);
            }
        }
    }

    /// A string without its escapes; `None` for anything else and for an empty one.
    pub(crate) fn text(&mut self) -> Option<Cow<'a, str>> {
        let raw = self.raw()?;
        (!raw.is_empty()).then(|| plain(raw))
    }

    /// A number, also one in quotes or with a fraction; `None` for null, what is negative, and anything else.
    pub(crate) fn count(&mut self) -> Option<u64> {
        self.space();
        if self.byte() == Some(b'"') {
            return Walk::new(self.raw()?).count();
        }
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        if self.at > start && !matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            return Some(value);
        }
        self.at = start;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
        self.number().filter(|number| *number >= 0.0).map(|number| number as u64)
    }

    pub(crate) fn number(&mut self) -> Option<f64> {
        self.space();
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.byte() {
            self.at += 1;
        }
        std::str::from_utf8(self.text.get(start..self.at)?).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// True for `true` only.
    pub(crate) fn truth(&mut self) -> bool {
        self.space();
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"true"));
        self.skip();
        found
    }

    pub(crate) fn skip(&mut self) {
        self.space();
        match self.byte() {
            Some(b'"') => {
                self.raw();
            }
            Some(b'{' | b'[') => self.skip_nested(),
            _ => {
                while let Some(byte) = self.byte() {
                    if matches!(byte, b',' | b'}' | b']' | b'"') {
                        return;
                    }
                    self.at += 1;
                }
            }
        }
    }

    fn skip_nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    if self.raw().is_none() {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

/// Whether `text` is one object from end to end, with as many brackets closed as opened.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    let mut walk = Walk::new(text);
    walk.space();
    let starts = walk.byte() == Some(b'{');
    walk.object(|_, _| true) && starts && {
        walk.space();
        walk.byte().is_none()
    }
}

/// A string as its reader should see it. Bytes that are no UTF-8 become marks, as in every tool that shows them.
pub(crate) fn plain(raw: &[u8]) -> Cow<'_, str> {
    if memchr(b'\\', raw).is_some() {
        let mut quoted = Vec::with_capacity(raw.len() + 2);
        quoted.push(b'"');
        quoted.extend_from_slice(String::from_utf8_lossy(raw).as_bytes());
        quoted.push(b'"');
        if let Ok(text) = serde_json::from_slice::<String>(&quoted) {
            return Cow::Owned(text);
        }
    }
    // The common case, by the quicker of the two.
    std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number_of(text: &str, wanted: &str) -> Option<u64> {
        let mut found = None;
        Walk::new(text.as_bytes()).object(|key, value| {
            if key == wanted.as_bytes() {
                found = value.count();
            }
            true
        });
        found
    }

    #[test]
    fn values_nobody_asks_for_are_skipped_whatever_they_are() {
        let text = r#"{ "a" : [1,{"n":9}, "]}\""] ,"b":null,"c":{"n":8,"x":[[]]},"d":-1.5e3,"e":true , "n" : 7 }"#;
        assert_eq!(number_of(text, "n"), Some(7));
        assert!(is_whole(text.as_bytes()));
    }

    #[test]
    fn numbers_in_any_dress() {
        assert_eq!(number_of(r#"{"n":"12"}"#, "n"), Some(12));
        assert_eq!(number_of(r#"{"n":12.0}"#, "n"), Some(12));
        assert_eq!(number_of(r#"{"n":1e3}"#, "n"), Some(1000));
        assert_eq!(number_of(r#"{"n":null}"#, "n"), None);
        assert_eq!(number_of(r#"{"n":-3}"#, "n"), None);
        assert_eq!(number_of(r#"{"n":99999999999999999999999}"#, "n"), Some(u64::MAX));
    }

    #[test]
    fn no_part_of_an_object_is_a_whole_one_and_none_hangs() {
        let text = r#"{"a":"x\"y","b":[1,{"c":"d"}],"e":-2,"f":true}"#;
        for end in 0..text.len() {
            assert!(!is_whole(&text.as_bytes()[..end]), "{end}");
        }
        assert!(!is_whole(b"{}{}"));
        assert!(!is_whole(b"[]"));
    }

    #[test]
    fn a_string_ends_at_the_first_quote_that_no_backslash_escapes() {
        let cases = [
            (r#""a\"b" 1"#, Some(r#"a\"b"#)),
            (r#""a\\" 1"#, Some(r"a\\")),
            (r#""\\\"" 1"#, Some(r#"\\\""#)),
            (r#""\\\\" "x""#, Some(r"\\\\")),
            (r#""" """#, Some("")),
            (r#""\" "#, None),
            (r#""a"#, None),
        ];
        for (text, told) in cases {
            assert_eq!(Walk::new(text.as_bytes()).raw(), told.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn strings_lose_escapes_and_survive_bad_bytes() {
        assert_eq!(plain(br"a\u00e9\n\/"), "a\u{e9}\n/");
        assert_eq!(plain(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(plain(br"a\qb"), r"a\qb");
    }
}
