//! Which logs there are.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::file::{Entry, Stamp};
use super::scan::Trouble;
use crate::usage::collect::{Collector, Home, Problem, Shape, collector};

/// A place one agent keeps logs in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// The user's own first: who shares a log with it does not own it.
    pub profile: Option<String>,
    /// The collector's word.
    pub agent: String,
    /// A directory, or a single file. It need not be there.
    pub path: PathBuf,
}

/// The places of these agents' logs in a home. A word that no collector has is left out.
#[must_use]
pub fn roots(home: &Home<'_>, words: &[&str]) -> Vec<Root> {
    let of = |word: &&str| {
        let collector = collector(word)?;
        let root = |path| Root { profile: home.profile.map(str::to_owned), agent: collector.word().to_owned(), path };
        Some(collector.roots(home).into_iter().map(root).collect::<Vec<_>>())
    };
    words.iter().filter_map(of).flatten().collect()
}

pub(super) struct Found {
    pub(super) collector: &'static dyn Collector,
    pub(super) path: PathBuf,
    pub(super) shape: Shape,
    pub(super) profile: Option<String>,
    pub(super) stamp: Stamp,
}

impl Found {
    /// A log that was found before, if it still is the same one and grows in its place.
    pub(super) fn known(path: &Path, entry: &Entry) -> Option<Self> {
        let collector = collector(&entry.agent)?;
        let shape = collector.shape(path).filter(|shape| matches!(shape, Shape::Lines | Shape::Document))?;
        let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let stamp = Stamp::of(&meta);
        let same = stamp.place() == entry.stamp.place();
        same.then(|| Self { collector, path: path.to_owned(), shape, profile: entry.profile.clone(), stamp })
    }
}

#[derive(Default)]
pub(super) struct Search {
    pub(super) found: Vec<Found>,
    pub(super) troubles: Vec<Trouble>,
    /// A directory or file that is reached twice is one.
    met: HashSet<(&'static str, u64, u64)>,
    met_paths: HashSet<(&'static str, PathBuf)>,
}

impl Search {
    pub(super) fn all(roots: &[Root]) -> Self {
        let mut search = Self::default();
        let mut roots: Vec<&Root> = roots.iter().collect();
        roots.sort();
        for root in roots {
            if let Some(collector) = collector(&root.agent) {
                search.look(collector, &root.path, root.profile.as_deref());
            }
        }
        search
    }

    fn trouble(&mut self, path: &Path) {
        self.troubles.push(Trouble { path: path.display().to_string(), problem: Problem::Unreadable, count: 1 });
    }

    fn look(&mut self, collector: &'static dyn Collector, path: &Path, profile: Option<&str>) {
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            // Also a link to nothing, and a file that went away meanwhile.
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return,
            Err(_) => return self.trouble(path),
        };
        let mut stamp = Stamp::of(&meta);
        if meta.is_dir() {
            if self.is_new(collector, path, stamp) {
                self.inside(collector, path, profile);
            }
            return;
        }
        let Some(shape) = collector.shape(path).filter(|_| meta.is_file()) else { return };
        if shape == Shape::PackedLines && path.with_extension("").exists() {
            return;
        }
        if !self.is_new(collector, path, stamp) {
            return;
        }
        if shape == Shape::Database
            && let Ok(log) = fs::metadata(log_of(path))
        {
            stamp = stamp.with(Stamp::of(&log));
        }
        self.found.push(Found { collector, path: path.to_owned(), shape, profile: profile.map(str::to_owned), stamp });
    }

    fn inside(&mut self, collector: &'static dyn Collector, dir: &Path, profile: Option<&str>) {
        let Ok(entries) = fs::read_dir(dir) else { return self.trouble(dir) };
        for entry in entries {
            let Ok(entry) = entry else {
                self.trouble(dir);
                return;
            };
            let path = entry.path();
            // Most entries need no further look.
            let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
            if !plain || collector.shape(&path).is_some() {
                self.look(collector, &path, profile);
            }
        }
    }

    fn is_new(&mut self, collector: &'static dyn Collector, path: &Path, stamp: Stamp) -> bool {
        match stamp.place() {
            Some((device, inode)) => self.met.insert((collector.word(), device, inode)),
            None => self.met_paths.insert((collector.word(), fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))),
        }
    }
}

/// SQLite's write-ahead log.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
