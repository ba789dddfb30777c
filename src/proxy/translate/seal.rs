//! Proofs of thinking that only their own vendor understands, carried through another's format.
//!
//! A vendor signs or encrypts its thinking and wants it back unchanged on the next turn. A client of
//! another format keeps what it is given in its own field for that, so a proof travels there, sealed:
//! base64 of `clown1:<kind>:<payload>`. It holds all that is needed, so it survives a restart of the
//! proxy and a move to another process.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::text::Str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal<'a> {
    /// `signature` of a thinking block.
    Anthropic(Str<'a>),
    /// `data` of a redacted thinking block.
    Redacted(Str<'a>),
    /// `id` and `encrypted_content` of a reasoning item.
    Responses { id: Str<'a>, data: Str<'a> },
    /// `thoughtSignature` of a part.
    Gemini(Str<'a>),
}

const MARK: &str = "clown1:";

impl Seal<'_> {
    /// The text for another vendor's field. Base64 with padding: some SDKs decode it.
    pub fn sealed(&self) -> Str<'static> {
        let plain = match self {
            Self::Anthropic(signature) => format!("{MARK}a:{}", signature.plain()),
            Self::Redacted(data) => format!("{MARK}d:{}", data.plain()),
            Self::Responses { id, data } => format!("{MARK}r:{}:{}", id.plain(), data.plain()),
            Self::Gemini(signature) => format!("{MARK}g:{}", signature.plain()),
        };
        Str::quote(&STANDARD.encode(plain))
    }

    /// What was sealed; `None` for a text that is a vendor's own.
    pub fn open(text: &Str<'_>) -> Option<Seal<'static>> {
        let plain = decoded(text)?;
        let (kind, payload) = plain.strip_prefix(MARK)?.split_once(':')?;
        Some(match kind {
            "a" => Seal::Anthropic(Str::quote(payload)),
            "d" => Seal::Redacted(Str::quote(payload)),
            "r" => {
                let (id, data) = payload.split_once(':')?;
                Seal::Responses { id: Str::quote(id), data: Str::quote(data) }
            }
            "g" => Seal::Gemini(Str::quote(payload)),
            _ => return None,
        })
    }

    /// Proofs together with the thoughts they prove, as one text: a Gemini client gives back a part's
    /// signature but drops the thought before it.
    pub fn packed(thoughts: &[(Option<Self>, Str<'_>)]) -> Str<'static> {
        let list: Vec<(String, Cow<'_, str>)> = thoughts
            .iter()
            .map(|(seal, text)| (seal.as_ref().map(|s| s.sealed().raw().to_owned()).unwrap_or_default(), text.plain()))
            .collect();
        Str::quote(&STANDARD.encode(format!("{MARK}p:{}", serde_json::to_string(&list).unwrap_or_default())))
    }

    /// What was packed; `None` for any other text.
    pub fn unpack(text: &Str<'_>) -> Option<Vec<(Option<Seal<'static>>, Str<'static>)>> {
        let plain = decoded(text)?;
        let list: Vec<(String, String)> = serde_json::from_str(plain.strip_prefix(MARK)?.strip_prefix("p:")?).ok()?;
        Some(list.into_iter().map(|(seal, text)| (Seal::open(&Str::quote(&seal)), Str::quote(&text))).collect())
    }

    pub fn into_owned(self) -> Seal<'static> {
        match self {
            Self::Anthropic(s) => Seal::Anthropic(s.into_owned()),
            Self::Redacted(s) => Seal::Redacted(s.into_owned()),
            Self::Responses { id, data } => Seal::Responses { id: id.into_owned(), data: data.into_owned() },
            Self::Gemini(s) => Seal::Gemini(s.into_owned()),
        }
    }
}

/// Google's SDK for Python writes the other alphabet, whatever it was given.
fn decoded(text: &Str<'_>) -> Option<String> {
    String::from_utf8(STANDARD.decode(&*text.clone().base64().plain()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_what_is_not_stays_the_vendors() {
        let s = |t: &str| Str::quote(t);
        for seal in [
            Seal::Anthropic(s("EqQBCg+/==\"x")),
            Seal::Redacted(s("data")),
            Seal::Responses { id: s("rs_1"), data: s("gAAAA:with:colons") },
            Seal::Gemini(s("CpQ/+=")),
        ] {
            let sealed = seal.sealed();
            assert!(STANDARD.decode(sealed.raw()).is_ok());
            assert_eq!(Seal::open(&sealed), Some(seal));
        }
        for own in ["", "EqQBCgIYAhIM", "not base64!", "Y2xvd24x"] {
            assert_eq!(Seal::open(&s(own)), None, "{own}");
        }
    }

    #[test]
    fn thoughts_and_their_proofs_are_packed_together() {
        let s = |t: &str| Str::quote(t);
        let thoughts = [(Some(Seal::Anthropic(s("Eq+/=="))), s("hm\n\"é\"")), (None, s("more"))];
        assert_eq!(Seal::unpack(&Seal::packed(&thoughts)).unwrap(), thoughts);
        assert_eq!(Seal::open(&Seal::packed(&thoughts)), None);
        let odd = [(Some(Seal::Anthropic(s("?>?>?>~~"))), s("\u{fe}\u{ff}???>>>"))];
        let packed = Seal::packed(&odd).plain().into_owned();
        assert!(packed.contains(['+', '/']));
        assert_eq!(Seal::unpack(&s(&packed.replace('+', "-").replace('/', "_"))).unwrap(), odd);
        assert_eq!(Seal::unpack(&Seal::Gemini(s("x")).sealed()), None);
    }
}
