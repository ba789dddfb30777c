//! A publisher with a key, its server, and a home with a program of its own that follows it.

use std::{
    io::{Cursor, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clown::wire::release::{INDEX, PRODUCT, Program, Release, SCHEMA, SIGNATURES, here};
use minisign::KeyPair;
use sha2::{Digest, Sha256};

use crate::{
    registry::server::FileServer,
    support::{Cmd, TestHome, clown_program},
};

pub struct World {
    pub home: TestHome,
    pub server: FileServer,
    /// What the server serves.
    pub dir: PathBuf,
    pub key: KeyPair,
    /// The program that is updated, alone in its directory.
    pub program: PathBuf,
}

pub fn key() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

impl World {
    /// With a daemon that has nothing to do, and nothing published.
    pub fn new() -> Self {
        let home = TestHome::new();
        let dir = home.everything().join("releases");
        std::fs::create_dir(&dir).unwrap();
        let (server, key) = (FileServer::http(dir.clone()), key());
        let mut world = Self { home, server, dir, key, program: PathBuf::new() };
        world.program = world.copy("bin");
        world.home.clown(&["config", "set", "update.url", &world.server.url()]).ok();
        world.home.clown(&["config", "set", "update.trusted_keys", &world.key.pk.to_base64()]).ok();
        world
    }

    /// The program that is tested, in another place below the test's directory.
    pub fn copy(&self, place: &str) -> PathBuf {
        let dir = self.home.everything().join(place);
        std::fs::create_dir_all(&dir).unwrap();
        let program = dir.join("clown");
        // A second name is as good as a copy: an update writes into no program.
        std::fs::hard_link(clown_program(), &program).or_else(|_| std::fs::copy(clown_program(), &program).map(drop)).unwrap();
        program
    }

    pub fn run(&self, args: &[&str]) -> Cmd {
        self.home.program(self.program.to_str().unwrap(), args)
    }

    pub fn kept(&self) -> PathBuf {
        self.program.with_file_name("clown.old")
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.program).unwrap()
    }

    /// Of the files in the program's directory, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.program.parent().unwrap()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A program that says this version, and is the tested one for everything else. But that one's own file is not to be updated.
    pub fn script(&self, version: &str) -> Vec<u8> {
        let tested = clown_program();
        let lines = format!("--version) echo clown {version} ;; self) exit 9 ;; *) exec '{tested}' \"$@\" ;;");
        format!("#!/bin/sh\ncase $1 in {lines} esac\n").into_bytes()
    }

    pub fn program_at(&self, path: &Path, version: &str) {
        std::fs::write(path, self.script(version)).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn publish(&self, version: &str) {
        let bytes = self.script(version);
        self.publish_as(version, &bytes, |_| ());
    }

    /// A release with this program for this platform, spoilt before it is signed well.
    pub fn publish_as(&self, version: &str, bytes: &[u8], spoil: impl FnOnce(&mut Release)) {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        let packed = gz.finish().unwrap();
        let file = format!("clown-{version}.gz");
        self.put(&file, &packed);
        let program = Program {
            platform: here(),
            target: "test".into(),
            file,
            length: packed.len() as u64,
            blake3: blake3::hash(&packed).to_hex().to_string(),
            sha256: Sha256::digest(&packed).iter().map(|b| format!("{b:02x}")).collect(),
            unpacked: bytes.len() as u64,
        };
        let mut release = Release {
            schema: SCHEMA,
            product: PRODUCT.into(),
            version: version.into(),
            published: "2026-11-22T00:00:00Z".into(),
            programs: vec![program],
        };
        spoil(&mut release);
        let text = serde_json::to_vec_pretty(&release).unwrap();
        self.put(INDEX, &text);
        self.sign(&self.key, &text);
    }

    pub fn sign(&self, key: &KeyPair, text: &[u8]) {
        let made = minisign::sign(Some(&key.pk), &key.sk, Cursor::new(text), Some("t"), Some("u")).unwrap();
        self.put(SIGNATURES, made.into_string().as_bytes());
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.dir.join(name), bytes).unwrap();
    }
}
