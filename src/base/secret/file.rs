//! Keys in one 0600 file, for machines without a keychain. Chosen by the user, never a fallback.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Secret, SecretStore};
use crate::base::{
    error::{Error, Result},
    fsx,
};

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    keys: BTreeMap<String, String>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn read(&self) -> Result<Stored> {
        let Some(bytes) = fsx::read_optional(&self.path)? else {
            return Ok(Stored { version: 1, keys: BTreeMap::new(), rest: serde_json::Map::new() });
        };
        // The parser's message could quote the file, so only its position is told.
        serde_json::from_slice(&bytes).map_err(|e| {
            Error::corrupt(format!("the key file {} is damaged at line {}, column {}", self.path.display(), e.line(), e.column()))
                .hint("mend it or move it away; clown leaves it as it is")
        })
    }

    fn change(&self, edit: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<()> {
        let _lock = fsx::lock_beside(&self.path)?;
        let mut stored = self.read()?;
        edit(&mut stored.keys);
        let text = serde_json::to_vec_pretty(&stored).map_err(|e| Error::io("cannot encode the key file").cause(e))?;
        fsx::write_atomic(&self.path, &text, fsx::Mode::Private)
    }
}

impl SecretStore for FileStore {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn get(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.read()?.keys.remove(name).map(Secret::new))
    }

    fn reach(&self, _limit: std::time::Duration) -> Result<()> {
        self.read().map(|_| ())
    }

    fn set(&self, name: &str, key: &Secret) -> Result<()> {
        self.change(|keys| {
            keys.insert(name.to_owned(), key.expose().to_owned());
        })
    }

    fn delete(&self, name: &str) -> Result<()> {
        if self.read()?.keys.contains_key(name) {
            self.change(|keys| {
                keys.remove(name);
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_and_a_damaged_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let store = FileStore::new(path.clone());
        store.set("a", &Secret::new("one".into())).unwrap();
        store.set("b", &Secret::new("two".into())).unwrap();
        store.delete("a").unwrap();
        assert!(store.get("a").unwrap().is_none());
        assert_eq!(FileStore::new(path.clone()).get("b").unwrap().unwrap().expose(), "two");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "{\"keys\": {\"canary-key").unwrap();
        let error = store.set("c", &Secret::new("x".into())).unwrap_err().to_string();
        assert!(error.contains("damaged") && !error.contains("canary"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"keys\": {\"canary-key");
    }
}
