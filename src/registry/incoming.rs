//! An index from the network, and whether it may follow what is here.

use crate::{
    base::{
        error::{Error, Result},
        seams::Answer,
    },
    wire::registry::{Channel, Lock},
};

use super::{
    client::Registry,
    index::{self, Signed, Wanted},
    roots::{self, Next, Trust},
    visit::Visit,
};

/// An index that may come into force, once its entries are here.
pub(super) struct Incoming {
    pub(super) signed: Signed,
    pub(super) etag: Option<String>,
    /// Roots on the way to the one it is signed under, not on disk yet.
    pub(super) roots: Vec<Next>,
}

/// The one number needed before signatures can be checked. Nothing else is taken from unverified bytes.
#[derive(serde::Deserialize)]
struct Peek {
    root: u64,
}

impl Registry {
    /// Asks for the newest index of a channel, or for that of a commit by name. `None`: what the etag names is still the newest.
    /// `trust` moves on to the registry's newest root.
    pub(super) fn ask(
        &self,
        visit: &Visit<'_>,
        trust: &mut Trust,
        channel: Channel,
        commit: Option<&str>,
        etag: Option<&str>,
    ) -> Result<Option<Incoming>> {
        let path = format!("{}/registry.json", place(channel, commit));
        let (bytes, etag) = match visit.ask(&format!("{}/{path}", visit.home()), index::LONGEST, etag)? {
            Answer::NotModified => {
                trust.check_expiry(self.clock.now())?;
                return Ok(None);
            }
            Answer::Missing => {
                let what = commit.map_or_else(|| format!("channel {channel}"), |c| format!("commit {c} in channel {channel}"));
                return Err(Error::not_found(format!("the registry at {} has no {what}", visit.home())));
            }
            Answer::Body { bytes, etag } => (bytes, etag),
        };
        let signatures = visit.signatures(&path)?;
        let to = serde_json::from_slice::<Peek>(&bytes).map_or(0, |p| p.root);
        let roots = trust.advance(to, |n| {
            let path = format!("root.{n}.json");
            visit.file(&path, roots::LONGEST)?.map(|bytes| visit.signatures(&path).map(|s| (bytes, s))).transpose()
        })?;
        trust.check_expiry(self.clock.now())?;
        let signed = trust.open(bytes, signatures)?;
        self.compare(trust, &signed, channel, commit)?;
        Ok(Some(Incoming { signed, etag, roots }))
    }

    /// Whether the index may follow what was here before.
    fn compare(&self, trust: &Trust, signed: &Signed, channel: Channel, commit: Option<&str>) -> Result<()> {
        let new = &signed.index;
        let newest = trust.newest();
        let held = self.all_held(trust)?;
        let rivals = || held.iter().filter(|h| h.index.channel == channel && h.index.root == newest.version);
        // A commit that is here speaks for itself; a lock only counts where it is all that is left.
        let lock = self.store.lock(Some(channel))?.filter(|lock| {
            let ours = lock.root == newest.version && newest.keys.iter().any(|k| lock.keys.contains(&k.id));
            ours && !held.iter().any(|h| h.index.commit == lock.commit)
        });
        let seen = rivals().map(|h| h.index.version).chain(lock.iter().map(|l| l.version)).max();
        index::follows(new, Wanted { channel, root: newest.version, now: self.clock.now(), commit, seen })?;
        if held.iter().any(|h| h.index.commit == new.commit && h.bytes != signed.bytes) {
            return Err(Error::refused(format!("commit {} came with another content than it has here", new.commit)));
        }
        let differs = |lock: &Lock| lock.version == new.version && (lock.commit != new.commit || lock.artifacts != new.entries);
        if rivals().any(|h| h.index.version == new.version && h.bytes != signed.bytes) || lock.as_ref().is_some_and(differs) {
            return Err(Error::refused(format!("version {} of channel {channel} came with another content than it had here", new.version)));
        }
        Ok(())
    }
}

/// Where a channel's newest, or one of its commits, is below a registry's address.
pub(super) fn place(channel: Channel, commit: Option<&str>) -> String {
    commit.map_or_else(|| channel.to_string(), |c| format!("{channel}/commits/{c}"))
}
