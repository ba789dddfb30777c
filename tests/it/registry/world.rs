//! A publisher with keys, its server, and a home that trusts it.

use std::{
    collections::BTreeMap,
    io::Cursor,
    path::{Path, PathBuf},
};

use clown::wire::registry::{Channel, Entry, Index, Kind, Root, SCHEMA};
use minisign::KeyPair;
use serde_json::Value;

use super::{TestHome, server::FileServer};

pub struct World {
    pub home: TestHome,
    pub server: FileServer,
    /// What the server serves.
    pub dir: PathBuf,
    /// Any two of the three must sign.
    pub keys: Vec<KeyPair>,
}

/// What is published, to be spoilt before it is written.
pub struct Draft {
    pub index: Index,
    pub content: BTreeMap<String, Vec<u8>>,
}

impl World {
    /// Served over HTTP, with version 1 published and nothing synced.
    pub fn new() -> Self {
        let home = TestHome::new();
        let dir = home.everything().join("registry");
        let server = FileServer::http(dir.clone());
        let keys = (0..3).map(|_| KeyPair::generate_unencrypted_keypair().unwrap()).collect();
        let world = Self { home, server, dir, keys };
        // It asks when told, and prices have tests of their own.
        world.set("registry.refresh_hours", "0");
        world.set("registry.prices_url", "off");
        world.trust(&world.keys, 2);
        world.set("registry.url", &world.server.url());
        world.publish(1);
        world
    }

    /// With version 1 in force.
    pub fn synced() -> Self {
        let world = Self::new();
        world.sync();
        world.server.asked();
        world.server.sent();
        world
    }

    pub fn set(&self, key: &str, value: &str) {
        self.home.clown(&["config", "set", key, value]).ok();
    }

    pub fn trust(&self, keys: &[KeyPair], threshold: u32) {
        let list: Vec<String> = keys.iter().map(|k| k.pk.to_base64()).collect();
        self.set("registry.trusted_keys", &list.join(" "));
        self.set("registry.threshold", &threshold.to_string());
    }

    pub fn sync(&self) -> Value {
        self.home.json(&["registry", "sync"])
    }

    pub fn publish(&self, version: u64) {
        self.write(&draft(version));
    }

    /// Writes and signs with the first two keys.
    pub fn write(&self, draft: &Draft) {
        self.write_signed(draft, &[0, 1]);
    }

    pub fn write_signed(&self, draft: &Draft, signers: &[usize]) {
        let text = serde_json::to_vec_pretty(&draft.index).unwrap();
        self.write_raw(draft, &text, signers);
    }

    /// The index as this text, which need not be one.
    pub fn write_raw(&self, draft: &Draft, text: &[u8], signers: &[usize]) {
        let channel = self.dir.join("stable");
        for (path, content) in &draft.content {
            put(&channel.join(path), content);
            put(&channel.join("commits").join(&draft.index.commit).join(path), content);
        }
        let signatures: String = signers.iter().map(|n| sign(&self.keys[*n], text)).collect();
        for place in [channel.clone(), channel.join("commits").join(&draft.index.commit)] {
            put(&place.join("registry.json"), text);
            put(&place.join("registry.json.minisig"), signatures.as_bytes());
        }
    }

    /// `root.<n>.json`, signed by these.
    pub fn root(&self, version: u64, keys: &[&KeyPair], threshold: u32, signers: &[&KeyPair]) {
        let keys = keys.iter().map(|k| k.pk.to_base64()).collect();
        let root = Root { schema: SCHEMA, version, expires: in_days(100), threshold, keys };
        let text = serde_json::to_vec_pretty(&root).unwrap();
        put(&self.dir.join(format!("root.{version}.json")), &text);
        let signatures: String = signers.iter().map(|key| sign(key, &text)).collect();
        put(&self.dir.join(format!("root.{version}.json.minisig")), signatures.as_bytes());
    }

    /// Everything below `registry/` of the home, but for the lock that a sync holds.
    pub fn kept(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut todo = vec![self.home.root().join("registry")];
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type().unwrap());
                if kind.is_dir() {
                    todo.push(path.clone());
                    found.insert(path, b"directory".to_vec());
                } else if kind.is_symlink() {
                    found.insert(path.clone(), std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
                } else if entry.file_name() != "sync.lock" {
                    found.insert(path.clone(), std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    pub fn registry(&self) -> PathBuf {
        self.home.root().join("registry")
    }

    /// Display name of provider zai, as clown sees it.
    pub fn name(&self) -> String {
        self.home.json(&["providers", "inspect", "zai"])["manifest"]["name"].as_str().unwrap().to_owned()
    }
}

/// Two manifests and a script; the provider's name tells the version.
pub fn draft(version: u64) -> Draft {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let read = |path: &str| std::fs::read(manifests.join(path)).unwrap();
    let zai = String::from_utf8(read("providers/zai.toml")).unwrap();
    let named: String =
        zai.lines().map(|l| if l.starts_with("name =") { format!("name = \"Version {version}\"\n") } else { format!("{l}\n") }).collect();
    let content = [
        (Kind::Agent, "claude", read("agents/claude.toml")),
        (Kind::Provider, "zai", named.into_bytes()),
        (Kind::Script, "claude", read("scripts/claude.rhai")),
    ];
    with(version, &content)
}

pub fn with(version: u64, content: &[(Kind, &str, Vec<u8>)]) -> Draft {
    let entries = content.iter().map(|(kind, id, bytes)| entry(*kind, id, bytes)).collect();
    let index = Index {
        schema: SCHEMA,
        version,
        expires: in_days(20),
        channel: Channel::Stable,
        commit: format!("{version:040x}"),
        root: 1,
        entries,
    };
    Draft { index, content: content.iter().map(|(kind, id, bytes)| (kind.path(id), bytes.clone())).collect() }
}

pub fn entry(kind: Kind, id: &str, bytes: &[u8]) -> Entry {
    use sha2::{Digest, Sha256};
    Entry {
        kind,
        id: id.into(),
        path: kind.path(id),
        blake3: blake3::hash(bytes).to_hex().to_string(),
        sha256: Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect(),
        length: bytes.len() as u64,
    }
}

pub fn sign(key: &KeyPair, text: &[u8]) -> String {
    let made = minisign::sign(Some(&key.pk), &key.sk, Cursor::new(text), Some("t"), Some("u")).unwrap().into_string();
    made.trim_end().to_owned() + "\n"
}

pub fn in_days(days: i64) -> String {
    let at = jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap() + jiff::Span::new().hours(days * 24);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn put(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
