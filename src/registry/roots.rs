//! Whose signatures count: the root the user or the build trusts, and the roots that followed it, each signed by enough keys of the one
//! before and of its own.
//!
//! On disk: `roots/<n>.json`, `roots/<n>.json.minisig`, and `roots/initial`, which says which first root they follow. With another first
//! root they count for nothing.

use crate::{
    base::{
        error::{Error, Result},
        json,
        sign::{self, Key},
    },
    wire::registry::{Root, SCHEMA},
};

use super::{
    Settings,
    index::{self, Signed},
    store::Store,
};

/// Longest root and longest file of signatures, in bytes.
pub(super) const LONGEST: u64 = 64 << 10;
/// Roots that one sync goes through.
const MOST_STEPS: u64 = 64;
/// The root of this build. It has no keys as long as there is no official registry.
const BUILT_IN: &str = include_str!("../../assets/registry/root.json");

/// The keys that count under one root.
#[derive(Clone, Debug)]
pub(super) struct Trusted {
    pub(super) version: u64,
    pub(super) threshold: u32,
    pub(super) keys: Vec<Key>,
    /// `None` for keys the user set up.
    expires: Option<String>,
}

/// A root that came from the registry and was found good.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) version: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) signatures: String,
}

/// The first root and those that followed.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    newest: Trusted,
    older: Vec<Trusted>,
    initial: String,
}

impl Trust {
    /// The roots on disk that follow from the first one. Errors: `InvalidInput` without usable keys, `Corrupt` when a stored root is damaged.
    pub(super) fn load(settings: &Settings, store: &Store) -> Result<Self> {
        let first = initial(settings)?;
        let initial = digest(&first);
        let mut trust = Self { newest: first, older: Vec::new(), initial };
        if store.read(&["roots", "initial"], LONGEST)?.as_deref() != Some(trust.initial.as_bytes()) {
            return Ok(trust);
        }
        loop {
            let n = trust.newest.version.saturating_add(1);
            let Some(next) = stored(store, n)? else { break };
            trust.follow(&next).map_err(|e| {
                Error::corrupt(format!("the stored root {n} of the registry is damaged"))
                    .cause(e)
                    .hint(format!("move {} away; the next sync fetches the roots again", store.path(&["roots"]).display()))
            })?;
        }
        Ok(trust)
    }

    pub(super) fn newest(&self) -> &Trusted {
        &self.newest
    }

    /// Takes a root that follows the newest one. Errors: `Refused`.
    fn follow(&mut self, next: &Next) -> Result<()> {
        let what = format!("root {} of the registry", next.version);
        sign::check(&what, &next.bytes, &next.signatures, &self.newest.keys, self.newest.threshold)?;
        let root = parse(&what, &next.bytes)?;
        sign::check(&format!("{what}, by its own keys,"), &next.bytes, &next.signatures, &root.keys, root.threshold)?;
        if root.version != self.newest.version.saturating_add(1) || root.version != next.version {
            return Err(Error::refused(format!("{what} says it is root {}", root.version)));
        }
        self.older.push(std::mem::replace(&mut self.newest, root));
        Ok(())
    }

    /// Follows the registry's roots up to number `to`. `get` brings the bytes and signatures of one; `None` when there is none.
    pub(super) fn advance(&mut self, to: u64, mut get: impl FnMut(u64) -> Result<Option<(Vec<u8>, String)>>) -> Result<Vec<Next>> {
        let from = self.newest.version;
        if to.saturating_sub(from) > MOST_STEPS {
            return Err(Error::refused(format!("the index of the registry is signed under root {to}, known is root {from}: too far away")));
        }
        let mut taken = Vec::new();
        for version in from.saturating_add(1)..=to {
            let (bytes, signatures) = get(version)?.ok_or_else(|| {
                Error::refused(format!("the index of the registry is signed under root {to}, but the registry has no root {version}"))
            })?;
            let next = Next { version, bytes, signatures };
            self.follow(&next)?;
            taken.push(next);
        }
        Ok(taken)
    }

    /// The newest root must not have expired; those on the way to it may.
    pub(super) fn check_expiry(&self, now: jiff::Timestamp) -> Result<()> {
        match &self.newest.expires {
            Some(at) if index::is_expired(at, now) => {
                Err(Error::refused(format!("root {} of the registry expired at {at}", self.newest.version))
                    .hint("ask whoever runs the registry for a newer root; if the clock of this machine is wrong, set it"))
            }
            _ => Ok(()),
        }
    }

    /// Writes newly taken roots, the oldest first; each counts from the moment its JSON file is there.
    pub(super) fn store(&self, store: &Store, taken: &[Next]) -> Result<()> {
        if taken.is_empty() {
            return Ok(());
        }
        if store.read(&["roots", "initial"], LONGEST)?.as_deref() != Some(self.initial.as_bytes()) {
            store.remove_files(&["roots"])?;
            store.replace(&["roots", "initial"], self.initial.as_bytes())?;
        }
        for Next { version, bytes, signatures } in taken {
            store.replace(&["roots", &format!("{version}.json.minisig")], signatures.as_bytes())?;
            store.replace(&["roots", &format!("{version}.json")], bytes)?;
        }
        Ok(())
    }

    /// Reads an index by the keys of the newest root.
    pub(super) fn open(&self, bytes: Vec<u8>, signatures: String) -> Result<Signed> {
        let Trusted { keys, threshold, .. } = &self.newest;
        let keys = sign::check("the index of the registry", &bytes, &signatures, keys, *threshold)?;
        Ok(Signed { index: index::parse(&bytes)?, bytes, signatures, keys })
    }

    /// Reads an index that was taken earlier, by the keys of the root it was signed under.
    pub(super) fn open_held(&self, bytes: Vec<u8>, signatures: String) -> Result<Signed> {
        let mut refused = None;
        for root in std::iter::once(&self.newest).chain(self.older.iter().rev()) {
            match sign::check("the index", &bytes, &signatures, &root.keys, root.threshold) {
                Ok(keys) => {
                    let index = index::parse(&bytes)?;
                    if index.root == root.version {
                        return Ok(Signed { index, bytes, signatures, keys });
                    }
                }
                Err(e) => _ = refused.get_or_insert(e),
            }
        }
        Err(refused.unwrap_or_else(|| Error::refused("the index is signed under another root than it says")))
    }

    /// Whether enough keys that are trusted today signed it.
    pub(super) fn still_good(&self, signed: &Signed) -> Result<()> {
        sign::check("it", &signed.bytes, &signed.signatures, &self.newest.keys, self.newest.threshold).map(|_| ())
    }
}

fn stored(store: &Store, version: u64) -> Result<Option<Next>> {
    let name = format!("{version}.json");
    let Some(bytes) = store.read(&["roots", &name], LONGEST)? else { return Ok(None) };
    let signatures = store.read(&["roots", &format!("{name}.minisig")], LONGEST)?.unwrap_or_default();
    Ok(Some(Next { version, bytes, signatures: String::from_utf8_lossy(&signatures).into_owned() }))
}

/// The first root: of the user's settings, else of this build.
fn initial(settings: &Settings) -> Result<Trusted> {
    if settings.trusted_keys.is_empty() {
        let root = parse("the built-in root", BUILT_IN.as_bytes())?;
        return if root.keys.is_empty() {
            Err(Error::invalid("no key of a registry is trusted, and this build brings none")
                .hint("set the keys its publisher names: clown config set registry.trusted_keys '[\"RW...\"]'"))
        } else {
            Ok(root)
        };
    }
    let hint = "see registry.trusted_keys and registry.threshold: clown config list";
    let keys = keys(&settings.trusted_keys).map_err(|why| Error::invalid(format!("registry.trusted_keys: {why}")).hint(hint))?;
    let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
    let threshold = settings.threshold.unwrap_or(count / 2 + 1);
    if threshold == 0 || threshold > count {
        return Err(Error::invalid(format!("registry.threshold is {threshold}, but {count} keys are trusted")).hint(hint));
    }
    Ok(Trusted { version: 1, threshold, keys, expires: None })
}

fn digest(root: &Trusted) -> String {
    let mut ids: Vec<String> = root.keys.iter().map(Key::digest).collect();
    ids.sort();
    blake3::hash(format!("{} {}", root.threshold, ids.join(" ")).as_bytes()).to_hex().to_string()
}

/// Reads a root; whose it is must be checked besides.
fn parse(what: &str, bytes: &[u8]) -> Result<Trusted> {
    let root: Root = json::strict(bytes).map_err(|e| Error::refused(format!("{what} cannot be read")).cause(e))?;
    let refuse = |why: String| Error::refused(format!("{what} is not acceptable: {why}"));
    if root.schema != SCHEMA {
        return Err(refuse(format!("it has format {}, this build reads {SCHEMA}", root.schema)).hint("update clown"));
    }
    index::expiry(&root.expires).map_err(refuse)?;
    let keys = keys(&root.keys).map_err(refuse)?;
    if root.threshold == 0 || (root.threshold as usize > keys.len() && !keys.is_empty()) {
        return Err(refuse(format!("its threshold is {}, it has {} keys", root.threshold, keys.len())));
    }
    Ok(Trusted { version: root.version, threshold: root.threshold, keys, expires: Some(root.expires) })
}

/// Keys, none of them twice.
fn keys(texts: &[String]) -> Result<Vec<Key>, String> {
    let mut keys: Vec<Key> = Vec::new();
    for text in texts {
        let key = Key::parse(text).map_err(|why| format!("{text:?} is not a key: {why}"))?;
        if keys.iter().any(|k| k.same(&key)) {
            return Err(format!("the key {} stands there twice", key.id));
        }
        keys.push(key);
    }
    Ok(keys)
}
