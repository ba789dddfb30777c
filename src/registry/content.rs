//! The entries of an index: taken from what is on disk where that has them, fetched where not. What does not match its hashes is never used.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use sha2::{Digest, Sha256};

use crate::{
    base::error::{Error, Result},
    wire::registry::{Entry, Index},
};

use super::{
    client::{Check, Registry},
    roots::Trust,
    visit::Visit,
};

/// Told how many entries are done, and of how many.
pub(super) type Moved<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Requests at the same time.
const LANES: usize = 6;

pub(super) enum Origin {
    /// In the commit's own directory already.
    InPlace,
    /// In that commit, at that path.
    Held(String, String),
    Network,
}

pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) origin: Origin,
}

impl Registry {
    /// Content for every entry, in their order. Without a visit, what is not on disk is `Corrupt`.
    pub(super) fn gather(&self, trust: &Trust, index: &Index, from: Option<(&Visit<'_>, &str)>, moved: Moved<'_>) -> Result<Vec<Content>> {
        let mut found: Vec<Option<Content>> = Vec::with_capacity(index.entries.len());
        for entry in &index.entries {
            let bytes = self.whole(&index.commit, &entry.path, entry)?;
            found.push(bytes.map(|bytes| Content { bytes, origin: Origin::InPlace }));
        }
        if found.iter().any(Option::is_none) {
            self.find_elsewhere(trust, index, &mut found)?;
        }
        let missing: Vec<usize> = (0..found.len()).filter(|i| found.get(*i).is_some_and(Option::is_none)).collect();
        if let (Some(first), None) = (missing.first().and_then(|i| index.entries.get(*i)), from) {
            return Err(Error::corrupt(format!("{} of commit {} is missing or damaged", first.path, index.commit))
                .hint("fetch it again: clown registry sync"));
        }
        if let Some((visit, place)) = from {
            for (i, bytes) in fetch(visit, place, index, &missing, moved)? {
                if let Some(slot) = found.get_mut(i) {
                    *slot = Some(Content { bytes, origin: Origin::Network });
                }
            }
        }
        found.into_iter().map(|c| c.ok_or_else(|| Error::defect("an entry of the registry was not fetched"))).collect()
    }

    /// Looks into all held commits for content with the same hashes.
    fn find_elsewhere(&self, trust: &Trust, index: &Index, found: &mut [Option<Content>]) -> Result<()> {
        let held = self.all_held(trust)?;
        let mut places: HashMap<_, Vec<(&str, &str)>> = HashMap::new();
        for index in held.iter().map(|h| &h.index) {
            for e in &index.entries {
                places.entry((e.blake3.as_str(), e.sha256.as_str(), e.length)).or_default().push((&index.commit, &e.path));
            }
        }
        for (entry, slot) in index.entries.iter().zip(found).filter(|(_, slot)| slot.is_none()) {
            for (commit, path) in places.get(&(entry.blake3.as_str(), entry.sha256.as_str(), entry.length)).into_iter().flatten() {
                if let Some(bytes) = self.whole(commit, path, entry)? {
                    *slot = Some(Content { bytes, origin: Origin::Held((*commit).into(), (*path).into()) });
                    break;
                }
            }
        }
        Ok(())
    }

    /// A file of a commit, if it is what the entry says.
    pub(super) fn whole(&self, commit: &str, path: &str, entry: &Entry) -> Result<Option<Vec<u8>>> {
        let bytes = self.store.read_in(commit, path, entry.length)?;
        Ok(bytes.filter(|b| b.len() as u64 == entry.length && blake3::hash(b).to_hex().as_str() == entry.blake3))
    }
}

/// The number of an entry, and its content.
type Numbered = (usize, Vec<u8>);

/// Whether bytes from outside are what the entry says.
fn matches(entry: &Entry, bytes: &[u8]) -> Result<()> {
    let (path, length) = (&entry.path, entry.length);
    let refuse = |why: String| Err(Error::refused(format!("{path} of the registry is not what its index says: {why}")));
    match bytes.len() as u64 {
        n if n > length => return refuse(format!("it is longer than {length} bytes")),
        n if n < length => return refuse(format!("it has {n} bytes, not {length}")),
        _ => {}
    }
    if blake3::hash(bytes).to_hex().as_str() != entry.blake3 {
        return refuse("its blake3 hash is another".into());
    }
    let sha256: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    if sha256 != entry.sha256 {
        return refuse("its sha256 hash is another".into());
    }
    Ok(())
}

/// Fetches the entries of these numbers, some at a time. The first failure ends it.
fn fetch(visit: &Visit<'_>, place: &str, index: &Index, wanted: &[usize], moved: Moved<'_>) -> Result<Vec<Numbered>> {
    moved(0, wanted.len());
    let next = AtomicUsize::new(0);
    // What was fetched, or why one could not be.
    let done: Mutex<Result<Vec<Numbered>>> = Mutex::new(Ok(Vec::new()));
    let work = || {
        while let Some((i, entry)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((*i, index.entries.get(*i)?))) {
            let got = fetch_one(visit, place, entry);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match (&mut *done, got) {
                (Ok(all), Ok(bytes)) => {
                    all.push((i, bytes));
                    moved(all.len(), wanted.len());
                }
                (Ok(_), Err(e)) => {
                    next.store(wanted.len(), Ordering::Relaxed);
                    *done = Err(e);
                }
                (Err(_), _) => {}
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(wanted.len()) {
            scope.spawn(work);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn fetch_one(visit: &Visit<'_>, place: &str, entry: &Entry) -> Result<Vec<u8>> {
    let path = format!("{place}/{}", entry.path);
    let bytes = visit.file(&path, entry.length)?.ok_or_else(|| {
        Error::refused(format!("the registry has no {path}, which its index names"))
            .hint("ask whoever runs the registry; what was there before stays in use")
    })?;
    matches(entry, &bytes)?;
    Ok(bytes)
}

/// Asks the flow about every content that is not in force already.
pub(super) fn judge(index: &Index, contents: &[Content], check: Check<'_>, moved: Moved<'_>) -> Result<()> {
    let new: Vec<_> = index.entries.iter().zip(contents).filter(|(_, c)| !matches!(c.origin, Origin::InPlace)).collect();
    for (done, (entry, content)) in new.iter().enumerate() {
        moved(done, new.len());
        check(entry.kind, &entry.id, &content.bytes).map_err(|problem| {
            Error::refused(format!("{} of the registry is not usable as {} {}: {problem}", entry.path, entry.kind, entry.id))
        })?;
    }
    Ok(())
}
