//! The price table as it is kept: what prices tokens, and nothing else, a line for each model.
//!
//! LiteLLM's file is 3 MB of JSON, most of which says what models can do. Packed it is a fifth, in one piece of memory; an entry is
//! parsed when it is asked for. A line is the model's name, a tab, and its entry's fields in the order of their names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// Packed by `Table::pack` from the file of the `litellm` package that `tests/sdk/requirements.txt` pins; a test compares them.
const BUILT_IN: &[u8] = include_bytes!("../../../assets/prices/litellm.tsv.gz");
/// No table is larger. Keeps a wrong file from filling the memory.
const LIMIT: u64 = 32 << 20;

pub struct Table {
    text: Box<str>,
    /// Where each line starts.
    lines: Box<[u32]>,
}

/// Fields of an entry that say what tokens or searches cost. The rest are kinds of calls no agent makes.
pub(super) fn says_a_price(field: &str) -> bool {
    const WHOLE: &[&str] = &[
        "litellm_provider",
        "output_cost_per_image_token",
        "off_peak_pricing",
        "provider_specific_entry",
        "search_context_cost_per_query",
        "web_search_billing_unit",
        "tiered_pricing",
        "regional_endpoint_uplift_multiplier",
    ];
    const START: &[&str] = &[
        "input_cost_per_token",
        "output_cost_per_token",
        "output_cost_per_reasoning_token",
        "cache_read_input_token_cost",
        "cache_creation_input_token_cost",
        "regional_processing_uplift_multiplier_",
    ];
    const NOT: &[&str] = &["_batches", "_decisions", "_cache_hit"];
    WHOLE.contains(&field) || (START.iter().any(|start| field.starts_with(start)) && !NOT.iter().any(|end| field.ends_with(end)))
}

/// These two tell how to write entries and how to guess at missing ones. Nothing is guessed here.
pub(super) const NO_MODEL: &[&str] = &["sample_spec", "fallback_generalizations"];

/// Kinds of models that agents talk to. Entries without a kind are kept as well.
pub(super) const TALKS: &[&str] = &["\"chat\"", "\"responses\"", "\"completion\"", "null"];

impl Table {
    /// The copy inside the program.
    #[must_use]
    pub fn built_in() -> Self {
        let mut text = String::new();
        let read = flate2::read::GzDecoder::new(BUILT_IN).take(LIMIT).read_to_string(&mut text);
        // A test reads it whole. Were it broken all the same, everything would be unpriced, and say so.
        Self::of_packed(if read.is_ok() { text } else { String::new() })
    }

    /// LiteLLM's `model_prices_and_context_window.json`. The error says what is wrong with it.
    pub fn of_litellm(json: &[u8]) -> Result<Self, String> {
        if json.len() as u64 > LIMIT {
            return Err(format!("larger than {} MiB", LIMIT >> 20));
        }
        let table = Self::of_packed(Self::pack(json)?);
        if table.lines.is_empty() { Err("no model in it".to_owned()) } else { Ok(table) }
    }

    /// From the published form to the packed one.
    pub fn pack(json: &[u8]) -> Result<String, String> {
        let mut json = serde_json::Deserializer::from_slice(json);
        let entries = json.deserialize_map(Entries).and_then(|entries| json.end().map(|()| entries)).map_err(|err| err.to_string())?;
        let mut text = String::new();
        for (name, entry) in entries {
            text.push_str(&name);
            text.push('\t');
            text.push_str(&entry);
            text.push('\n');
        }
        Ok(text)
    }

    fn of_packed(text: String) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            if let Ok(start) = u32::try_from(start) {
                lines.push(start);
            }
            start = end + 1;
        }
        Self { text: text.into(), lines: lines.into() }
    }

    /// A model's entry: a JSON object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.lines.binary_search_by(|start| self.line(*start).map_or("", |(name, _)| name).cmp(name)).ok()?;
        self.lines.get(found).and_then(|start| self.line(*start)).map(|(_, entry)| entry)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|start| self.line(*start)).map(|(name, _)| name)
    }

    /// Two tables that price alike have one hash, whatever else their files say.
    #[must_use]
    pub fn hash(&self) -> blake3::Hash {
        blake3::hash(self.text.as_bytes())
    }

    fn line(&self, start: u32) -> Option<(&str, &str)> {
        let rest = self.text.get(usize::try_from(start).ok()?..)?;
        rest.get(..memchr::memchr(b'\n', rest.as_bytes())?)?.split_once('\t')
    }
}

/// Reads the file entry by entry: only what is kept stays.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object of models")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut kept = BTreeMap::new();
        while let Some((name, entry)) = map.next_entry::<String, &RawValue>()? {
            if NO_MODEL.contains(&name.as_str()) || name.contains(['\t', '\n']) {
                continue;
            }
            if let Some(entry) = packed(entry.get()) {
                kept.insert(name, entry);
            }
        }
        Ok(kept)
    }
}

/// `None` for what is no entry, or prices pictures, sounds, pages, ...
fn packed(entry: &str) -> Option<String> {
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(entry).ok()?;
    if !fields.get("mode").is_none_or(|mode| TALKS.contains(&mode.get())) {
        return None;
    }
    let mut text = String::from("{");
    for (field, value) in fields.iter().filter(|(field, value)| says_a_price(field) && value.get() != "null") {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        // Names of fields that price something are plain words.
        text.push_str(field);
        text.push_str("\":");
        without_space(value.get(), &mut text);
    }
    text.push('}');
    Some(text)
}

fn without_space(json: &str, to: &mut String) {
    let (mut quoted, mut escaped) = (false, false);
    to.extend(json.chars().filter(|char| {
        if quoted {
            (quoted, escaped) = (escaped || *char != '"', !escaped && *char == '\\');
            return true;
        }
        quoted = *char == '"';
        !char.is_ascii_whitespace()
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_inside_the_program_is_whole_and_in_order() {
        let table = Table::built_in();
        let names: Vec<&str> = table.names().collect();
        assert!(names.len() > 3000, "{}", names.len());
        assert!(names.is_sorted());
        assert!(names.iter().all(|name| table.get(name).is_some_and(|entry| entry.starts_with('{') && entry.ends_with('}'))));
        assert!(table.text.len() < 1 << 20, "{} bytes", table.text.len());
    }

    #[test]
    fn packing_keeps_what_prices_tokens_and_drops_the_rest() {
        let json = br#"{
            "sample_spec": {"input_cost_per_token": 1},
            "z": {"mode": "chat", "litellm_provider": "p", "input_cost_per_token": 1e-06, "max_tokens": 5, "output_cost_per_token": null,
                  "tiered_pricing": [ {"range": [0, 1e5], "input_cost_per_token": 1, "a b": "c \" d\\" } ]},
            "a\"b": {"input_cost_per_token_batches": 1},
            "picture": {"mode": "image_generation", "input_cost_per_token": 1},
            "not an entry": 5
        }"#;
        let packed = Table::pack(json).unwrap();
        let tiers = r#"[{"range":[0,1e5],"input_cost_per_token":1,"a b":"c \" d\\"}]"#;
        assert_eq!(
            packed,
            format!("a\"b\t{{}}\nz\t{{\"input_cost_per_token\":1e-06,\"litellm_provider\":\"p\",\"tiered_pricing\":{tiers}}}\n")
        );
        let table = Table::of_litellm(json).unwrap();
        assert_eq!(table.get("a\"b"), Some("{}"));
        assert_eq!((table.get("y"), table.get("picture"), table.get("")), (None, None, None));
    }

    #[test]
    fn tables_that_price_alike_have_one_hash() {
        let hash = |json: &str| Table::of_litellm(json.as_bytes()).unwrap().hash();
        let one = hash(r#"{"m": {"input_cost_per_token": 1, "max_tokens": 5}, "n": {}}"#);
        assert_eq!(one, hash(r#"{"n": {}, "m": {"max_tokens": 6, "input_cost_per_token": 1}}"#));
        assert_ne!(one, hash(r#"{"n": {}, "m": {"max_tokens": 6, "input_cost_per_token": 2}}"#));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for json in ["", "{", "[]", "5", "{}", r#"{"a": 5}"#, r#"{"sample_spec": {}}"#, r#"{"a": {}} trailing"#] {
            assert!(Table::of_litellm(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Table::of_litellm(b"{\"a\xff\": {}}").is_err());
    }
}
