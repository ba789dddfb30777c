//! Reads and edits the file.

use std::path::PathBuf;

use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table};

use crate::{
    base::{
        error::{Error, Result, closest},
        fsx,
    },
    wire::config::{Setting, Settings},
};

/// One setting this build knows.
pub struct Known {
    pub key: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

pub enum Kind {
    /// One of these words; the first is the default.
    Word(&'static [&'static str]),
    /// A whole number from 0, with its default.
    Number(u64),
    /// Any text without control characters, with its default.
    Text(&'static str),
    /// Words; none by default. On the command line with commas or spaces between.
    List,
}

pub const SETTINGS: &[Known] = &[
    Known {
        key: "secrets.backend",
        kind: Kind::Word(&["keychain", "file"]),
        help: "where new keys are kept; file is one 0600 file without encryption",
    },
    Known { key: "daemon.idle_timeout", kind: Kind::Number(600), help: "seconds without work until the daemon exits; 0 is never" },
    Known { key: "daemon.log_level", kind: Kind::Word(&["info", "error", "warn", "debug", "trace"]), help: "detail of logs/clownd.log" },
    Known { key: "http.enabled", kind: Kind::Word(&["on", "off"]), help: "whether the daemon serves the web UI and the API" },
    Known { key: "http.port", kind: Kind::Number(8765), help: "their port; another free one when it is taken, 0 is any" },
    Known { key: "http.bind", kind: Kind::Text("127.0.0.1"), help: "their address; only of this machine" },
    Known {
        key: "otel.endpoint",
        kind: Kind::Text(""),
        help: "collector that gets figures by OTLP over HTTP, such as http://127.0.0.1:4318",
    },
    Known { key: "otel.interval_seconds", kind: Kind::Number(60), help: "how often it gets them" },
    Known { key: "proxy.first_port", kind: Kind::Number(8080), help: "first port that proxies of profiles may take" },
    Known { key: "proxy.last_port", kind: Kind::Number(8180), help: "the last one" },
    Known {
        key: "proxy.idle_timeout",
        kind: Kind::Number(600),
        help: "seconds without a session or request until a proxy stops; 0 is never",
    },
    Known {
        key: "proxy.engine",
        kind: Kind::Text("auto"),
        help: "what serves proxies: auto (an ultrallm found here, else the one in clown), embedded, or a path",
    },
    Known {
        key: "proxy.log_content",
        kind: Kind::Word(&["off", "on"]),
        help: "whether proxies log requests and replies, keys blotted out",
    },
    Known {
        key: "usage.roots",
        kind: Kind::Text(""),
        help: "more directories with agents' logs, like claude=/data/claude,codex=/mnt/codex",
    },
    Known { key: "registry.url", kind: Kind::Text(""), help: "where the registry is; https, or http on this machine" },
    Known { key: "registry.channel", kind: Kind::Word(&["stable", "beta", "nightly"]), help: "which of its channels to follow" },
    Known {
        key: "registry.trusted_keys",
        kind: Kind::List,
        help: "public keys (minisign) whose signatures count; none: those inside clown",
    },
    Known { key: "registry.threshold", kind: Kind::Number(0), help: "how many of them must sign; 0 is more than half" },
    Known { key: "registry.ca_file", kind: Kind::Text(""), help: "PEM file of a certificate authority to trust for the registry" },
    Known { key: "registry.refresh_hours", kind: Kind::Number(24), help: "hours until the daemon asks the registry by itself; 0 is never" },
    Known { key: "registry.offline", kind: Kind::Word(&["off", "on"]), help: "on: no sync goes to the network" },
    Known {
        key: "registry.prices_url",
        kind: Kind::Text("https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"),
        help: "where a sync gets LiteLLM's prices; off is nowhere",
    },
    Known { key: "update.url", kind: Kind::Text(""), help: "where releases of clown are; none: the address inside clown" },
    Known {
        key: "update.trusted_keys",
        kind: Kind::List,
        help: "public keys (minisign), more than half of which must sign a release; none: those inside clown",
    },
];

/// Free keys: handed to every script as `ctx.preferences`.
const PREFERENCES: &str = "preferences";

/// Tables whose keys are the user's own: prices of models.
const TABLES: &[&str] = &["usage.prices"];

impl Known {
    fn default_value(&self) -> Value {
        match self.kind {
            Kind::Word(words) => words.first().copied().unwrap_or_default().into(),
            Kind::Number(n) => n.into(),
            Kind::Text(text) => text.into(),
            Kind::List => Value::Array(Vec::new()),
        }
    }

    fn check(&self, item: &Item) -> Option<Value> {
        match self.kind {
            Kind::Word(words) => item.as_str().filter(|w| words.contains(w)).map(Value::from),
            Kind::Number(_) => item.as_integer().and_then(|n| u64::try_from(n).ok()).map(Value::from),
            Kind::Text(_) => item.as_str().map(Value::from),
            Kind::List => item.as_array()?.iter().map(|v| v.as_str().map(Value::from)).collect(),
        }
    }

    fn parse(&self, text: &str) -> Result<toml_edit::Value> {
        match self.kind {
            Kind::Word(words) if words.contains(&text) => Ok(text.into()),
            Kind::Word(words) => {
                Err(Error::invalid(format!("{} cannot be {text:?}", self.key)).hint(format!("use one of: {}", words.join(", "))))
            }
            Kind::List if !text.chars().any(char::is_control) => {
                Ok(text.split([',', ' ']).filter(|w| !w.is_empty()).collect::<toml_edit::Array>().into())
            }
            Kind::Text(_) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(text.into()),
            Kind::List | Kind::Text(_) => Err(Error::invalid(format!("{} cannot be {text:?}", self.key)).hint("use a word or a path")),
            Kind::Number(_) => text
                .parse::<u32>()
                .map(|n| i64::from(n).into())
                .map_err(|_| Error::invalid(format!("{} cannot be {text:?}", self.key)).hint("use a whole number from 0")),
        }
    }
}

pub struct ConfigFile {
    path: PathBuf,
}

impl ConfigFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn read(&self) -> Result<DocumentMut> {
        let Some(bytes) = fsx::read_optional(&self.path)? else { return Ok(DocumentMut::new()) };
        let text = String::from_utf8(bytes).map_err(|_| Error::corrupt(format!("{} is not UTF-8 text", self.path.display())))?;
        text.parse().map_err(|e: toml_edit::TomlError| {
            Error::corrupt(format!("{} is not valid TOML", self.path.display()))
                .cause(e)
                .hint("mend the line named above; clown leaves the file as it is")
        })
    }

    /// Value of a known setting: the file's, or the default.
    pub fn get(&self, key: &str) -> Result<Value> {
        let known = SETTINGS.iter().find(|k| k.key == key).ok_or_else(|| Error::defect(format!("no setting {key}")))?;
        let doc = self.read()?;
        match look(&doc, key) {
            None => Ok(known.default_value()),
            Some(item) => known.check(item).ok_or_else(|| {
                let shown = item.to_string();
                known
                    .parse(shown.trim())
                    .err()
                    .unwrap_or_else(|| Error::invalid(format!("{key} has a value of the wrong kind in {}", self.path.display())))
            }),
        }
    }

    pub fn text(&self, key: &str) -> Result<String> {
        Ok(self.get(key)?.as_str().unwrap_or_default().to_owned())
    }

    pub fn words(&self, key: &str) -> Result<Vec<String>> {
        let value = self.get(key)?;
        Ok(value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect())
    }

    pub fn number(&self, key: &str) -> Result<u64> {
        Ok(self.get(key)?.as_u64().unwrap_or_default())
    }

    /// The `[preferences]` table, as text.
    pub fn preferences(&self) -> Result<std::collections::BTreeMap<String, String>> {
        let doc = self.read()?;
        let table = doc.get(PREFERENCES).and_then(Item::as_table_like);
        Ok(table.map(|t| t.iter().filter_map(|(k, v)| Some((k.to_owned(), plain(v)?))).collect()).unwrap_or_default())
    }

    /// What the file would be with these preferences.
    pub fn with_preferences(&self, new: &std::collections::BTreeMap<String, String>) -> Result<String> {
        let mut doc = self.read()?;
        let table = doc.entry(PREFERENCES).or_insert_with(|| Item::Table(Table::new()));
        let table =
            table.as_table_like_mut().ok_or_else(|| Error::corrupt(format!("{PREFERENCES} is not a table in {}", self.path.display())))?;
        for (name, value) in new {
            table.insert(name, Item::Value(value.as_str().into()));
        }
        Ok(doc.to_string())
    }

    /// A table of the user's own keys, such as `[usage.prices]`.
    pub fn table<T: serde::de::DeserializeOwned>(&self, section: &str, name: &str) -> Result<Option<T>> {
        let wrong = |e: toml::de::Error| Error::invalid(format!("[{section}.{name}] is wrong in {}: {}", self.path.display(), e.message()));
        let doc: toml::Table = toml::from_str(&self.read()?.to_string()).map_err(wrong)?;
        let found = doc.get(section).and_then(|section| section.get(name)).cloned();
        found.map(|table| table.try_into().map_err(wrong)).transpose()
    }

    pub fn list(&self) -> Result<Settings> {
        let doc = self.read()?;
        let mut settings: Vec<Setting> = SETTINGS
            .iter()
            .map(|known| Setting {
                key: known.key.into(),
                value: look(&doc, known.key).and_then(|i| known.check(i)).unwrap_or_else(|| known.default_value()),
                default: known.default_value(),
                help: known.help.into(),
                note: None,
            })
            .collect();
        for (name, value) in self.preferences()? {
            settings.push(Setting {
                key: format!("{PREFERENCES}.{name}"),
                value: value.into(),
                default: Value::Null,
                help: "given to set-up scripts".into(),
                note: None,
            });
        }
        Ok(Settings { file: self.path.display().to_string(), settings, warnings: warnings(&doc) })
    }

    /// Sets a key, or puts its default back. The rest of the file stays byte for byte.
    pub fn set(&self, key: &str, value: Option<&str>) -> Result<Setting> {
        let _lock = fsx::lock_beside(&self.path)?;
        let mut doc = self.read()?;
        let (section, name) = split(key)?;
        let new = match value {
            None => None,
            Some(text) if section == PREFERENCES => Some(toml_edit::Value::from(text)),
            Some(text) => Some(find(key)?.parse(text)?),
        };
        match new {
            Some(mut new) => {
                let table = doc.entry(section).or_insert_with(|| Item::Table(Table::new()));
                let table = table
                    .as_table_like_mut()
                    .ok_or_else(|| Error::corrupt(format!("{section} is not a table in {}", self.path.display())))?;
                // A replaced value would lose the comment behind it.
                if let Some(old) = table.get(name).and_then(Item::as_value) {
                    *new.decor_mut() = old.decor().clone();
                }
                table.insert(name, Item::Value(new));
            }
            None => {
                if section != PREFERENCES {
                    find(key)?;
                }
                if let Some(table) = doc.get_mut(section).and_then(Item::as_table_like_mut) {
                    table.remove(name);
                }
            }
        }
        fsx::write_atomic(&self.path, doc.to_string().as_bytes(), fsx::Mode::Private)?;
        let listed = self.list()?.settings.into_iter().find(|s| s.key == key);
        Ok(listed.unwrap_or(Setting { key: key.into(), value: Value::Null, default: Value::Null, help: String::new(), note: None }))
    }
}

fn look<'a>(doc: &'a DocumentMut, key: &str) -> Option<&'a Item> {
    let (section, name) = key.split_once('.')?;
    doc.get(section)?.as_table_like()?.get(name)
}

fn find(key: &str) -> Result<&'static Known> {
    SETTINGS.iter().find(|k| k.key == key).ok_or_else(|| {
        let error = Error::invalid(format!("there is no setting {key:?}"));
        match closest(key, SETTINGS.iter().map(|k| k.key)) {
            Some(near) => error.hint(format!("did you mean {near}")),
            None => error.hint("list settings: clown config list"),
        }
    })
}

fn split(key: &str) -> Result<(&str, &str)> {
    match key.split_once('.') {
        Some((section, name)) if !section.is_empty() && !name.is_empty() && !name.contains('.') => Ok((section, name)),
        _ => find(key).map(|known| known.key.split_once('.').unwrap_or((known.key, ""))),
    }
}

fn plain(item: &Item) -> Option<String> {
    match item.as_value()? {
        toml_edit::Value::String(s) => Some(s.value().clone()),
        toml_edit::Value::Boolean(b) => Some(b.value().to_string()),
        toml_edit::Value::Integer(n) => Some(n.value().to_string()),
        _ => None,
    }
}

fn warnings(doc: &DocumentMut) -> Vec<String> {
    let mut found = Vec::new();
    for (section, item) in doc.iter().filter(|(section, _)| *section != PREFERENCES) {
        let Some(table) = item.as_table_like() else {
            found.push(format!("unknown key {section}"));
            continue;
        };
        for (name, item) in table.iter() {
            let key = format!("{section}.{name}");
            match SETTINGS.iter().find(|k| k.key == key) {
                None if TABLES.contains(&key.as_str()) => {}
                None => found.push(match closest(&key, SETTINGS.iter().map(|k| k.key)) {
                    Some(near) => format!("unknown key {key}; did you mean {near}"),
                    None => format!("unknown key {key}"),
                }),
                Some(known) if known.check(item).is_none() => found.push(format!("{key} has a value it cannot have; the default is used")),
                Some(_) => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_keeps_comments_order_and_unknown_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let before = "# mine\n[secrets]\nbackend = \"keychain\" # why\n\n[future]\nx = 1\n";
        std::fs::write(&path, before).unwrap();
        let config = ConfigFile::new(path.clone());
        config.set("secrets.backend", Some("file")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before.replace("keychain", "file"));
        assert_eq!(config.list().unwrap().warnings, ["unknown key future.x"]);
        assert_eq!(config.text("secrets.backend").unwrap(), "file");
    }

    #[test]
    fn wrong_keys_and_values_are_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let config = ConfigFile::new(dir.path().join("config.toml"));
        assert!(config.set("secrets.backend", Some("cloud")).is_err());
        assert!(config.set("secret.backend", Some("file")).is_err());
        assert!(config.set("daemon.idle_timeout", Some("-1")).is_err());
        assert!(!dir.path().join("config.toml").exists());
        config.set("preferences.permission_mode", Some("plan")).unwrap();
        assert_eq!(config.preferences().unwrap()["permission_mode"], "plan");
    }
}
