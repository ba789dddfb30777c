//! The layers' directories: loaded again when their content, or the link to the registry's, has changed.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use include_dir::{Dir, DirEntry, include_dir};

use super::snapshot::Snapshot;
use crate::{
    base::paths::Paths,
    wire::{manifest::Origin, registry::Kind},
};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/manifests");

/// Larger files are not manifests.
pub(super) const MAX_FILE: u64 = 256 * 1024;

/// In this order, since a catalogue needs its provider.
const KINDS: [Kind; 5] = [Kind::Agent, Kind::Provider, Kind::Script, Kind::Template, Kind::Models];

/// A link that is swapped all the time, or leads nowhere, is followed so often. Then what was known holds, until the next look.
const TRIES: usize = 16;
/// The same where nothing was known.
const FIRST_TRIES: usize = 64;

/// Directories of a layer, as `KINDS`.
type Dirs = [PathBuf; 5];

/// What `registry/current` says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Registry {
    Absent,
    /// The directory of one commit.
    Commit(PathBuf),
    /// Something else stands there.
    Refused(String),
}

/// Path, size and time of a file or a directory.
type Mark = (PathBuf, u64, Option<SystemTime>);

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    registry: Registry,
    /// Directories of the commit: its files never change.
    commit: Vec<Mark>,
    /// Files of the user.
    user: Vec<Mark>,
}

pub struct Manifests {
    current: PathBuf,
    user: Dirs,
    /// The last snapshot and what the directories looked like then.
    cache: Mutex<Option<(Stamp, Arc<Snapshot>)>>,
}

impl Manifests {
    pub fn new(paths: &Paths) -> Self {
        Self {
            current: paths.registry_current(),
            user: [paths.agents_dir(), paths.providers_dir(), paths.scripts_dir(), paths.templates_dir(), paths.models_dir()],
            cache: Mutex::new(None),
        }
    }

    /// Current content of all layers.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tries = 0;
        loop {
            tries += 1;
            let registry = self.registry();
            let stamp = self.stamp(registry.clone());
            if let Some((seen, snapshot)) = cache.as_ref()
                && *seen == stamp
            {
                return Arc::clone(snapshot);
            }
            let (snapshot, whole) = self.load(&registry);
            // Only what the link still leads to was there all the while: a commit may be removed once it has moved on.
            if whole && self.registry() == registry {
                let snapshot = Arc::new(snapshot);
                *cache = Some((stamp, Arc::clone(&snapshot)));
                return snapshot;
            }
            match cache.as_ref() {
                Some((_, before)) if tries >= TRIES => return Arc::clone(before),
                None if tries >= FIRST_TRIES => return Arc::new(snapshot),
                _ => {}
            }
        }
    }

    fn registry(&self) -> Registry {
        let bad = |what: &str| Registry::Refused(format!("{what}, not a link to commits/<commit>; nothing of the registry is used"));
        match fs::read_link(&self.current) {
            Ok(target) => {
                let mut parts = target.components();
                let commit = match (parts.next(), parts.next(), parts.next()) {
                    (Some(Component::Normal(first)), Some(Component::Normal(commit)), None) if first == "commits" => commit.to_str(),
                    _ => None,
                };
                match (commit.filter(|c| is_commit(c)), self.current.parent()) {
                    (Some(commit), Some(registry)) => Registry::Commit(registry.join("commits").join(commit)),
                    _ => bad(&format!("is a link to {}", target.display())),
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Registry::Absent,
            Err(e) if fs::symlink_metadata(&self.current).is_ok() => bad(&format!("is a file or a directory ({e})")),
            Err(_) => Registry::Absent,
        }
    }

    fn stamp(&self, registry: Registry) -> Stamp {
        let mut commit = Vec::new();
        if let Registry::Commit(at) = &registry {
            for dir in std::iter::once(at.clone()).chain(commit_dirs(at)) {
                commit.extend(mark(dir));
            }
        }
        let mut user: Vec<Mark> = KINDS.iter().zip(&self.user).flat_map(|(kind, dir)| files(*kind, dir).0).filter_map(mark).collect();
        user.sort();
        Stamp { registry, commit, user }
    }

    /// And whether every file that was listed could be read.
    fn load(&self, registry: &Registry) -> (Snapshot, bool) {
        let mut snapshot = Snapshot::default();
        let mut whole = true;
        for kind in KINDS {
            for file in BUILT_IN.get_dir(folder(kind)).into_iter().flat_map(all_files) {
                snapshot.add(kind, Origin::BuiltIn, file.path(), file.contents());
            }
        }
        match registry {
            Registry::Absent => {}
            Registry::Refused(why) => snapshot.problem(&self.current, why.clone()),
            Registry::Commit(at) => {
                whole = fs::symlink_metadata(at).is_ok_and(|m| m.is_dir()) && snapshot.read(Origin::Registry, &commit_dirs(at));
                if !whole {
                    snapshot.problem(&self.current, "links to a commit that is not there, or not whole".into());
                }
            }
        }
        snapshot.read(Origin::User, &self.user);
        (snapshot, whole)
    }
}

impl Snapshot {
    /// Whether every file that was listed was there.
    fn read(&mut self, origin: Origin, dirs: &Dirs) -> bool {
        let mut whole = true;
        for (kind, dir) in KINDS.iter().zip(dirs) {
            let (paths, listed) = files(*kind, dir);
            whole &= listed;
            for path in paths {
                // A link to somewhere else, a pipe or a device is no manifest, and must not hold up everybody.
                match fs::metadata(&path) {
                    Ok(meta) if !meta.is_file() => self.problem(&path, "is no file".into()),
                    Ok(meta) if meta.len() > MAX_FILE => self.problem(&path, format!("is larger than {} KiB", MAX_FILE / 1024)),
                    Ok(_) => match fs::read(&path) {
                        Ok(bytes) => self.add(*kind, origin, &path, &bytes),
                        Err(e) => {
                            whole &= e.kind() != io::ErrorKind::NotFound;
                            self.problem(&path, format!("cannot be read: {e}"));
                        }
                    },
                    Err(e) => {
                        whole &= e.kind() != io::ErrorKind::NotFound;
                        self.problem(&path, format!("cannot be read: {e}"));
                    }
                }
            }
        }
        whole
    }
}

/// The directory of a kind in the built-in layer and in a commit.
fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::Agent => "agents",
        Kind::Provider => "providers",
        Kind::Script => "scripts",
        Kind::Template => "templates",
        Kind::Models => "models",
    }
}

fn commit_dirs(at: &Path) -> Dirs {
    KINDS.map(|kind| at.join(folder(kind)))
}

fn is_commit(name: &str) -> bool {
    (40..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Files of a kind in their order, and whether they could be listed; templates are one directory deeper.
fn files(kind: Kind, dir: &Path) -> (Vec<PathBuf>, bool) {
    let extension = if kind == Kind::Script { "rhai" } else { "toml" };
    let mut found = Vec::new();
    let mut whole = true;
    let mut list = |dir: &Path| match fs::read_dir(dir) {
        Ok(entries) => entries.flatten().map(|e| e.path()).collect(),
        Err(_) => {
            // Absent is empty, as long as it stays so.
            whole &= !dir.exists();
            Vec::new()
        }
    };
    for path in list(dir) {
        if kind == Kind::Template {
            if path.is_dir() {
                found.extend(list(&path));
            }
        } else {
            found.push(path);
        }
    }
    found.retain(|path| path.extension().is_some_and(|e| e == extension));
    found.sort();
    (found, whole)
}

fn all_files<'a>(dir: &'a Dir<'a>) -> Vec<&'a include_dir::File<'a>> {
    let mut files = Vec::new();
    for entry in dir.entries() {
        match entry {
            DirEntry::File(file) => files.push(file),
            DirEntry::Dir(below) => files.extend(all_files(below)),
        }
    }
    files
}

fn mark(path: PathBuf) -> Option<Mark> {
    let meta = fs::metadata(&path).ok()?;
    let time = meta.modified().ok();
    Some((path, meta.len(), time))
}

#[cfg(test)]
mod tests;
