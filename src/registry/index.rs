//! The index: what is asked of it after its signatures, in this order, each with a cause of its own.

use std::collections::HashSet;

use crate::{
    base::{
        error::{Error, Result},
        json,
    },
    wire::registry::{Channel, Entry, Index, Kind, SCHEMA},
};

use super::names;

/// Longest index, in bytes.
pub(super) const LONGEST: u64 = 1 << 20;
const MOST_ENTRIES: usize = 10_000;
/// Longest entry, and all of them together, in bytes.
pub(super) const LONGEST_ENTRY: u64 = 256 << 10;
const LONGEST_SUM: u64 = 64 << 20;
/// A version this far above the last one would leave no room for real ones.
pub(super) const FARTHEST_STEP: u64 = 1_000_000;
/// The highest version that a first index may have.
pub(super) const HIGHEST_FIRST: u64 = 1_000_000_000_000;

/// An index as it was signed, and as it reads.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) index: Index,
    pub(super) bytes: Vec<u8>,
    /// The `.minisig` file.
    pub(super) signatures: String,
    /// Ids of the keys that counted.
    pub(super) keys: Vec<String>,
}

/// Reads bytes whose signatures were found good. Whether it may come into force is not asked here.
pub(super) fn parse(bytes: &[u8]) -> Result<Index> {
    let index: Index = json::strict(bytes).map_err(|e| Error::refused("the index of the registry cannot be read").cause(e))?;
    let refuse = |why: String| Err(Error::refused(format!("the index of the registry is not acceptable: {why}")));
    if index.schema != SCHEMA {
        return Err(Error::refused(format!("the index of the registry has format {}, this build reads {SCHEMA}", index.schema))
            .hint("update clown, or ask whoever runs the registry"));
    }
    if let Err(why) = expiry(&index.expires) {
        return refuse(why);
    }
    if !names::is_commit(&index.commit) {
        return refuse(format!("its commit {:?} is not 40 to 64 lower-case hex digits", index.commit));
    }
    if let Err(why) = entries(&index.entries) {
        return refuse(why);
    }
    Ok(index)
}

fn entries(entries: &[Entry]) -> Result<(), String> {
    if entries.len() > MOST_ENTRIES {
        return Err(format!("it has {} entries, more than {MOST_ENTRIES}", entries.len()));
    }
    let mut paths = HashSet::new();
    let mut sum = 0_u64;
    for entry in entries {
        let Entry { kind, id, path, blake3, sha256, length } = entry;
        names::check_id(*kind, id).map_err(|why| format!("the name of an entry ({kind}) is hostile or mistaken: {why}"))?;
        if *path != kind.path(id) {
            return Err(format!("{kind} {id} has the path {path:?}, not {:?}", kind.path(id)));
        }
        if !names::is_hash(blake3) || !names::is_hash(sha256) {
            return Err(format!("a hash of {path} is not 64 lower-case hex digits"));
        }
        if *length > LONGEST_ENTRY {
            return Err(format!("{path} is {length} bytes long, more than {LONGEST_ENTRY}"));
        }
        sum = sum.saturating_add(*length);
        if sum > LONGEST_SUM {
            return Err(format!("its entries are more than {LONGEST_SUM} bytes together"));
        }
        // Some file systems do not tell case.
        if !paths.insert(path.to_lowercase()) {
            return Err(format!("{path} stands in it twice"));
        }
    }
    Ok(())
}

/// RFC 3339 in UTC.
pub(super) fn expiry(text: &str) -> Result<jiff::Timestamp, String> {
    text.ends_with('Z')
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| format!("its expiry {text:?} is not a time in UTC such as 2030-01-31T00:00:00Z"))
}

pub(super) fn is_expired(expires: &str, now: jiff::Timestamp) -> bool {
    expiry(expires).is_ok_and(|at| now >= at) || expiry(expires).is_err()
}

/// What an index from outside must be beside well-formed.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) channel: Channel,
    /// Number of the newest root we hold.
    pub(super) root: u64,
    pub(super) now: jiff::Timestamp,
    /// The commit that was asked for by name: its version may be lower.
    pub(super) commit: Option<&'a str>,
    /// Highest version seen under this root.
    pub(super) seen: Option<u64>,
}

/// Whether it is what was asked for and may follow what was there.
pub(super) fn follows(index: &Index, wanted: Wanted<'_>) -> Result<()> {
    if index.channel != wanted.channel {
        return Err(Error::refused(format!("the registry sent the index of channel {} for channel {}", index.channel, wanted.channel)));
    }
    if index.root != wanted.root {
        return Err(Error::refused(format!(
            "the index of the registry is signed under root {}, the newest known is {}: its keys were replaced",
            index.root, wanted.root
        )));
    }
    if is_expired(&index.expires, wanted.now) {
        return Err(Error::refused(format!("the index of the registry expired at {}", index.expires))
            .hint("ask whoever runs the registry to publish again; if the clock of this machine is wrong, set it")
            .hint("what was there before stays in use"));
    }
    if let Some(commit) = wanted.commit
        && index.commit != commit
    {
        return Err(Error::refused(format!("the registry sent commit {} for commit {commit}", index.commit)));
    }
    match wanted.seen {
        Some(seen) if index.version < seen && wanted.commit.is_some() => Ok(()),
        Some(seen) if index.version < seen => Err(Error::refused(format!(
            "the registry went back: version {} came, version {seen} of channel {} was here",
            index.version, index.channel
        ))
        .hint("an old copy on a mirror, or somebody who keeps updates from you; what was there before stays in use")),
        Some(seen) if index.version - seen > FARTHEST_STEP => Err(absurd(index.version, &format!("the last one was {seen}"))),
        None if index.version > HIGHEST_FIRST => Err(absurd(index.version, "the first one may be a million million")),
        _ => Ok(()),
    }
}

fn absurd(version: u64, than: &str) -> Error {
    Error::refused(format!("the version of the index, {version}, is absurd: {than}"))
        .hint("ask whoever runs the registry; only a new root makes room for lower versions again")
}

/// The entry for a path of this kind and id.
pub(super) fn find<'a>(index: &'a Index, kind: Kind, id: &str) -> Option<&'a Entry> {
    index.entries.iter().find(|e| e.kind == kind && e.id == id)
}
