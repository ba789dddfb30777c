//! Schemas of arguments and answers, as Gemini takes them and as everyone else does.
//!
//! Gemini's `parametersJsonSchema` and `responseJsonSchema` take a part of JSON Schema (google-genai
//! 3.4.0, `response_json_schema`); a keyword outside of it fails the whole request. Its older
//! `parameters` are OpenAPI objects with upper-case types.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Copied as they are.
const PLAIN: &[&str] =
    &["type", "format", "title", "description", "required", "minItems", "maxItems", "minimum", "maximum", "propertyOrdering"];

/// How deep references are followed: a type that holds itself ends there.
const DEEPEST: usize = 24;

/// How many references of one schema are written out: each may hold several more.
const MOST: usize = 500;

/// An object's members in their order, values untouched.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.get())
    }
}

fn items(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Writes `"key":` with the comma before it.
fn key(out: &mut String, key: &str) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
    out.push_str(&serde_json::to_string(key).unwrap_or_default());
    out.push(':');
}

/// A schema of a function's arguments, for `parametersJsonSchema`: always an object's.
pub fn to_gemini(schema: &str) -> String {
    let mut out = String::with_capacity(schema.len());
    clean(schema, schema, &mut Trail::default(), &mut out);
    if Members::of(&out).is_some_and(|m| m.get("type").is_none() && m.get("anyOf").is_none()) {
        out.insert_str(1, if out.len() > 2 { r#""type":"object","# } else { r#""type":"object""# });
    }
    out
}

/// The references being followed, and how many have been.
#[derive(Default)]
struct Trail<'a> {
    open: Vec<&'a str>,
    followed: usize,
}

impl Trail<'_> {
    fn allows(&self, reference: &str) -> bool {
        self.open.len() < DEEPEST && self.followed < MOST && !self.open.contains(&reference)
    }
}

fn clean<'a>(schema: &'a str, root: &'a str, trail: &mut Trail<'a>, out: &mut String) {
    // `true`, and what is no schema at all: anything goes.
    let Some(members) = Members::of(schema) else {
        return out.push_str("{}");
    };
    if let Some(reference) = members.get("$ref") {
        return match trail.allows(reference).then(|| pointed(root, reference)).flatten() {
            Some(target) => {
                trail.open.push(reference);
                trail.followed += 1;
                clean(target, root, trail, out);
                trail.open.pop();
            }
            None => out.push_str("{}"),
        };
    }
    // `allOf` of one, as generators wrap a reference to describe it.
    if let (None, Some([only])) = (members.get("type"), members.get("allOf").map(items).as_deref()) {
        return clean(only.get(), root, trail, out);
    }
    let integer = members.get("type") == Some("\"integer\"");
    out.push('{');
    for (name, value) in &members.0 {
        let value = value.get();
        match &**name {
            "enum" => values(out, &items(value).iter().map(|v| v.get()).collect::<Vec<_>>()),
            "const" if members.get("enum").is_none() => values(out, &[value]),
            "exclusiveMinimum" if members.get("minimum").is_none() => bound(out, "minimum", value, integer, 1),
            "exclusiveMaximum" if members.get("maximum").is_none() => bound(out, "maximum", value, integer, -1),
            "properties" => {
                key(out, name);
                out.push('{');
                for (property, schema) in Members::of(value).iter().flat_map(|m| &m.0) {
                    key(out, property);
                    clean(schema.get(), root, trail, out);
                }
                out.push('}');
            }
            // A list of item schemas is the older form of `prefixItems`, and not taken.
            "items" if value.starts_with('{') => {
                key(out, name);
                clean(value, root, trail, out);
            }
            // `false` is what other vendors want said; a schema says what a map holds.
            "additionalProperties" if value.starts_with('{') => {
                key(out, name);
                clean(value, root, trail, out);
            }
            "anyOf" | "oneOf" | "prefixItems" => {
                key(out, if name == "oneOf" { "anyOf" } else { name });
                out.push('[');
                for item in items(value) {
                    if !out.ends_with('[') {
                        out.push(',');
                    }
                    clean(item.get(), root, trail, out);
                }
                out.push(']');
            }
            plain if PLAIN.contains(&plain) => {
                key(out, plain);
                out.push_str(value);
            }
            _ => {}
        }
    }
    out.push('}');
}

/// Strings and numbers only.
fn values(out: &mut String, values: &[&str]) {
    let taken = |v: &&str| v.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
    if !values.is_empty() && values.iter().all(taken) {
        key(out, "enum");
        out.push('[');
        out.push_str(&values.join(","));
        out.push(']');
    }
}

/// Whole numbers have a next one; others keep the bound itself, which is nearly as much.
fn bound(out: &mut String, name: &str, value: &str, integer: bool, step: i64) {
    let whole = value.parse::<i64>().ok().filter(|_| integer).and_then(|n| n.checked_add(step));
    // A flag, as an older draft had it.
    if value.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        key(out, name);
        out.push_str(&whole.map_or_else(|| value.to_owned(), |n| n.to_string()));
    }
}

/// What `"#/$defs/Name"` stands for.
fn pointed<'a>(root: &'a str, reference: &str) -> Option<&'a str> {
    let path: String = serde_json::from_str(reference).ok()?;
    path.strip_prefix('#')?
        .split('/')
        .skip(1)
        .try_fold(root, |json, step| Members::of(json)?.get(&step.replace("~1", "/").replace("~0", "~")))
}

/// An OpenAPI schema as JSON Schema: types in lower case, `nullable` among them, counts as numbers.
pub fn from_openapi(schema: &str) -> String {
    let mut out = String::with_capacity(schema.len());
    lower(schema, 0, &mut out);
    out
}

fn lower(schema: &str, depth: usize, out: &mut String) {
    let Some(members) = Members::of(schema).filter(|_| depth < DEEPEST) else {
        return out.push_str("{}");
    };
    let nullable = members.get("nullable") == Some("true");
    out.push('{');
    for (name, value) in &members.0 {
        let value = value.get();
        match &**name {
            "nullable" => {}
            "type" => {
                key(out, name);
                let word = value.to_ascii_lowercase();
                if nullable && word.starts_with('"') {
                    out.push_str(&format!("[{word},\"null\"]"));
                } else {
                    out.push_str(&word);
                }
            }
            "properties" => {
                key(out, name);
                out.push('{');
                for (property, schema) in Members::of(value).iter().flat_map(|m| &m.0) {
                    key(out, property);
                    lower(schema.get(), depth + 1, out);
                }
                out.push('}');
            }
            "items" if value.starts_with('{') => {
                key(out, name);
                lower(value, depth + 1, out);
            }
            "anyOf" | "any_of" => {
                key(out, "anyOf");
                out.push('[');
                for item in items(value) {
                    if !out.ends_with('[') {
                        out.push(',');
                    }
                    lower(item.get(), depth + 1, out);
                }
                out.push(']');
            }
            // 64-bit numbers are strings in Google's JSON.
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                key(out, name);
                out.push_str(value.trim_matches('"'));
            }
            "propertyOrdering" | "property_ordering" | "example" => {}
            _ => {
                key(out, name);
                out.push_str(value);
            }
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn gemini(schema: &Value) -> Value {
        serde_json::from_str(&to_gemini(&schema.to_string())).unwrap()
    }

    #[test]
    fn keywords_that_gemini_refuses_are_gone_and_their_meaning_kept() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
            "properties": {
                "n": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9, "multipleOf": 2},
                "f": {"type": "number", "exclusiveMinimum": 0.5}, "k": {"const": "a \"b\""}, "flag": {"const": true, "type": "boolean"},
                "map": {"type": "object", "additionalProperties": {"type": "string", "pattern": "x"}},
                "const": {"oneOf": [{"type": "string"}, {"type": "null"}]},
                "l": {"type": "array", "items": {"$ref": "#/$defs/Leaf"}, "uniqueItems": true},
                "d": {"allOf": [{"$ref": "#/$defs/Leaf"}], "description": "wrapped"}},
            "required": ["n"], "$defs": {"Leaf": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Leaf"}}}}
        });
        let leaf = json!({"type": "object", "properties": {"next": {}}});
        assert_eq!(
            gemini(&schema),
            json!({
                "type": "object",
                "properties": {
                    "n": {"type": "integer", "minimum": 1, "maximum": 8}, "f": {"type": "number", "minimum": 0.5},
                    "k": {"enum": ["a \"b\""]}, "flag": {"type": "boolean"},
                    "map": {"type": "object", "additionalProperties": {"type": "string"}},
                    "const": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "l": {"type": "array", "items": leaf}, "d": leaf},
                "required": ["n"]
            })
        );
        assert_eq!(gemini(&json!({})), json!({"type": "object"}));
        assert_eq!(gemini(&json!({"properties": {}})), json!({"type": "object", "properties": {}}));
    }

    #[test]
    fn references_that_grow_without_end_are_cut() {
        let many = |n: usize| json!({"$ref": format!("#/$defs/{n}")});
        let mut defs = json!({});
        for n in 0..20 {
            let next: Vec<Value> = (0..8).map(|_| many(n + 1)).collect();
            defs[n.to_string()] = json!({"anyOf": next});
        }
        let out = to_gemini(&json!({"$ref": "#/$defs/0", "$defs": defs}).to_string());
        assert!(out.len() < 1 << 20 && serde_json::from_str::<Value>(&out).is_ok());
    }

    #[test]
    fn openapi_types_become_json_schemas() {
        let schema = json!({"type": "OBJECT", "properties": {
            "type": {"type": "STRING", "nullable": true, "description": "OBJECT"},
            "a": {"type": "ARRAY", "items": {"type": "INTEGER", "format": "int32"}, "minItems": "1"},
            "b": {"anyOf": [{"type": "NUMBER"}]}}, "required": ["a"], "propertyOrdering": ["a"]});
        let want = json!({"type": "object", "properties": {
            "type": {"type": ["string", "null"], "description": "OBJECT"},
            "a": {"type": "array", "items": {"type": "integer", "format": "int32"}, "minItems": 1},
            "b": {"anyOf": [{"type": "number"}]}}, "required": ["a"]});
        assert_eq!(serde_json::from_str::<Value>(&from_openapi(&schema.to_string())).unwrap(), want);
    }
}
