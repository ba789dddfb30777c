//! Entries of clown's own in lists of an agent's configuration, beside the user's: put in, and taken out again.
//!
//! `.clown/entries.json` in the home remembers what was put in and how the file was before. A file that nobody changed since
//! becomes what it was, byte for byte; otherwise exactly those entries go.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table};

use super::home::inside;
use crate::{
    base::{
        error::{Error, Result},
        fsx,
    },
    wire::scripts::FileFormat,
};

const RECORD: &str = ".clown/entries.json";

/// Entries by list; the lists stand in one table of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entries {
    /// Relative to the home.
    pub file: String,
    pub format: FileFormat,
    pub table: String,
    pub lists: BTreeMap<String, Vec<Value>>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    /// What stands in the file, and while it is being written also what stood there.
    entries: Entries,
    /// The file without them; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// blake3 of the file with them, hex.
    after: String,
}

/// Makes these entries, and no others of clown's, stand in the file. Returns whether anything was written.
pub fn set_entries(home: &Path, wanted: &Entries) -> Result<bool> {
    let record_file = home.join(RECORD);
    let record: Option<Record> = match fsx::read_optional(&record_file)? {
        Some(bytes) => Some(serde_json::from_slice(&bytes).map_err(|e| {
            Error::corrupt(format!("{} cannot be read; the agent's hooks were left as they are", record_file.display()))
                .cause(e)
                .hint("remove clown's hooks from the agent's file by hand, then remove that file")
        })?),
        None => None,
    };
    let empty = wanted.lists.values().all(Vec::is_empty);
    let Some(record) = record else {
        return if empty { Ok(false) } else { put(home, wanted, None).map(|()| true) };
    };
    let now = read(home, &record.entries.file)?;
    if record.entries == *wanted && now.as_deref().is_some_and(|now| holds(wanted, now)) {
        return Ok(false);
    }
    let before = match now {
        Some(now) if hash(&now) == record.after => record.before.clone(),
        Some(now) => Some(without(&record.entries, &now).map_err(|e| left(home, &record.entries.file, e))?),
        None => None,
    };
    if empty || record.entries.file != wanted.file {
        match &before {
            Some(text) => write(home, &record.entries.file, text)?,
            None => fsx::remove(&home.join(&record.entries.file))?,
        }
        fsx::remove(&record_file)?;
        return if empty { Ok(true) } else { put(home, wanted, None).map(|()| true) };
    }
    put(home, wanted, Some((record, before))).map(|()| true)
}

/// A file of this home as it is without clown's entries, and its name; `None` when clown has none there.
pub fn without_ours(home: &Path) -> Result<Option<(String, String)>> {
    let Some(bytes) = fsx::read_optional(&home.join(RECORD))? else { return Ok(None) };
    let record: Record = serde_json::from_slice(&bytes).map_err(|e| Error::corrupt(format!("{RECORD} cannot be read")).cause(e))?;
    let file = record.entries.file.clone();
    let Some(now) = read(home, &file)? else { return Ok(None) };
    let text = without(&record.entries, &now).map_err(|e| left(home, &file, e))?;
    Ok(Some((file, text)))
}

/// Writes the file with the entries. First it is noted what may stand there, so that a crash leaves nothing that is not known.
fn put(home: &Path, wanted: &Entries, known: Option<(Record, Option<String>)>) -> Result<()> {
    let (mut noted, before) = match known {
        Some((record, before)) => (record.entries, before),
        None => (Entries { lists: BTreeMap::new(), ..wanted.clone() }, read(home, &wanted.file)?),
    };
    let text = with(wanted, before.as_deref().unwrap_or_default()).map_err(|e| left(home, &wanted.file, e))?;
    for (list, entries) in &wanted.lists {
        noted.lists.entry(list.clone()).or_default().extend(entries.iter().cloned());
    }
    let note = |entries: Entries| -> Result<()> {
        let record = Record { version: 1, entries, before: before.clone(), after: hash(&text) };
        let bytes = serde_json::to_vec_pretty(&record).map_err(|e| Error::io("the note of the hooks cannot be encoded").cause(e))?;
        fsx::write_atomic(&home.join(RECORD), &bytes, fsx::Mode::Private)
    };
    note(noted)?;
    write(home, &wanted.file, &text)?;
    note(wanted.clone())
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn left(home: &Path, file: &str, why: Error) -> Error {
    Error::corrupt(format!("{} was left as it is", home.join(file).display())).cause(why).hint("mend that file and try again")
}

fn read(home: &Path, file: &str) -> Result<Option<String>> {
    inside(home, file)?;
    let bytes = fsx::read_optional(&home.join(file))?;
    bytes.map(|b| String::from_utf8(b).map_err(|e| left(home, file, Error::corrupt("it is not UTF-8 text").cause(e)))).transpose()
}

fn write(home: &Path, file: &str, text: &str) -> Result<()> {
    inside(home, file)?;
    fsx::write_atomic(&home.join(file), text.as_bytes(), fsx::Mode::Private)
}

fn holds(entries: &Entries, text: &str) -> bool {
    let Ok(whole) = parsed(entries.format, text) else { return false };
    entries.lists.iter().all(|(list, wanted)| {
        let there = whole.get(&entries.table).and_then(|t| t.get(list)).and_then(Value::as_array);
        wanted.iter().all(|entry| there.is_some_and(|there| there.contains(entry)))
    })
}

fn with(entries: &Entries, text: &str) -> Result<String> {
    if entries.format == FileFormat::Toml {
        let mut doc = toml(text)?;
        for (list, wanted) in &entries.lists {
            let table = doc.entry(&entries.table).or_insert_with(|| {
                let mut table = Table::new();
                table.set_implicit(true);
                Item::Table(table)
            });
            let table = table.as_table_like_mut().ok_or_else(|| Error::corrupt(format!("{} is no table", entries.table)))?;
            match table.entry(list).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
                Item::ArrayOfTables(tables) => wanted.iter().for_each(|entry| tables.push(to_table(entry))),
                Item::Value(toml_edit::Value::Array(array)) => wanted.iter().for_each(|entry| array.push(to_toml(entry))),
                _ => return Err(Error::corrupt(format!("{}.{list} is no list", entries.table))),
            }
        }
        return Ok(doc.to_string());
    }
    let mut whole = parsed(entries.format, text)?;
    for (list, wanted) in &entries.lists {
        let table = whole.as_object_mut().ok_or_else(|| Error::corrupt("it is no JSON object"))?;
        let table = table.entry(entries.table.clone()).or_insert_with(|| Value::Object(serde_json::Map::new()));
        let table = table.as_object_mut().ok_or_else(|| Error::corrupt(format!("{} is no object", entries.table)))?;
        let there = table.entry(list.clone()).or_insert_with(|| Value::Array(Vec::new()));
        let there = there.as_array_mut().ok_or_else(|| Error::corrupt(format!("{}.{list} is no list", entries.table)))?;
        there.extend(wanted.iter().cloned());
    }
    pretty(&whole)
}

/// Each entry goes once; lists and a table that are empty then go too.
fn without(entries: &Entries, text: &str) -> Result<String> {
    if entries.format == FileFormat::Toml {
        let mut doc = toml(text)?;
        let Some(table) = doc.get_mut(&entries.table).and_then(Item::as_table_like_mut) else { return Ok(text.to_owned()) };
        for (list, gone) in &entries.lists {
            let Some(there) = table.get_mut(list) else { continue };
            let left = match there {
                Item::ArrayOfTables(tables) => {
                    for entry in gone {
                        let at = tables.iter().position(|t| from_table(t.iter()) == *entry);
                        if let Some(at) = at {
                            tables.remove(at);
                        }
                    }
                    tables.len()
                }
                Item::Value(toml_edit::Value::Array(array)) => {
                    for entry in gone {
                        let at = array.iter().position(|v| from_toml(v) == *entry);
                        if let Some(at) = at {
                            array.remove(at);
                        }
                    }
                    array.len()
                }
                _ => continue,
            };
            if left == 0 {
                table.remove(list);
            }
        }
        if table.is_empty() {
            doc.remove(&entries.table);
        }
        return Ok(doc.to_string());
    }
    let mut whole = parsed(entries.format, text)?;
    let Some(top) = whole.as_object_mut() else { return Ok(text.to_owned()) };
    let Some(table) = top.get_mut(&entries.table).and_then(Value::as_object_mut) else { return Ok(text.to_owned()) };
    for (list, gone) in &entries.lists {
        let Some(there) = table.get_mut(list).and_then(Value::as_array_mut) else { continue };
        for entry in gone {
            if let Some(at) = there.iter().position(|v| v == entry) {
                there.remove(at);
            }
        }
        if there.is_empty() {
            table.shift_remove(list);
        }
    }
    if table.is_empty() {
        top.shift_remove(&entries.table);
    }
    pretty(&whole)
}

fn pretty(whole: &Value) -> Result<String> {
    serde_json::to_string_pretty(whole).map(|text| text + "\n").map_err(|e| Error::io("cannot encode it").cause(e))
}

fn toml(text: &str) -> Result<DocumentMut> {
    text.parse().map_err(|e: toml_edit::TomlError| Error::corrupt("it is not valid TOML").cause(e))
}

fn parsed(format: FileFormat, text: &str) -> Result<Value> {
    match format {
        FileFormat::Toml => Ok(from_table(toml(text)?.iter())),
        _ if text.trim().is_empty() => Ok(Value::Object(serde_json::Map::new())),
        _ => serde_json::from_str(text).map_err(|e| Error::corrupt("it is not valid JSON").cause(e)),
    }
}

fn to_table(entry: &Value) -> Table {
    entry.as_object().into_iter().flatten().map(|(key, value)| (key, to_toml(value))).collect()
}

fn to_toml(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(yes) => (*yes).into(),
        Value::Number(n) => n.as_i64().map_or_else(|| n.as_f64().unwrap_or_default().into(), Into::into),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_toml).collect::<Array>().into(),
        Value::Object(map) => map.iter().map(|(key, value)| (key, to_toml(value))).collect::<InlineTable>().into(),
        Value::Null => "".into(),
    }
}

fn from_table<'a>(table: impl Iterator<Item = (&'a str, &'a Item)>) -> Value {
    Value::Object(table.map(|(key, item)| (key.to_owned(), from_item(item))).collect())
}

fn from_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => from_toml(value),
        Item::Table(table) => from_table(table.iter()),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| from_table(table.iter())).collect(),
    }
}

fn from_toml(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(n) => (*n.value()).into(),
        toml_edit::Value::Float(n) => (*n.value()).into(),
        toml_edit::Value::Boolean(yes) => (*yes.value()).into(),
        toml_edit::Value::Datetime(at) => at.value().to_string().into(),
        toml_edit::Value::Array(items) => items.iter().map(from_toml).collect(),
        toml_edit::Value::InlineTable(map) => Value::Object(map.iter().map(|(key, value)| (key.to_owned(), from_toml(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entries(format: FileFormat, lists: Value) -> Entries {
        let file = if format == FileFormat::Toml { "c.toml" } else { "c.json" };
        Entries { file: file.into(), format, table: "hooks".into(), lists: serde_json::from_value(lists).unwrap() }
    }

    const CASES: [(FileFormat, &str); 2] = [
        (FileFormat::Json, "{ \"z\":1,\"hooks\" : {\"Stop\":[{\"mine\":1}]} }"),
        (FileFormat::Toml, "# mine\nz = 1 # why\n\n[[hooks.Stop]]\nmine = 1\n\n[last]\nx = [1,  2]\n"),
    ];

    fn look(home: &Path, format: FileFormat) -> Value {
        let file = if format == FileFormat::Toml { "c.toml" } else { "c.json" };
        parsed(format, &std::fs::read_to_string(home.join(file)).unwrap()).unwrap()
    }

    #[test]
    fn they_stand_beside_the_users_and_go_without_a_trace() {
        for (format, text) in CASES {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(entries(format, json!({})).file);
            std::fs::write(&path, text).unwrap();
            let ours = json!({"matcher": "Bash", "hooks": [{"type": "command", "command": "x", "timeout": 5}]});
            assert!(set_entries(dir.path(), &entries(format, json!({"Stop": [ours], "Start": [ours]}))).unwrap());
            let now = look(dir.path(), format);
            assert_eq!((&now["hooks"], &now["z"]), (&json!({"Stop": [{"mine": 1}, ours], "Start": [ours]}), &json!(1)), "{format:?}");
            let same = entries(format, json!({"Stop": [ours], "Start": [ours]}));
            assert!(!set_entries(dir.path(), &same).unwrap(), "the second time nothing changes");
            assert!(set_entries(dir.path(), &entries(format, json!({"Stop": [{"other": 1}]}))).unwrap());
            assert_eq!(look(dir.path(), format)["hooks"], json!({"Stop": [{"mine": 1}, {"other": 1}]}));
            assert!(set_entries(dir.path(), &entries(format, json!({}))).unwrap());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert!(!dir.path().join(RECORD).exists());
        }
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_keeps_the_change() {
        for (format, text) in CASES {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(entries(format, json!({})).file);
            std::fs::write(&path, text).unwrap();
            set_entries(dir.path(), &entries(format, json!({"Stop": [{"ours": 1}], "Start": [{"ours": 2}]}))).unwrap();
            let with_change = std::fs::read_to_string(&path).unwrap().replace("mine", "changed");
            std::fs::write(&path, with_change).unwrap();
            set_entries(dir.path(), &entries(format, json!({}))).unwrap();
            assert_eq!(look(dir.path(), format)["hooks"], json!({"Stop": [{"changed": 1}]}), "{format:?}");
        }
    }

    #[test]
    fn a_file_of_ours_alone_goes_and_a_broken_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        set_entries(dir.path(), &entries(FileFormat::Json, json!({"Stop": [1]}))).unwrap();
        assert!(dir.path().join("c.json").exists());
        set_entries(dir.path(), &entries(FileFormat::Json, json!({}))).unwrap();
        assert!(!dir.path().join("c.json").exists());
        for (format, file) in [(FileFormat::Json, "c.json"), (FileFormat::Toml, "c.toml")] {
            std::fs::write(dir.path().join(file), "{oops").unwrap();
            assert!(set_entries(dir.path(), &entries(format, json!({"Stop": [{"a": 1}]}))).is_err());
            assert_eq!(std::fs::read_to_string(dir.path().join(file)).unwrap(), "{oops");
            assert!(!dir.path().join(RECORD).exists());
        }
    }
}
