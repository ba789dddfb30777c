//! Brings a channel's newest into force, or says that it is.

use crate::{
    base::error::{Error, Result},
    wire::registry::{Channel, Lock, Source, Stage, Synced},
};

use super::{
    client::{Check, Registry, Settings, agrees, lock_of},
    content::{self, Content, Origin},
    incoming::{Incoming, place},
    index::{self, Signed},
    roots::{Next, Trust},
    store::{INDEX, Piece, SIGNATURES},
    visit::Visit,
};

/// What is to come into force.
pub(super) struct Target {
    pub(super) signed: Signed,
    /// What the locks will say of it.
    pub(super) lock: Lock,
    pub(super) roots: Vec<Next>,
    /// Whether a channel is followed, so that its lock moves too.
    pub(super) follows: bool,
}

impl Registry {
    /// Brings the channel's newest into force; `offline` the newest of it that is here. Prices are the flow's; the reply has none.
    ///
    /// Errors: `Refused` for anything that is not as signed, newer and whole; `Io` when the server cannot be reached; `InvalidInput` when
    /// no registry is set up; `NotFound` and `Corrupt` offline. After an error everything is as it was.
    pub fn sync(&self, settings: &Settings, force: bool, offline: bool, check: Check<'_>) -> Result<Synced> {
        let asked = self.now();
        let visit = (!offline).then(|| self.visit(settings)).transpose()?;
        let deadline = visit.as_ref().map_or_else(std::time::Instant::now, |v| v.deadline);
        let turn = self.turn(if offline { deadline + std::time::Duration::from_secs(30) } else { deadline })?;
        let _way = self.progress.begin();
        let mut trust = Trust::load(settings, &self.store)?;
        let lock = self.store.lock(None)?;
        if let Some(pinned) = lock.as_ref().and_then(|l| l.pinned.clone()) {
            return self.stay(settings, visit.as_ref(), &mut trust, &pinned, lock.as_ref(), check);
        }
        let Some(visit) = visit else { return self.use_held(settings, &trust, check) };
        // Whoever had the turn before us asked the server after we were called.
        let fresh = lock.filter(|l| turn.waited && !force && l.checked >= asked && l.url == visit.home() && l.channel == settings.channel);
        if let Some(lock) = fresh
            && self.store.current()?.as_ref() == Some(&lock.commit)
            && let Some(signed) = self.held(&trust, &lock.commit)?
            // What is damaged is mended below.
            && let Ok(synced) = self.take(&trust, Target { signed, lock, roots: Vec::new(), follows: false }, None, check)
        {
            return Ok(synced);
        }
        self.follow(settings, &visit, &mut trust, force, check)
    }

    /// Asks the server, once when nothing changed.
    fn follow(&self, settings: &Settings, visit: &Visit<'_>, trust: &mut Trust, force: bool, check: Check<'_>) -> Result<Synced> {
        let channel = settings.channel;
        let base = self.last_of(trust, channel, visit.home())?;
        let etag = base.as_ref().and_then(|(_, lock)| lock.etag.as_deref()).filter(|_| !force);
        let target = match self.ask(visit, trust, channel, None, etag)? {
            Some(Incoming { signed, etag, roots }) => {
                let mut lock = lock_of(&signed, visit.home().to_owned(), self.now());
                if let Some((_, old)) = base.filter(|(old, _)| old.index.commit == signed.index.commit) {
                    (lock.synced, lock.other) = (old.synced, old.other);
                }
                lock.etag = etag;
                Target { signed, lock, roots, follows: true }
            }
            None => {
                let (signed, lock) = base.ok_or_else(|| Error::defect("a conditional request without a condition"))?;
                if index::is_expired(&signed.index.expires, self.clock.now()) {
                    return Err(Error::refused(format!(
                        "the index of the registry expired at {}, and the server has no newer one",
                        signed.index.expires
                    ))
                    .hint("ask whoever runs the registry to publish again; if the clock of this machine is wrong, set it")
                    .hint("what is there stays in use"));
                }
                Target { signed, lock: Lock { checked: self.now(), ..lock }, roots: Vec::new(), follows: true }
            }
        };
        let from = place(channel, None);
        self.take(trust, target, Some((visit, &from)), check)
    }

    /// The channel's last index and its lock, where both are here, agree, and came from this address under the newest root.
    fn last_of(&self, trust: &Trust, channel: Channel, url: &str) -> Result<Option<(Signed, Lock)>> {
        let Some(lock) = self.store.lock(Some(channel))?.filter(|l| l.url == url && l.root == trust.newest().version) else {
            return Ok(None);
        };
        if !super::names::is_commit(&lock.commit) {
            return Ok(None);
        }
        let signed = self.held(trust, &lock.commit)?;
        Ok(signed.filter(|s| agrees(&lock, s)).map(|s| (s, lock)))
    }

    /// Offline: the newest of the channel that is here.
    fn use_held(&self, settings: &Settings, trust: &Trust, check: Check<'_>) -> Result<Synced> {
        let channel = settings.channel;
        let newest =
            self.all_held(trust)?.into_iter().filter(|h| h.index.channel == channel).max_by_key(|h| (h.index.root, h.index.version));
        let signed = newest.ok_or_else(|| {
            Error::not_found(format!("nothing of channel {channel} is here"))
                .hint("fetch it: clown registry sync")
                .hint("what is built in works without")
        })?;
        let current = self.store.current()?;
        if current.as_ref() != Some(&signed.index.commit) {
            trust.still_good(&signed)?;
        }
        let lock = self.told(settings, &signed)?;
        self.take(trust, Target { signed, lock, roots: Vec::new(), follows: true }, None, check)
    }

    /// Makes sure that all of the target is here, then brings it into force.
    pub(super) fn take(&self, trust: &Trust, target: Target, from: Option<(&Visit<'_>, &str)>, check: Check<'_>) -> Result<Synced> {
        let Target { signed, lock, roots, follows } = target;
        let index = &signed.index;
        let before = self.store.current()?;
        let contents = self.gather(trust, index, from, &|done, total| self.progress.at(Stage::Fetch, done, total))?;
        content::judge(index, &contents, check, &|done, total| self.progress.at(Stage::Check, done, total))?;
        self.progress.at(Stage::Commit, 0, 0);
        let gone = match &before {
            Some(commit) if *commit != index.commit => self
                .held(trust, commit)?
                .map_or(0, |old| old.index.entries.iter().filter(|e| index::find(index, e.kind, &e.id).is_none()).count()),
            _ => 0,
        };
        let count = |wanted: fn(&Origin) -> bool| contents.iter().filter(|c| wanted(&c.origin)).count() as u64;
        let synced = Synced {
            commit: index.commit.clone(),
            channel: index.channel,
            version: index.version,
            artifacts: contents.len() as u64,
            source: if from.is_some() { Source::Network } else { Source::Cache },
            changed: before.as_ref() != Some(&index.commit),
            new: count(|o| matches!(o, Origin::Network)),
            kept: count(|o| !matches!(o, Origin::Network)),
            removed: gone as u64,
            bytes: from.map_or(0, |(v, _)| v.bytes()),
            requests: from.map_or(0, |(v, _)| v.requests()),
            expires: index.expires.clone(),
            pinned: lock.pinned.clone(),
            notes: self.notes(&lock),
            prices: None,
        };
        trust.store(&self.store, &roots)?;
        self.put(&signed, &contents)?;
        self.store.switch(&index.commit)?;
        self.write_locks(&lock, follows)?;
        if synced.changed {
            self.drop_others(trust, &index.commit, before.as_deref(), lock.pinned.as_deref())?;
        }
        Ok(synced)
    }

    fn notes(&self, lock: &Lock) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(commit) = &lock.pinned {
            notes.push(format!("Pinned to {commit}; `clown registry pin --none` follows the channel again."));
        }
        if index::is_expired(&lock.expires, self.clock.now()) {
            notes.push(format!("Expired at {}; sync when the network is there.", lock.expires));
        }
        notes
    }

    /// Writes what of the commit is not on disk yet.
    fn put(&self, signed: &Signed, contents: &[Content]) -> Result<()> {
        let commit = &signed.index.commit;
        let missing = |path: &str, bytes: &[u8], max: u64| Ok::<_, Error>(self.store.read_in(commit, path, max)?.as_deref() != Some(bytes));
        let mut pieces = Vec::new();
        for (entry, Content { bytes, origin }) in signed.index.entries.iter().zip(contents) {
            let same_in = match origin {
                Origin::InPlace => continue,
                Origin::Held(commit, path) => Some((commit.as_str(), path.as_str())),
                Origin::Network => None,
            };
            pieces.push(Piece { path: &entry.path, bytes, same_in });
        }
        // The index last: where a commit is mended, it counts only when all else is there.
        for (path, bytes) in [(SIGNATURES, signed.signatures.as_bytes()), (INDEX, &signed.bytes)] {
            if missing(path, bytes, bytes.len() as u64)? {
                pieces.push(Piece { path, bytes, same_in: None });
            }
        }
        if pieces.is_empty() { Ok(()) } else { self.store.put(commit, &pieces) }
    }

    /// What is in force, and where a channel is followed, its last. A lock of which only the time of the question moved is written once.
    pub(super) fn write_locks(&self, lock: &Lock, follows: bool) -> Result<()> {
        let stamp = self.now();
        self.store.write_lock(None, lock, &stamp)?;
        if follows {
            let own = Lock { pinned: None, ..lock.clone() };
            let told = self.store.lock(Some(lock.channel))?.map(|old| Lock { checked: own.checked.clone(), ..old });
            if told.as_ref() != Some(&own) {
                self.store.write_lock(Some(lock.channel), &own, &stamp)?;
            }
        }
        Ok(())
    }

    /// Keeps what is in force, what was before, a pin, and the newest of each channel: what has been seen must not be forgotten.
    pub(super) fn drop_others(&self, trust: &Trust, now: &str, before: Option<&str>, pinned: Option<&str>) -> Result<()> {
        let held = self.all_held(trust)?;
        let newest =
            |channel: Channel| held.iter().filter(move |h| h.index.channel == channel).max_by_key(|h| (h.index.root, h.index.version));
        let mut keep: Vec<&str> = Channel::ALL.into_iter().filter_map(newest).map(|h| h.index.commit.as_str()).collect();
        keep.extend([Some(now), before, pinned].into_iter().flatten());
        self.store.keep_only(&keep)
    }
}
