//! Staying at a commit.

use crate::{
    base::error::{Error, Result},
    wire::registry::{Lock, Synced},
};

use super::{
    client::{Check, Registry, Settings, lock_of},
    incoming::{Incoming, place},
    index::Signed,
    names,
    roots::Trust,
    sync::Target,
    visit::Visit,
};

impl Registry {
    /// Stays at a commit, or at the version number of one of the channel that is here; `None`: follows the channel again, from the next
    /// sync on. A commit that is not here is fetched: it may be older than what is here, but not expired.
    pub fn pin(&self, settings: &Settings, reference: Option<&str>, check: Check<'_>) -> Result<()> {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let _turn = self.turn(deadline)?;
        let old = self.store.lock(None)?;
        let Some(reference) = reference else {
            return match old {
                Some(lock) if lock.pinned.is_some() => self.write_locks(&Lock { pinned: None, ..lock }, false),
                _ => Ok(()),
            };
        };
        let mut trust = Trust::load(settings, &self.store)?;
        let commit = self.named(settings, &trust, reference)?;
        let visit = settings.url.is_some().then(|| self.visit(settings)).transpose()?;
        self.move_to(settings, visit.as_ref(), &mut trust, &commit, old.as_ref(), check).map(|_| ())
    }

    /// The commit a user means.
    fn named(&self, settings: &Settings, trust: &Trust, reference: &str) -> Result<String> {
        if names::is_commit(reference) {
            return Ok(reference.to_owned());
        }
        let Ok(version) = reference.parse::<u64>() else {
            return Err(Error::invalid(format!("{reference:?} is neither a commit nor the number of a version"))
                .hint("a commit is 40 to 64 hex digits; see those that are here: clown registry inspect"));
        };
        let mut held = self.all_held(trust)?;
        held.retain(|h| h.index.channel == settings.channel && h.index.version == version);
        let found = held.into_iter().max_by_key(|h| h.index.root).map(|h| h.index.commit);
        found.ok_or_else(|| {
            Error::not_found(format!("version {version} of channel {} is not here", settings.channel))
                .hint("name its commit, and it is fetched")
        })
    }

    /// During a sync: a pin holds, whatever the channel brings.
    pub(super) fn stay(
        &self,
        settings: &Settings,
        visit: Option<&Visit<'_>>,
        trust: &mut Trust,
        pinned: &str,
        old: Option<&Lock>,
        check: Check<'_>,
    ) -> Result<Synced> {
        if !names::is_commit(pinned) {
            return Err(Error::corrupt(format!("the registry is pinned to {pinned:?}, which is no commit"))
                .hint("follow the channel again: clown registry pin --none"));
        }
        self.move_to(settings, visit, trust, pinned, old, check)
    }

    fn move_to(
        &self,
        settings: &Settings,
        visit: Option<&Visit<'_>>,
        trust: &mut Trust,
        commit: &str,
        old: Option<&Lock>,
        check: Check<'_>,
    ) -> Result<Synced> {
        let in_force = self.store.current()?.as_deref() == Some(commit);
        if let Some(signed) = self.held(trust, commit)? {
            // Keys that were taken back bring nothing into force any more.
            if !in_force {
                trust
                    .still_good(&signed)
                    .map_err(|e| Error::refused(format!("commit {commit} is here, but not trusted any more")).cause(e))?;
            }
            let lock = Lock { pinned: Some(commit.to_owned()), ..self.told(settings, &signed)? };
            let from = place(signed.index.channel, Some(commit));
            let whole = self.gather(trust, &signed.index, None, &|_, _| {}).is_ok();
            let from = visit.filter(|_| !whole).map(|v| (v, from.as_str()));
            return self.take(trust, Target { signed, lock, roots: Vec::new(), follows: false }, from, check);
        }
        let Some(visit) = visit else {
            return Err(Error::not_found(format!("commit {commit} is not here")).hint("fetch it: clown registry sync"));
        };
        // A pin of before says which channel it is of.
        let channel = old.filter(|l| l.pinned.as_deref() == Some(commit)).map_or(settings.channel, |l| l.channel);
        let Some(Incoming { signed, roots, .. }) = self.ask(visit, trust, channel, Some(commit), None)? else {
            return Err(Error::defect("an unconditional request was answered as a conditional one"));
        };
        let lock = self.pinned_lock(&signed, visit, commit);
        let from = place(channel, Some(commit));
        self.take(trust, Target { signed, lock, roots, follows: false }, Some((visit, &from)), check)
    }

    fn pinned_lock(&self, signed: &Signed, visit: &Visit<'_>, commit: &str) -> Lock {
        Lock { pinned: Some(commit.to_owned()), ..lock_of(signed, visit.home().to_owned(), self.now()) }
    }
}
