//! The room's one object, and what all of its calls share.

use std::{
    fs::File,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    base::{
        error::{Error, Result},
        fsx,
        paths::Paths,
        seams::{self, Answer, Clock, Fetch},
    },
    wire::{
        manifest::Problem,
        registry::{Channel, Kind, Lock, State},
    },
};

use super::{
    Progress,
    index::{self, Signed},
    roots::{self, Trust},
    store::{INDEX, SIGNATURES, Store},
    visit::{self, Visit},
};

/// Judges the content of an entry: kind, id, bytes.
pub type Check<'a> = &'a dyn Fn(Kind, &str, &[u8]) -> Result<(), Problem>;

/// What the user set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub url: Option<String>,
    pub channel: Channel,
    /// Public keys as `minisign` prints them; empty: the built-in root.
    pub trusted_keys: Vec<String>,
    /// Signatures needed; `None`: more than half of the keys.
    pub threshold: Option<u32>,
    /// PEM file of a certificate authority, besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// A file got under the registry's network rules; nobody vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    New { bytes: Vec<u8>, etag: Option<String> },
    Same,
}

pub struct Registry {
    pub(super) store: Store,
    pub(super) fetch: Arc<dyn Fetch>,
    pub(super) clock: Arc<dyn Clock>,
    pub progress: Progress,
}

/// Held while commits, `current` or locks may change.
pub(super) struct Turn {
    _lock: File,
    /// Somebody else had it when we came.
    pub(super) waited: bool,
}

impl Registry {
    /// `moved` is called when a sync is further than it was.
    pub fn new(paths: &Paths, fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>, moved: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { store: Store::new(paths.registry_dir()), fetch, clock, progress: Progress::new(moved) }
    }

    /// What is there. No network; `refresh_hours`, `last_error` and what is said of prices are the flow's to fill in.
    pub fn state(&self, settings: &Settings) -> Result<State> {
        self.store.check_layout()?;
        let (keys, threshold, root) = match Trust::load(settings, &self.store) {
            Ok(trust) => {
                let newest = trust.newest();
                (newest.keys.iter().map(|k| k.id.clone()).collect(), newest.threshold, newest.version)
            }
            // Nobody is trusted yet.
            Err(_) if settings.trusted_keys.is_empty() => (Vec::new(), 0, 1),
            Err(e) => return Err(e),
        };
        let current = self.store.current()?;
        let lock = self.store.lock(None)?.filter(|l| Some(&l.commit) == current.as_ref());
        Ok(State {
            url: settings.url.clone(),
            channel: settings.channel,
            keys,
            threshold,
            root,
            expired: lock.as_ref().is_some_and(|l| index::is_expired(&l.expires, self.clock.now())),
            lock,
            commits: self.store.commits()?,
            refresh_hours: 0,
            last_error: None,
            prices_synced: None,
            prices: 0,
        })
    }

    /// Gets a file under the same network rules, at most `max` bytes of it; a longer one is `Refused`. Nothing vouches for its content.
    pub fn fetch_file(&self, settings: &Settings, url: &str, etag: Option<&str>, max: u64) -> Result<Fetched> {
        let visit = Visit::new(self.fetch.as_ref(), url, settings.ca_file.as_deref())?;
        match visit.ask(url, max, etag)? {
            Answer::Body { bytes, etag } => Ok(Fetched::New { bytes, etag }),
            Answer::NotModified => Ok(Fetched::Same),
            Answer::Missing => Err(Error::not_found(format!("{url} is not there"))),
        }
    }

    pub(super) fn visit<'a>(&'a self, settings: &'a Settings) -> Result<Visit<'a>> {
        let url = settings.url.as_deref().ok_or_else(|| {
            Error::invalid("no registry is set up").hint("set the address its publisher names: clown config set registry.url https://...")
        })?;
        Visit::new(self.fetch.as_ref(), url, settings.ca_file.as_deref())
    }

    /// Waits until nobody else changes the registry's directory.
    pub(super) fn turn(&self, deadline: Instant) -> Result<Turn> {
        let path = self.store.path(&["sync.lock"]);
        self.store.check_layout()?;
        // Refuses a link in its place.
        self.store.read(&["sync.lock"], 0)?;
        let locking = fsx::begin_lock(&path)?;
        let got = |limit: Duration| locking.within(limit).map_err(Error::writing(&path));
        if let Some(lock) = got(Duration::ZERO)? {
            return Ok(Turn { _lock: lock, waited: false });
        }
        match got(deadline.saturating_duration_since(Instant::now()))? {
            Some(lock) => Ok(Turn { _lock: lock, waited: true }),
            None => Err(Error::conflict("another sync of the registry is under way and does not end").hint("try again in a minute")),
        }
    }

    pub(super) fn now(&self) -> String {
        seams::rfc3339(self.clock.as_ref())
    }

    /// The index of a commit on disk, if it is as it was signed. Errors: `Refused` for planted links, `Io`.
    pub(super) fn held(&self, trust: &Trust, commit: &str) -> Result<Option<Signed>> {
        Ok(self.open(trust, commit)?.ok())
    }

    /// As [`Self::held`], with the reason.
    pub(super) fn open(&self, trust: &Trust, commit: &str) -> Result<Result<Signed>> {
        let Some(bytes) = self.store.read_in(commit, INDEX, index::LONGEST)? else {
            return Ok(Err(Error::corrupt(format!("commit {commit} has no index"))));
        };
        let signatures = self.store.read_in(commit, SIGNATURES, roots::LONGEST)?.unwrap_or_default();
        Ok(trust.open_held(bytes, String::from_utf8_lossy(&signatures).into_owned()).and_then(|signed| {
            if signed.index.commit == commit {
                return Ok(signed);
            }
            Err(Error::corrupt(format!("the index of commit {commit} is that of {}", signed.index.commit)))
        }))
    }

    pub(super) fn all_held(&self, trust: &Trust) -> Result<Vec<Signed>> {
        let mut held = Vec::new();
        for commit in self.store.commits()? {
            held.extend(self.held(trust, &commit)?);
        }
        Ok(held)
    }

    /// What is told about a commit on disk: by the locks, where they speak of it; else by its own files.
    pub(super) fn told(&self, settings: &Settings, signed: &Signed) -> Result<Lock> {
        let index = &signed.index;
        let locks = [self.store.lock(None)?, self.store.lock(Some(index.channel))?];
        let at = || {
            let path = self.store.path(&["commits", &index.commit, INDEX]);
            let modified = std::fs::metadata(path).and_then(|m| m.modified()).ok().and_then(|t| jiff::Timestamp::try_from(t).ok());
            modified.map_or_else(|| self.now(), |t| t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        };
        let old = locks.into_iter().flatten().find(|l| l.commit == index.commit);
        let mut lock = lock_of(
            signed,
            old.as_ref().map_or_else(|| visit::trimmed(settings.url.as_deref().unwrap_or_default()), |l| l.url.clone()),
            at(),
        );
        if let Some(old) = old {
            lock = Lock { etag: old.etag, checked: old.checked, synced: old.synced, other: old.other, ..lock };
        }
        Ok(lock)
    }
}

/// A lock that says of an index what it says of itself.
pub(super) fn lock_of(signed: &Signed, url: String, at: String) -> Lock {
    let index = &signed.index;
    Lock {
        schema: 1,
        channel: index.channel,
        commit: index.commit.clone(),
        version: index.version,
        url,
        etag: None,
        checked: at.clone(),
        synced: at,
        expires: index.expires.clone(),
        root: index.root,
        keys: signed.keys.clone(),
        pinned: None,
        artifacts: index.entries.clone(),
        other: Default::default(),
    }
}

/// Whether a lock says of an index what is true of it.
pub(super) fn agrees(lock: &Lock, signed: &Signed) -> bool {
    let index = &signed.index;
    lock.channel == index.channel
        && lock.commit == index.commit
        && lock.version == index.version
        && lock.expires == index.expires
        && lock.root == index.root
        && lock.artifacts == index.entries
}
