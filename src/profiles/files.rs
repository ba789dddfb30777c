//! Writes the files a script asks for, into the profile home only.
//!
//! `seed` writes a file that is missing. `merge` sets the script's own keys and keeps every other
//! key, comment and order that is there. `extend` does that and adds to lists.

use std::path::Path;

use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table};

use super::home::inside;
use crate::{
    base::{
        error::{Error, Result},
        fsx,
        secret::Secret,
    },
    wire::{
        runs::KEY_PLACEHOLDER,
        scripts::{File, FileFormat, FileMode},
    },
};

/// Text that stands for the last 20 characters of a key, as Claude Code records an approved key.
const LAST_20: &str = "${API_KEY:last20}";

/// What fills the placeholders in files.
pub struct Fill<'a> {
    /// Absent when the key is not held by clown, or there is none.
    pub key: Option<&'a Secret>,
    /// The key is another one now: seeds that name it are merged into the file that is there.
    pub rekey: bool,
}

impl Fill<'_> {
    /// Replaces the placeholders in every text of a value.
    fn value(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(items) => Value::Array(items.iter().map(|i| self.value(i)).collect::<Result<_>>()?),
            Value::Object(map) => Value::Object(map.iter().map(|(k, v)| Ok((k.clone(), self.value(v)?))).collect::<Result<_>>()?),
            other => other.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<String> {
        let text = if text.contains(LAST_20) {
            let key = self.key.map(Secret::expose).unwrap_or_default();
            // Of a short key this would be most of it.
            let tail = if key.len() >= 40 && key.is_ascii() { &key[key.len() - 20..] } else { "" };
            text.replace(LAST_20, tail)
        } else {
            text.to_owned()
        };
        if !text.contains(KEY_PLACEHOLDER) {
            return Ok(text);
        }
        match self.key {
            Some(key) => Ok(text.replace(KEY_PLACEHOLDER, key.expose())),
            None => Err(Error::unsupported("this agent needs its key in a file, and the key of this profile is only read at each run")
                .hint("store the key: clown profiles edit ALIAS --api-key-stdin")),
        }
    }
}

/// Writes what is missing or different; returns the paths written.
pub fn apply(home: &Path, files: &[File], fill: &Fill<'_>) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for file in files {
        inside(home, &file.path)?;
        let path = home.join(&file.path);
        let before = fsx::read_optional(&path)?;
        let renew = fill.rekey && file.content.to_string().contains("${API_KEY");
        if before.is_some() && file.mode == FileMode::Seed && !renew {
            continue;
        }
        let content = fill.value(&file.content)?;
        let named = |e: Error| Error::corrupt(format!("{} was left as it is", path.display())).cause(e);
        let after = render(file, &content, before.as_deref()).map_err(named)?;
        if before.as_deref() != Some(after.as_bytes()) {
            fsx::write_atomic(&path, after.as_bytes(), fsx::Mode::Private)?;
            written.push(file.path.clone());
        }
    }
    Ok(written)
}

/// Parts of JSON files that came with an import: by path, for when the script has made these files.
pub(crate) const PENDING: &str = ".clown/pending.json";

/// Merges what waits, once.
pub fn apply_pending(home: &Path) -> Result<Vec<String>> {
    let place = home.join(PENDING);
    let Some(bytes) = fsx::read_optional(&place)? else { return Ok(Vec::new()) };
    let wrong = |e: serde_json::Error| Error::corrupt(format!("{} cannot be read", place.display())).cause(e).hint("remove it");
    let parts: serde_json::Map<String, Value> = serde_json::from_slice(&bytes).map_err(wrong)?;
    let files: Vec<File> =
        parts.into_iter().map(|(path, content)| File { path, format: FileFormat::Json, mode: FileMode::Merge, content }).collect();
    let written = apply(home, &files, &Fill { key: None, rekey: false })?;
    fsx::remove(&place)?;
    Ok(written)
}

fn render(file: &File, content: &Value, before: Option<&[u8]>) -> Result<String> {
    let before = before
        .map(|b| std::str::from_utf8(b).map_err(|e| Error::corrupt("it is not UTF-8 text").cause(e)))
        .transpose()?
        .filter(|text| !text.trim().is_empty());
    match file.format {
        FileFormat::Text => Ok(content.as_str().unwrap_or_default().to_owned()),
        FileFormat::Json => {
            let mut whole: Value = match before {
                Some(text) => serde_json::from_str(text).map_err(|e| Error::corrupt("it is not valid JSON").cause(e))?,
                None => Value::Object(serde_json::Map::new()),
            };
            let unchanged = whole.clone();
            merge_json(&mut whole, content);
            match before {
                // Not even the white space of an unchanged file is touched.
                Some(text) if whole == unchanged => Ok(text.to_owned()),
                _ => serde_json::to_string_pretty(&whole).map(|t| t + "\n").map_err(|e| Error::io("cannot encode it").cause(e)),
            }
        }
        FileFormat::Toml => {
            let mut doc: DocumentMut =
                before.unwrap_or_default().parse().map_err(|e: toml_edit::TomlError| Error::corrupt("it is not valid TOML").cause(e))?;
            let text = toml::to_string(content).map_err(|e| Error::script("the script's content is no TOML").cause(e))?;
            let new: DocumentMut =
                text.parse().map_err(|e: toml_edit::TomlError| Error::script("the script's content is no TOML").cause(e))?;
            merge_toml(doc.as_table_mut(), new.as_table());
            Ok(doc.to_string())
        }
    }
}

/// With `extend` what a list lacks is added to it; else the list is replaced.
fn merge_json(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge_json(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => from.clone_into(into),
    }
}

fn merge_toml(into: &mut Table, from: &Table) {
    for (key, item) in from {
        match (into.get_mut(key), item) {
            (Some(Item::Table(old)), Item::Table(new)) => merge_toml(old, new),
            (Some(Item::Value(old)), Item::Value(new)) => {
                if !same(old, new) {
                    let decor = old.decor().clone();
                    *old = new.clone();
                    *old.decor_mut() = decor;
                }
            }
            (Some(old), new) => *old = new.clone(),
            (None, new) => {
                into.insert(key, new.clone());
            }
        }
    }
}

fn same(a: &toml_edit::Value, b: &toml_edit::Value) -> bool {
    let plain = |v: &toml_edit::Value| v.clone().decorated("", "").to_string();
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(path: &str, format: FileFormat, mode: FileMode, content: Value) -> File {
        File { path: path.into(), format, content, mode }
    }

    fn write(home: &Path, file: File) -> Vec<String> {
        apply(home, &[file], &Fill { key: None, rekey: false }).unwrap()
    }

    #[test]
    fn a_seed_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let seed = || file("a/s.json", FileFormat::Json, FileMode::Seed, json!({"a": 1}));
        assert_eq!(write(dir.path(), seed()), ["a/s.json"]);
        std::fs::write(dir.path().join("a/s.json"), "mine").unwrap();
        assert!(write(dir.path(), seed()).is_empty());
        assert_eq!(std::fs::read_to_string(dir.path().join("a/s.json")).unwrap(), "mine");
    }

    #[test]
    fn a_seed_that_names_the_key_follows_a_new_key_and_keeps_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s.json"), "{\"mine\":1,\"approved\":[\"old\"]}").unwrap();
        let key = Secret::new("k".repeat(40) + "ABCDEFGHIJKLMNOPQRST");
        let seed = file("s.json", FileFormat::Json, FileMode::Seed, json!({"approved": ["${API_KEY:last20}"]}));
        apply(dir.path(), &[seed], &Fill { key: Some(&key), rekey: true }).unwrap();
        let now: Value = serde_json::from_slice(&std::fs::read(dir.path().join("s.json")).unwrap()).unwrap();
        assert_eq!(now, json!({"mine": 1, "approved": ["ABCDEFGHIJKLMNOPQRST"]}));
    }

    #[test]
    fn a_merge_keeps_the_users_keys_comments_and_order() {
        let dir = tempfile::tempdir().unwrap();
        let toml = dir.path().join("c.toml");
        std::fs::write(&toml, "# mine\nz = 1\nmodel = \"old\" # because\n\n[features]\nx = true\n").unwrap();
        let merge = || file("c.toml", FileFormat::Toml, FileMode::Merge, json!({"model": "new", "features": {"y": false}}));
        assert_eq!(write(dir.path(), merge()), ["c.toml"]);
        assert_eq!(
            std::fs::read_to_string(&toml).unwrap(),
            "# mine\nz = 1\nmodel = \"new\" # because\n\n[features]\nx = true\ny = false\n"
        );
        assert!(write(dir.path(), merge()).is_empty(), "the second time nothing changes");

        std::fs::write(dir.path().join("c.json"), "{\"z\":1,\"hooks\":{\"mine\":[]}}").unwrap();
        write(dir.path(), file("c.json", FileFormat::Json, FileMode::Merge, json!({"hooks": {"ours": 1}})));
        let text = std::fs::read_to_string(dir.path().join("c.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"z": 1, "hooks": {"mine": [], "ours": 1}}));
    }

    #[test]
    fn a_file_that_does_not_parse_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("c.json"), "{oops").unwrap();
        let merge = file("c.json", FileFormat::Json, FileMode::Merge, json!({"a": 1}));
        assert!(apply(dir.path(), &[merge], &Fill { key: None, rekey: false }).is_err());
        assert_eq!(std::fs::read_to_string(dir.path().join("c.json")).unwrap(), "{oops");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        std::fs::write(&outside, "safe").unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        crate::base::os::symlink(&outside, &home.join("c.json")).unwrap();
        let merge = file("c.json", FileFormat::Json, FileMode::Merge, json!({"a": 1}));
        assert!(apply(&home, &[merge], &Fill { key: None, rekey: false }).is_err());
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "safe");
    }

    #[test]
    fn placeholders_are_filled_and_short_keys_never_quoted() {
        let long = Secret::new(format!("sk-{}", "x".repeat(30) + "ABCDEFGHIJKLMNOPQRST"));
        let fill = Fill { key: Some(&long), rekey: false };
        assert_eq!(fill.value(&json!(["${API_KEY:last20}"])).unwrap(), json!(["ABCDEFGHIJKLMNOPQRST"]));
        let short = Secret::new("short-key-0123456789".into());
        assert_eq!(Fill { key: Some(&short), rekey: false }.text("${API_KEY:last20}").unwrap(), "");
        assert_eq!(Fill { key: Some(&short), rekey: false }.text("k=${API_KEY}").unwrap(), "k=short-key-0123456789");
        assert!(Fill { key: None, rekey: false }.text("${API_KEY}").is_err());
    }
}
