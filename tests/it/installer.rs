//! `install.sh` as dist fills it in, against a release of our own: what it writes, what it refuses, and that it takes all of it away
//! again.

use std::{
    collections::BTreeMap,
    io::Cursor,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use minisign::KeyPair;
use sha2::{Digest, Sha256};

use crate::{
    registry::server::FileServer,
    support::{Out, TestHome, snapshot},
};

const TARGET: &str = concat!("x86_64", "-unknown-linux-musl");

struct World {
    home: TestHome,
    server: FileServer,
    dir: PathBuf,
    key: KeyPair,
    script: PathBuf,
}

/// What is in a test's archive besides the program.
const FILES: &[&str] = &["README.md", "LICENSE-MIT", "man/clown.1", "man/clown-run.1", "completions/clown.bash", "completions/clown.zsh"];

impl World {
    /// With clown 1.0.0 published.
    fn new() -> Self {
        let home = TestHome::new();
        let dir = home.everything().join("release");
        std::fs::create_dir(&dir).unwrap();
        let (server, key) = (FileServer::http(dir.clone()), KeyPair::generate_unencrypted_keypair().unwrap());
        let text = include_str!("../../assets/install/install.sh").replace("@VERSION@", "1.0.0");
        let script = home.write("install.sh", &text.replace("@BASE_URL@", &server.url()).replace("@KEYS@", &key.pk.to_base64()));
        let world = Self { home, server, dir, key, script };
        world.publish("1.0.0", "#!/bin/sh\necho clown 1.0.0\n", FILES);
        world
    }

    fn base(version: &str) -> String {
        format!("clown-{version}-{TARGET}")
    }

    fn publish(&self, version: &str, program: &str, files: &[&str]) {
        let base = Self::base(version);
        let _ = std::fs::remove_dir_all(self.home.everything().join("x"));
        let _ = std::fs::remove_dir_all(&self.dir);
        std::fs::create_dir(&self.dir).unwrap();
        for file in files {
            self.home.write(format!("x/{base}/{file}"), &format!("{file} of {version}\n"));
        }
        let program = self.home.write(format!("x/{base}/clown"), program);
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let archive = self.dir.join(format!("{base}.tar.gz"));
        let x = self.home.everything().join("x");
        self.home.program("/bin/tar", &["-C", x.to_str().unwrap(), "-czf", archive.to_str().unwrap(), &base]).ok();
        self.list();
    }

    /// The checksums of all that is there, signed.
    fn list(&self) {
        let mut lines = String::new();
        for entry in std::fs::read_dir(&self.dir).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if !name.starts_with("SHA256SUMS") {
                let hash: String = Sha256::digest(std::fs::read(entry.path()).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
                lines += &format!("{hash}  {name}\n");
            }
        }
        std::fs::write(self.dir.join("SHA256SUMS"), &lines).unwrap();
        self.sign(&self.key, lines.as_bytes());
    }

    fn sign(&self, key: &KeyPair, text: &[u8]) {
        let made = minisign::sign(Some(&key.pk), &key.sk, Cursor::new(text), None, None).unwrap().into_string();
        std::fs::write(self.dir.join("SHA256SUMS.minisig"), made).unwrap();
    }

    fn run(&self, args: &[&str]) -> Out {
        self.home.program("/bin/sh", &[&[self.script.to_str().unwrap()], args].concat()).run()
    }

    /// With the prefix of these tests.
    fn install(&self) -> Out {
        self.run(&["--prefix", self.prefix().to_str().unwrap()])
    }

    fn uninstall(&self) -> Out {
        self.run(&["--uninstall", "--prefix", self.prefix().to_str().unwrap()])
    }

    fn prefix(&self) -> PathBuf {
        self.home.home().join("p")
    }

    fn home_now(&self) -> BTreeMap<PathBuf, (char, Vec<u8>)> {
        snapshot(&self.home.home(), Path::new(""))
    }

    fn refused(&self, words: &str) {
        let before = self.home_now();
        let out = self.install().code_is(1).says(words);
        assert!(out.stderr().contains("hint:") || out.stderr().contains("does not belong"), "{}", out.report());
        assert_eq!(self.home_now(), before, "a refused installation changed something: {words}");
        assert_eq!(std::fs::read_dir(self.home.everything().join("t")).unwrap().count(), 0, "leftovers in TMPDIR");
    }

    /// A PATH with these programs of the system, and what every system has.
    fn only(&mut self, more: &[&str]) {
        let dir = self.home.everything().join("tools");
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir(&dir).unwrap();
        let every = "sh uname id mktemp rm cut tr grep sed tar gzip dirname mkdir cp chmod mv cat sort rmdir wc tail head sha256sum pwd";
        for name in every.split(' ').chain(more.iter().copied()) {
            let found = ["/usr/bin", "/bin"].map(|d| Path::new(d).join(name)).into_iter().find(|p| p.exists());
            if let Some(program) = found {
                symlink(program, dir.join(name)).unwrap();
            } else {
                assert_eq!(name, "pwd", "{name} is not installed: run `cargo xtask setup --tests`");
            }
        }
        self.home.set("PATH", dir.to_str().unwrap());
    }
}

#[test]
fn it_writes_what_it_says_and_takes_it_all_away() {
    let world = World::new();
    let before = world.home_now();
    let out = world.install().code_is(0);
    let p = world.prefix();
    assert!(out.stdout().contains(&format!("Installed clown 1.0.0 as {}/bin/clown.", p.display())), "{}", out.report());
    for said in ["signature   good, by key", "SHA-256", "is not on your PATH", "clown init", "--uninstall --prefix"] {
        assert!(out.stdout().contains(said), "{said}: {}", out.report());
    }
    assert_eq!(world.home.program(p.join("bin/clown").to_str().unwrap(), &[]).ok().stdout(), "clown 1.0.0\n");
    let places = [
        "share/man/man1/clown-run.1",
        "share/bash-completion/completions/clown",
        "share/zsh/site-functions/_clown",
        "share/clown/LICENSE-MIT",
    ];
    assert!(places.iter().all(|file| p.join(file).is_file()));
    // Again, with a newer one that has a page less and one more; then all of both goes.
    world.publish("1.1.0", "#!/bin/sh\necho clown 1.1.0\n", &["man/clown.1", "man/clown-self.1"]);
    assert!(world.install().code_is(0).stdout().contains("Installed clown 1.1.0"));
    let out = world.uninstall().code_is(0);
    assert!(out.stdout().contains("Removed clown from"), "{}", out.report());
    assert_eq!(world.home_now(), before);
    world.uninstall().code_is(1).says("no installation is noted");
}

#[test]
fn what_others_wrote_stays() {
    let world = World::new();
    world.home.write("h/p/bin/other", "x");
    let before = world.home_now();
    world.home.write("h/p/bin/clown", "#!/bin/sh\necho a circus\n");
    let foreign = world.home_now();
    world.refused("is not this clown");
    assert_eq!(world.home_now(), foreign);
    std::fs::remove_file(world.prefix().join("bin/clown")).unwrap();
    world.install().code_is(0);
    // A note that somebody changed removes nothing of others.
    let note = world.prefix().join("share/clown/installed");
    let text = std::fs::read_to_string(&note).unwrap();
    std::fs::write(&note, format!("bin/other\n../precious\nshare/man/man1/clown-x/../../../../bin/other.1\n{text}")).unwrap();
    world.home.write("h/precious", "x");
    let out = world.uninstall().code_is(0).says("bin/other is in");
    assert!(out.stderr().contains("../precious is in"), "{}", out.report());
    std::fs::remove_file(world.home.home().join("precious")).unwrap();
    assert_eq!(world.home_now(), before);
}

#[test]
fn tampered_downloads_are_refused_and_the_former_state_stays() {
    let world = World::new();
    world.install().code_is(0);
    world.publish("1.1.0", "#!/bin/sh\necho clown 1.1.0\n", FILES);
    let archive = world.dir.join(World::base("1.1.0") + ".tar.gz");
    let good = std::fs::read(&archive).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bytes in [flipped, good[..good.len() - 9].to_vec(), Vec::new()] {
        std::fs::write(&archive, bytes).unwrap();
        world.refused("is not what the release lists");
    }
    // Whoever changes the list too cannot sign it.
    let sums = std::fs::read_to_string(world.dir.join("SHA256SUMS")).unwrap();
    world.list();
    let stranger = KeyPair::generate_unencrypted_keypair().unwrap();
    let forged = std::fs::read(world.dir.join("SHA256SUMS")).unwrap();
    world.sign(&stranger, &forged);
    world.refused("is not signed by a key of this installer");
    std::fs::write(world.dir.join("SHA256SUMS"), sums.replacen('a', "b", 1)).unwrap();
    world.sign(&world.key, b"another list");
    world.refused("is not signed by a key of this installer");
    std::fs::remove_file(world.dir.join("SHA256SUMS.minisig")).unwrap();
    world.refused("cannot be fetched");
    world.publish("1.1.0", "#!/bin/sh\necho clown 1.1.0\n", FILES);
    world.install().code_is(0);
}

#[test]
fn openssl_checks_the_signature_where_minisign_is_missing() {
    let mut world = World::new();
    world.only(&["curl", "openssl"]);
    let out = world.install().code_is(0);
    assert!(out.stdout().contains("signature   good, by key"), "{}", out.report());
    world.sign(&KeyPair::generate_unencrypted_keypair().unwrap(), &std::fs::read(world.dir.join("SHA256SUMS")).unwrap());
    world.refused("is not signed by a key of this installer");
    // Of several signatures one that counts is enough.
    let stranger = std::fs::read_to_string(world.dir.join("SHA256SUMS.minisig")).unwrap();
    world.list();
    let ours = std::fs::read_to_string(world.dir.join("SHA256SUMS.minisig")).unwrap();
    for (path, both) in
        [(&["curl", "openssl"][..], format!("{stranger}{ours}")), (&["curl", "minisign"], format!("{}\n{ours}", stranger.trim_end()))]
    {
        std::fs::write(world.dir.join("SHA256SUMS.minisig"), both).unwrap();
        world.only(path);
        world.install().code_is(0);
    }
}

#[test]
fn without_a_tool_for_signatures_it_says_so_or_stops() {
    let mut world = World::new();
    world.only(&["curl"]);
    let out = world.run(&["--require-signature", "--prefix", world.prefix().to_str().unwrap()]).code_is(1);
    assert!(out.stderr().contains("install minisign"), "{}", out.report());
    assert!(!world.prefix().exists());
    let out = world.install().code_is(0).says("signature was NOT checked");
    assert!(out.stdout().contains("signature   not checked"), "{}", out.report());
    // Nothing that downloads, but for what a bare Debian has for apt.
    world.only(&[]);
    if Path::new("/usr/lib/apt/apt-helper").exists() {
        world.install().code_is(0);
        std::fs::remove_file(world.dir.join("SHA256SUMS")).unwrap();
        world.refused("cannot be fetched");
    } else {
        world.refused("neither curl nor wget");
    }
}

#[test]
fn archives_and_programs_that_do_not_belong_there() {
    let world = World::new();
    let archive = |base: &str| world.dir.join(format!("{base}.tar.gz"));
    let base = World::base("1.0.0");
    // A file beside the directory.
    world.home.write("x/evil", "x");
    let x = world.home.everything().join("x");
    world.home.program("/bin/tar", &["-C", x.to_str().unwrap(), "-czf", archive(&base).to_str().unwrap(), &base, "evil"]).ok();
    world.list();
    world.refused("has files outside");
    world.publish("1.0.0", "#!/bin/sh\nexit 1\n", FILES);
    world.refused("does not run on this system");
    world.publish("1.0.0", "#!/bin/sh\necho clown 1.0.0\n", &["man/sub/clown-x.1"]);
    world.refused("does not belong there");
    std::fs::rename(archive(&base), world.dir.join("clown-1.0.0-sparc-unknown-linux-musl.tar.gz")).unwrap();
    world.list();
    world.refused("has no program for");
}

#[test]
fn a_place_that_cannot_be_written_leaves_the_former_program() {
    let world = World::new();
    world.install().code_is(0);
    world.publish("1.1.0", "#!/bin/sh\necho clown 1.1.0\n", FILES);
    // Root may write anywhere, so something else is in the way.
    let way = world.prefix().join("share/man/man1/clown.1.clown-new");
    std::fs::create_dir_all(way.join("x")).unwrap();
    std::fs::set_permissions(&way, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(way.join("clown.1")).unwrap();
    world.refused("cannot be written; what was there is unchanged");
    std::fs::remove_dir_all(way).unwrap();
    world.install().code_is(0);
}

#[test]
fn wrong_words_and_half_a_script_do_nothing() {
    let world = World::new();
    let before = world.home_now();
    for (args, words) in [
        (&["--prefx", "x"][..], "there is no option --prefx"),
        (&["--prefix"], "--prefix needs a value"),
        (&["--url", "http://192.0.2.1/x"], "is not encrypted"),
        (&["--url", "http://127.0.0.1.example.com/x"], "is not encrypted"),
        (&["--url", "ftp://x"], "is not encrypted"),
        (&["--url", "http://127.0.0.1:80@example.com/x"], "names a user"),
        (&["--url=file:///etc"], "is not encrypted"),
    ] {
        world.run(args).code_is(1).says(words);
    }
    assert!(world.run(&["--help"]).code_is(0).stdout().starts_with("Usage:"));
    let text = std::fs::read_to_string(&world.script).unwrap();
    for end in [text.len() / 3, text.len() / 2, text.rfind("main \"$@\"").unwrap()] {
        let half = world.home.write("half.sh", &text[..end]);
        world.home.program("/bin/sh", &[half.to_str().unwrap()]).run();
    }
    assert_eq!(world.home_now(), before);
    assert!(world.server.asked().is_empty());
}
