//! `mcp.json`

use std::path::PathBuf;

use crate::{
    base::{
        error::{Error, Result},
        fsx, stored,
    },
    wire::mcp::{STORED_VERSION, Stored},
};

pub struct Store {
    file: PathBuf,
}

impl Store {
    pub fn new(file: PathBuf) -> Self {
        Self { file }
    }

    pub fn read(&self) -> Result<Stored> {
        let Some(bytes) = fsx::read_optional(&self.file)? else {
            return Ok(Stored { version: STORED_VERSION, servers: Default::default(), rest: serde_json::Map::new() });
        };
        let bad = |why: String| {
            Error::corrupt(format!("{} cannot be read and was left as it is: {why}", self.file.display()))
                .hint("mend the file or move it away")
        };
        stored::parse(&bytes, |stored: &Stored| stored.version, STORED_VERSION, bad)
    }

    /// Reads, changes and writes as one step.
    pub fn change<T>(&self, change: impl FnOnce(&mut Stored) -> Result<T>) -> Result<T> {
        let _lock = fsx::lock_beside(&self.file)?;
        let mut stored = self.read()?;
        let done = change(&mut stored)?;
        fsx::write_atomic(&self.file, &encode(&stored)?, fsx::Mode::Private)?;
        Ok(done)
    }
}

/// As the file has it.
pub fn encode(stored: &Stored) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(stored).map_err(|e| Error::io("the MCP servers cannot be encoded").cause(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_clown_wrote_is_kept_or_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mcp.json");
        let store = Store::new(file.clone());
        let text = r#"{"version":1,"servers":{"a":{"transport":"http","url":"http://h/","headers":{"X":"y"}}},"later":7}"#;
        std::fs::write(&file, text).unwrap();
        let clear = |stored: &mut Stored| {
            stored.servers.clear();
            Ok(())
        };
        store.change(clear).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(read, serde_json::json!({"version": 1, "servers": {}, "later": 7}));
        for text in ["{oops", r#"{"version":99,"servers":{}}"#] {
            std::fs::write(&file, text).unwrap();
            assert!(store.change(|_| Ok(())).is_err());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
