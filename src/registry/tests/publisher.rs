//! A publisher with real keys, a server in memory, and a tree of clown's.

use std::{
    collections::BTreeMap,
    io::Cursor,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use minisign::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
        seams::{Answer, Clock, Fetch, Get, Got},
    },
    registry::{Registry, Settings},
    wire::{
        error::Code,
        manifest::Problem,
        registry::{Kind, Synced},
    },
};

pub(super) const URL: &str = "https://r.example.com/x";
/// 2026-06-01
const START: i64 = 1_780_272_000;
const DAY: i64 = 86_400;

pub(super) type Entry<'a> = (Kind, &'a str, &'a str);

#[derive(Default)]
pub(super) struct Server {
    pub(super) files: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(super) asked: Mutex<Vec<String>>,
    /// Says of everything that it has not changed.
    pub(super) frozen: Mutex<bool>,
    pub(super) down: Mutex<bool>,
}

impl Fetch for Server {
    fn get(&self, get: &Get<'_>) -> Result<Got> {
        let path = get.url.strip_prefix(URL).unwrap().trim_start_matches('/').to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let got = |answer| Ok(Got { answer, requests: 1 });
        if *self.down.lock().unwrap() {
            return Err(Error::io("r.example.com cannot be reached"));
        }
        if *self.frozen.lock().unwrap() {
            return got(Answer::NotModified);
        }
        let Some(bytes) = self.files.lock().unwrap().get(&path).cloned() else { return got(Answer::Missing) };
        let etag = format!("\"{}\"", blake3::hash(&bytes).to_hex());
        if get.etag == Some(&etag) {
            return got(Answer::NotModified);
        }
        let end = bytes.len().min(get.max as usize + 1);
        got(Answer::Body { bytes: bytes[..end].to_vec(), etag: Some(etag) })
    }
}

impl Server {
    pub(super) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.lock().unwrap().insert(path.into(), bytes.into());
    }

    pub(super) fn file(&self, path: &str) -> Vec<u8> {
        self.files.lock().unwrap()[path].clone()
    }

    pub(super) fn remove(&self, path: &str) {
        self.files.lock().unwrap().remove(path).unwrap();
    }

    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Seconds since 1970, moved by hand.
pub(super) struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0.load(Ordering::Relaxed) as i64).unwrap()
    }
}

pub(super) struct World {
    pub(super) home: tempfile::TempDir,
    pub(super) server: Arc<Server>,
    clock: Arc<Hand>,
    pub(super) registry: Registry,
    pub(super) settings: Settings,
    pub(super) keys: Vec<KeyPair>,
}

pub(super) fn key() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

/// As `minisign -S` writes it.
pub(super) fn signature(key: &KeyPair, bytes: &[u8]) -> String {
    minisign::sign(Some(&key.pk), &key.sk, Cursor::new(bytes), Some("timestamp:1"), Some("signature")).unwrap().into_string()
}

pub(super) fn signatures<'a>(keys: impl IntoIterator<Item = &'a KeyPair>, bytes: &[u8]) -> String {
    keys.into_iter().map(|k| format!("{}\n", signature(k, bytes).trim_end())).collect()
}

/// A commit's name for a version.
pub(super) fn commit(version: u64) -> String {
    blake3::hash(&version.to_le_bytes()).to_hex()[..40].to_owned()
}

pub(super) fn entry((kind, id, content): Entry<'_>) -> Value {
    let sha256: String = Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect();
    let blake3 = blake3::hash(content.as_bytes()).to_hex().to_string();
    json!({ "kind": kind, "id": id, "path": kind.path(id), "blake3": blake3, "sha256": sha256, "length": content.len() })
}

pub(super) fn index(version: u64, entries: &[Entry<'_>]) -> Value {
    json!({
        "schema": 1, "version": version, "expires": "2026-07-01T00:00:00Z", "channel": "stable", "commit": commit(version), "root": 1,
        "entries": entries.iter().map(|e| entry(*e)).collect::<Vec<_>>(), "note": "newer builds know what this is"
    })
}

pub(super) const ONE: &[Entry<'static>] =
    &[(Kind::Agent, "claude", "agent one"), (Kind::Script, "claude", "script one"), (Kind::Template, "claude/web", "template one")];
pub(super) const TWO: &[Entry<'static>] =
    &[(Kind::Agent, "claude", "agent two"), (Kind::Script, "claude", "script one"), (Kind::Provider, "zai", "provider two")];

/// The flow's judgement: a script begins with its name, so does everything else.
pub(super) fn fits(kind: Kind, _id: &str, bytes: &[u8]) -> Result<(), Problem> {
    let fits = bytes.starts_with(kind.to_string().as_bytes());
    let problem = || Problem { file: String::new(), line: Some(1), key: None, message: format!("is no {kind}") };
    if fits { Ok(()) } else { Err(problem()) }
}

impl World {
    /// Three keys, two of which must sign; nothing published.
    pub(super) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let server = Arc::new(Server::default());
        let clock = Arc::new(Hand(AtomicU64::new(START as u64)));
        let keys = vec![key(), key(), key()];
        let registry = Registry::new(&Paths::at(home.path()), server.clone(), clock.clone(), Box::new(|| {}));
        let settings = Settings {
            url: Some(URL.into()),
            trusted_keys: keys.iter().map(|k| k.pk.to_base64()).collect(),
            threshold: Some(2),
            ..Settings::default()
        };
        Self { home, server, clock, registry, settings, keys }
    }

    /// With version 1 in force.
    pub(super) fn with_one() -> Self {
        let world = Self::new();
        world.publish(&index(1, ONE), ONE);
        world.sync().unwrap();
        world.server.asked();
        world
    }

    pub(super) fn days_later(&self, days: i64) {
        self.clock.0.store((START + days * DAY) as u64, Ordering::Relaxed);
    }

    /// A second room over the same tree, as another process would have.
    pub(super) fn another(&self) -> Registry {
        Registry::new(&Paths::at(self.home.path()), self.server.clone(), self.clock.clone(), Box::new(|| {}))
    }

    pub(super) fn publish(&self, index: &Value, entries: &[Entry<'_>]) {
        let bytes = serde_json::to_vec(index).unwrap();
        let signed = signatures(&self.keys[..2], &bytes);
        self.publish_bytes(&bytes, &signed);
        for (kind, id, content) in entries {
            self.put_entry(&kind.path(id), content);
        }
    }

    pub(super) fn put_entry(&self, path: &str, content: &str) {
        self.server.put(&format!("stable/{path}"), content);
    }

    pub(super) fn publish_bytes(&self, bytes: &[u8], signatures: &str) {
        self.server.put("stable/registry.json", bytes);
        self.server.put("stable/registry.json.minisig", signatures);
    }

    pub(super) fn sync(&self) -> Result<Synced> {
        self.registry.sync(&self.settings, false, false, &fits)
    }

    pub(super) fn path(&self, rest: &str) -> std::path::PathBuf {
        self.home.path().join("registry").join(rest)
    }

    pub(super) fn read(&self, rest: &str) -> String {
        std::fs::read_to_string(self.path(rest)).unwrap()
    }

    /// Everything below `registry/` but the lock file: names, contents, targets of links.
    pub(super) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        walk(&self.path(""), "", &mut found);
        found.remove("sync.lock");
        found
    }

    /// What is published now is refused for this reason: asked plainly, with force, and with locks that somebody edited; and nothing of
    /// what was there changes.
    pub(super) fn refused(&self, why: &str) {
        let good = self.tree();
        for (force, edited) in [(false, false), (true, false), (false, true), (true, true)] {
            if edited {
                for lock in ["registry.lock", "channels/stable.lock"] {
                    self.edit_lock(lock, |lock| {
                        lock["version"] = json!(0);
                        lock["commit"] = json!(commit(0));
                        lock["artifacts"] = json!([]);
                        lock["expires"] = json!("2099-01-01T00:00:00Z");
                    });
                }
            }
            let before = self.tree();
            let error = self.registry.sync(&self.settings, force, false, &fits).expect_err(why);
            assert!(error.to_string().contains(why), "{error}\nnot: {why}");
            assert_eq!(error.code(), Code::Refused, "{error}");
            assert!(self.tree() == before, "something changed: {:?}", self.tree().keys());
            let diff = self.registry.differences(&self.settings, &fits).expect_err(why);
            assert_eq!(diff.to_string(), error.to_string());
            assert!(self.tree() == before, "a look changed something");
        }
        for (path, bytes) in good.iter().filter(|(p, _)| !p.ends_with(".lock")) {
            assert_eq!(self.tree().get(path), Some(bytes), "{path}");
        }
    }

    pub(super) fn edit_lock(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let Ok(text) = std::fs::read(self.path(name)) else { return };
        let mut lock: Value = serde_json::from_slice(&text).unwrap();
        change(&mut lock);
        std::fs::write(self.path(name), serde_json::to_vec(&lock).unwrap()).unwrap();
    }
}

fn walk(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for item in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", item.file_name().to_string_lossy());
        let kind = item.file_type().unwrap();
        if kind.is_dir() {
            found.insert(format!("{name}/"), Vec::new());
            walk(&item.path(), &format!("{name}/"), found);
        } else if kind.is_symlink() {
            found.insert(name, std::fs::read_link(item.path()).unwrap().to_string_lossy().into_owned().into());
        } else {
            found.insert(name, std::fs::read(item.path()).unwrap());
        }
    }
}
