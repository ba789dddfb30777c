//! Files of `plugins.d/`, and `plugins.json`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    base::{
        error::{Error, Result},
        fsx, glob, os, stored,
    },
    wire::{
        ids::PluginName,
        plugins::{Enabled, Row, STORED_VERSION, State, Stored},
    },
};

/// Larger files are no plugins.
const MAX_FILE: u64 = 32 << 20;
/// Each may have a process at the same time.
const MAX_ENABLED: usize = 16;

pub struct Store {
    dir: PathBuf,
    file: PathBuf,
}

/// A plugin that may run.
#[derive(Clone, Debug)]
pub struct Ready {
    pub name: PluginName,
    pub path: PathBuf,
    pub timeout_ms: u64,
    pub memory_mb: u64,
}

/// A plugin that asked for something.
pub enum Wanted {
    Ready(Ready),
    /// It is not the file that was enabled.
    Not(PluginName, State),
}

impl Store {
    pub fn new(dir: PathBuf, file: PathBuf) -> Self {
        Self { dir, file }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn list(&self) -> Result<Vec<Row>> {
        let stored = self.read()?;
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries.flatten().filter_map(|e| PluginName::parse(e.file_name().to_str()?).ok()).collect(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(Error::reading(&self.dir)(e)),
        };
        let mut names: Vec<PluginName> = entries.into_iter().chain(stored.enabled.keys().cloned()).collect();
        names.sort();
        names.dedup();
        Ok(names.into_iter().map(|name| self.row(&name, stored.enabled.get(&name))).collect())
    }

    fn row(&self, name: &PluginName, enabled: Option<&Enabled>) -> Row {
        let path = self.dir.join(name.as_str());
        let state = match (self.hash(&path), enabled) {
            (Ok(hash), Some(enabled)) if hash == enabled.hash => State::On,
            (Ok(_), Some(_)) => State::Changed,
            (Ok(_), None) => State::Off,
            (Err(_), Some(_)) if !path.exists() => State::Missing,
            (Err(_), _) => State::Unusable,
        };
        Row { name: name.clone(), file: path.display().to_string(), state, enabled: enabled.cloned() }
    }

    /// blake3 of a file that may be a plugin, hex.
    fn hash(&self, path: &Path) -> Result<String> {
        let meta = fs::metadata(path).map_err(|e| {
            Error::not_found(format!("there is no plugin {}", path.display()))
                .cause(e)
                .hint(format!("put it there: {}", self.dir.display()))
        })?;
        if !meta.is_file() || meta.len() > MAX_FILE || !os::is_executable(path) {
            return Err(Error::refused(format!("{} is no executable file of at most {} MiB", path.display(), MAX_FILE >> 20))
                .hint(format!("make it executable: chmod u+x {}", path.display())));
        }
        if !os::written_only_by_us(path) || !os::written_only_by_us(&self.dir) {
            return Err(Error::refused(format!("{} or its directory belongs to another user, or others may write it", path.display()))
                .hint(format!("look at it: ls -ld {} {}", self.dir.display(), path.display())));
        }
        let bytes = fs::read(path).map_err(Error::reading(path))?;
        Ok(blake3::hash(&bytes).to_hex().to_string())
    }

    /// Remembers the file as it is. `make` gets what was agreed to before, and the hash.
    pub fn enable(&self, name: &PluginName, make: impl FnOnce(Option<&Enabled>, String) -> Result<Enabled>) -> Result<Row> {
        let hash = self.hash(&self.dir.join(name.as_str()))?;
        let _lock = fsx::lock_beside(&self.file)?;
        let mut stored = self.read()?;
        let enabled = make(stored.enabled.get(name), hash)?;
        stored.enabled.insert(name.clone(), enabled);
        if stored.enabled.len() > MAX_ENABLED {
            return Err(
                Error::refused(format!("at most {MAX_ENABLED} plugins can be enabled")).hint("disable another: clown plugins disable NAME")
            );
        }
        self.write(&stored)?;
        Ok(self.row(name, stored.enabled.get(name)))
    }

    /// Whether it was enabled.
    pub fn disable(&self, name: &PluginName) -> Result<bool> {
        let _lock = fsx::lock_beside(&self.file)?;
        let mut stored = self.read()?;
        let was = stored.enabled.remove(name).is_some();
        if was {
            self.write(&stored)?;
        }
        Ok(was)
    }

    /// Plugins that were enabled for this event.
    pub fn wanting(&self, event: &str) -> Result<Vec<Wanted>> {
        let stored = self.read()?;
        let subscribed = stored.enabled.iter().filter(|(_, e)| e.events.iter().any(|pattern| glob::matches(pattern, event)));
        Ok(subscribed
            .map(|(name, enabled)| match self.row(name, Some(enabled)).state {
                State::On => Wanted::Ready(Ready {
                    name: name.clone(),
                    path: self.dir.join(name.as_str()),
                    timeout_ms: enabled.timeout_ms,
                    memory_mb: enabled.memory_mb,
                }),
                state => Wanted::Not(name.clone(), state),
            })
            .collect())
    }

    fn read(&self) -> Result<Stored> {
        let Some(bytes) = fsx::read_optional(&self.file)? else {
            return Ok(Stored { version: STORED_VERSION, enabled: Default::default(), rest: serde_json::Map::new() });
        };
        let bad = |why: String| {
            Error::corrupt(format!("{} cannot be read and was left as it is: {why}", self.file.display()))
                .hint("mend the file, or move it away and enable the plugins again")
        };
        stored::parse(&bytes, |stored: &Stored| stored.version, STORED_VERSION, bad)
    }

    fn write(&self, stored: &Stored) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(stored).map_err(|e| Error::io("the plugins cannot be encoded").cause(e))?;
        fsx::write_atomic(&self.file, &bytes, fsx::Mode::Private)
    }
}
