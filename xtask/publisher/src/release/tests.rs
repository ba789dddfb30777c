use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clown::wire::release::{INDEX, Release as Index, here};
use minisign::{KeyPair, SignatureBox};

use super::{Pack, index::sha256};

const LINUX: &str = "x86_64-unknown-linux-musl";
const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// Packs two programs that are none, and gives every file of the release.
fn packed(dir: &Path, key: &KeyPair) -> BTreeMap<String, Vec<u8>> {
    let put = |path: &str, bytes: &[u8]| crate::write(&dir.join(path), bytes).unwrap();
    put(&format!("stage/{LINUX}/clown"), b"#!/bin/sh\necho clown\n");
    put(&format!("stage/{WINDOWS}/clown.exe"), b"MZ");
    put("stage/man/clown.1", b".TH CLOWN 1\n");
    put("key", key.sk.to_box(None).unwrap().into_string().as_bytes());
    let pack = Pack {
        stage: dir.join("stage"),
        out: dir.join("out"),
        base_url: Some("https://releases.example.com/clown/".into()),
        version_url: None,
        npm_name: "clown".into(),
        maintainer: "clown <clown@localhost>".into(),
        key: vec![dir.join("key")],
        epoch: 1_700_000_000,
    };
    pack.run().unwrap();
    let read = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
    fs::read_dir(dir.join("out")).unwrap().map(|entry| read(entry.unwrap().path())).collect()
}

#[test]
fn a_release_lists_and_signs_all_of_itself_and_is_the_same_again() {
    if std::process::Command::new("dpkg-deb").arg("--version").output().is_err() {
        println!("dpkg-deb is not here, so no release can be packed: nothing is tested");
        return;
    }
    let (dir, key) = (tempfile::tempdir().unwrap(), KeyPair::generate_unencrypted_keypair().unwrap());
    let files = packed(dir.path(), &key);
    let version = env!("CARGO_PKG_VERSION");
    for name in [
        format!("clown-{version}-{LINUX}.tar.gz"),
        format!("clown-{version}-{WINDOWS}.zip"),
        format!("clown-{version}-{LINUX}.cdx.json"),
        format!("clown_{version}_amd64.deb"),
        format!("npm-clown-{version}.tgz"),
        "clown.rb".to_owned(),
        "install.sh".to_owned(),
    ] {
        assert!(files.contains_key(&name), "{name} is missing from {:?}", files.keys());
    }
    // Nothing is left out of the list, and the list is true.
    let sums = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
    for (name, bytes) in files.iter().filter(|(name, _)| !name.contains("SUMS") && !name.ends_with(".minisig")) {
        assert!(sums.contains(&format!("{}  {name}\n", sha256(bytes))), "{name}");
    }
    for name in [INDEX, "SHA256SUMS", "B3SUMS"] {
        let text = String::from_utf8(files[&format!("{name}.minisig")].clone()).unwrap();
        let signature = SignatureBox::from_string(&text).unwrap();
        minisign::verify(&key.pk, &signature, std::io::Cursor::new(&files[name]), true, false, false).unwrap();
    }
    let index: Index = serde_json::from_slice(&files[INDEX]).unwrap();
    assert_eq!((index.version.as_str(), index.published.as_str(), index.programs.len()), (version, "2023-11-14T22:13:20Z", 2));
    assert!(!cfg!(all(target_os = "linux", target_arch = "x86_64")) || index.programs.iter().any(|p| p.platform == here()));
    let script = String::from_utf8(files["install.sh"].clone()).unwrap();
    assert!(script.contains("BASE_URL='https://releases.example.com/clown'\n") && script.contains(&key.pk.to_base64()));
    for name in ["install.sh", "clown.rb"] {
        let text = String::from_utf8_lossy(&files[name]);
        let is_unfilled = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        assert!(!text.split('@').skip(1).step_by(2).any(is_unfilled), "{name} has a name that was not filled in");
    }

    let again = packed(dir.path(), &key);
    let differs = |name: &&String| !name.ends_with(".minisig") && again.get(*name) != files.get(*name);
    assert_eq!(files.keys().filter(differs).collect::<Vec<_>>(), Vec::<&String>::new(), "other bytes of the same input");
}
