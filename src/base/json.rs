//! JSON that can be read in one way only: no key twice in an object, nothing after the end, valid text throughout.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Reads a value after making sure that every reader of these bytes would read the same.
pub fn strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    unambiguous(bytes)?;
    serde_json::from_slice(bytes)
}

/// That alone.
pub fn unambiguous(bytes: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<Unambiguous>(bytes).map(|_| ())
}

/// Any JSON value; reading it fails where an object has a key twice.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unambiguous, A::Error> {
        let mut seen = HashSet::new();
        // Keys are compared as they are read, so one written with escapes is the same key.
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<Unambiguous>()?;
            if let Some(again) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key {again:?} stands twice in one object")));
            }
        }
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unambiguous, A::Error> {
        while seq.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unambiguous, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Unambiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<serde_json::Value, String> {
        strict(text.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_key_twice_at_any_depth_is_refused() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"b":{"a":1,"\u0061":2}}]}"#, r#"{"unknown":{"k":null,"k":null}}"#] {
            assert!(read(text).unwrap_err().contains("stands twice"), "{text}");
        }
        assert!(read(r#"{"a":{"a":[1,2.5,null,true,"x",-1]},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn attack_23_anything_after_the_end_is_refused() {
        for text in ["{}{}", "{} x", "{}\0", "[]]"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("{} \n").is_ok());
    }

    #[test]
    fn text_that_is_no_text_and_nesting_without_end_are_refused() {
        assert!(strict::<serde_json::Value>(b"{\"a\":\"\xff\"}").is_err());
        assert!(strict::<serde_json::Value>(b"\xef\xbb\xbf{}").is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
