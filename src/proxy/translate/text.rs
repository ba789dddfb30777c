//! Strings as they stand in JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The content of a JSON string between its quotes, still escaped. Concatenating two gives the
/// concatenated string; copying one costs no decoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Str<'a>(Cow<'a, str>);

impl<'a> Str<'a> {
    /// `None` when the value is no string.
    pub fn of(value: &'a RawValue) -> Option<Self> {
        Some(Self(Cow::Borrowed(value.get().strip_prefix('"')?.strip_suffix('"')?)))
    }

    /// Escapes plain text.
    pub fn quote(text: &str) -> Str<'static> {
        let quoted = serde_json::to_string(text).unwrap_or_default();
        Str(Cow::Owned(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()))
    }

    /// Still escaped.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Decoded; borrowed when nothing was escaped.
    pub fn plain(&self) -> Cow<'_, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(&self.0);
        }
        serde_json::from_str(&format!("\"{}\"", self.0)).map_or_else(|_| Cow::Borrowed(&*self.0), Cow::Owned)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_owned(self) -> Str<'static> {
        Str(Cow::Owned(self.0.into_owned()))
    }

    /// Base64 in the standard alphabet. Google takes both and its SDK for Python writes the one for
    /// URLs, which nobody else takes.
    pub fn base64(self) -> Self {
        if !self.0.contains(['-', '_']) {
            return self;
        }
        Self(Cow::Owned(self.0.replace('-', "+").replace('_', "/")))
    }

    /// Between a beginning and a middle, and behind the middle: the two parts of `data:A;base64,B`.
    pub fn cut(self, head: &str, middle: &str) -> Option<(Self, Self)> {
        match self.0 {
            Cow::Borrowed(text) => {
                let (a, b) = text.strip_prefix(head)?.split_once(middle)?;
                Some((Self(Cow::Borrowed(a)), Self(Cow::Borrowed(b))))
            }
            Cow::Owned(text) => {
                let (a, b) = text.strip_prefix(head)?.split_once(middle)?;
                Some((Self(Cow::Owned(a.to_owned())), Self(Cow::Owned(b.to_owned()))))
            }
        }
    }

    /// Puts pieces together, with a separator that is escaped already.
    pub fn join<'b>(pieces: impl IntoIterator<Item = &'b Str<'b>>, separator: &str) -> Str<'static> {
        let mut whole = String::new();
        for (n, piece) in pieces.into_iter().enumerate() {
            if n > 0 {
                whole.push_str(separator);
            }
            whole.push_str(&piece.0);
        }
        Str(Cow::Owned(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_passes_escaped_and_can_be_read() {
        let raw: Box<RawValue> = serde_json::from_str(r#""a\n\"é\u00e9""#).unwrap();
        let text = Str::of(&raw).unwrap();
        assert_eq!(text.raw(), r#"a\n\"é\u00e9"#);
        assert_eq!(text.plain(), "a\n\"éé");
        assert_eq!(Str::quote("x\"\n"), Str(r#"x\"\n"#.into()));
        assert_eq!(Str::join([&Str::quote("a"), &Str::quote("b")], "\\n").plain(), "a\nb");
        let number: Box<RawValue> = serde_json::from_str("3").unwrap();
        assert!(Str::of(&number).is_none());
    }
}
