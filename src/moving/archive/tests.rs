use super::*;
use crate::wire::error::Code;

fn sample(dir: &Path) -> PathBuf {
    let path = dir.join("x.clown");
    let big = dir.join("big");
    fs::write(&big, (0..200_000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    let mut writer = Writer::create(&path, "2026-01-01T00:00:00.000Z".into()).unwrap();
    writer.bytes("a/b.json", b"{}", false).unwrap();
    writer.file(&format!("h/{}/{}", "d".repeat(200), "n".repeat(120)), &big, true).unwrap();
    writer.finish().unwrap();
    path
}

fn refused(archive: &Path) -> Error {
    let dir = tempfile::tempdir().unwrap();
    match unpack(archive, dir.path()) {
        Ok(_) => panic!("{} was taken", archive.display()),
        Err(error) => error,
    }
}

/// An archive of somebody else's making.
fn made(dir: &Path, fill: impl FnOnce(&mut Builder<GzEncoder<File>>)) -> PathBuf {
    let path = dir.join("made");
    let mut tar = Builder::new(GzEncoder::new(File::create(&path).unwrap(), Compression::best()));
    fill(&mut tar);
    tar.into_inner().unwrap().finish().unwrap();
    path
}

fn head(tar: &mut Builder<GzEncoder<File>>, version: u32) {
    let text = format!("{{\"format\":\"{FORMAT}\",\"version\":{version},\"by\":\"9\",\"created\":\"\"}}");
    tar.append_data(&mut header(text.len() as u64), HEAD, text.as_bytes()).unwrap();
}

/// With a name that the library would not write.
fn raw(tar: &mut Builder<GzEncoder<File>>, name: &str, kind: EntryType, link: &str) {
    let mut header = header(0);
    header.set_entry_type(kind);
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    tar.append(&header, io::empty()).unwrap();
}

#[test]
fn what_was_written_is_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let archive = sample(dir.path());
    let out = tempfile::tempdir().unwrap();
    let unpacked = unpack(&archive, out.path()).unwrap();
    assert_eq!(unpacked.bytes("a/b.json").unwrap().unwrap(), b"{}");
    let (path, listed) = unpacked.below("h").next().unwrap();
    assert!(listed.executable && listed.length == 800_000);
    assert_eq!(fs::read(unpacked.place(&format!("h/{path}"))).unwrap(), fs::read(dir.path().join("big")).unwrap());
    assert!(Writer::create(&archive, String::new()).is_err_and(|e| e.code() == Code::AlreadyExists));
}

#[test]
fn a_cut_or_changed_archive_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(sample(dir.path())).unwrap();
    let other = dir.path().join("other");
    for cut in [0, 1, 9, 20, 300, whole.len() / 2, whole.len() - 500, whole.len() - 40] {
        fs::write(&other, &whole[..cut]).unwrap();
        assert!(matches!(refused(&other).code(), Code::Corrupt | Code::InvalidInput), "cut at {cut}");
    }
    for at in (10..whole.len() - 8).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&other, &bytes).unwrap();
        let code = refused(&other).code();
        assert!(matches!(code, Code::Corrupt | Code::InvalidInput | Code::Refused | Code::Unsupported), "{code:?} at {at}");
    }
    fs::write(&other, b"hello").unwrap();
    assert_eq!(refused(&other).code(), Code::InvalidInput);
}

#[test]
fn content_that_is_not_as_listed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (files, manifest) in [
        (vec![("a", "1")], r#"{"files":{"a":{"length":1,"blake3":"00"}}}"#.to_owned()),
        (vec![("a", "1")], r#"{"files":{}}"#.to_owned()),
        (vec![], format!(r#"{{"files":{{"a":{{"length":1,"blake3":"{}"}}}}}}"#, blake3::hash(b"1").to_hex())),
        (vec![("a", "1"), ("a", "1")], format!(r#"{{"files":{{"a":{{"length":1,"blake3":"{}"}}}}}}"#, blake3::hash(b"1").to_hex())),
    ] {
        let archive = made(dir.path(), |tar| {
            head(tar, VERSION);
            for (name, text) in files {
                tar.append_data(&mut header(text.len() as u64), name, text.as_bytes()).unwrap();
            }
            tar.append_data(&mut header(manifest.len() as u64), MANIFEST, manifest.as_bytes()).unwrap();
        });
        let error = refused(&archive);
        // The second of two equal names meets the file of the first.
        assert!(matches!(error.code(), Code::Corrupt | Code::Io), "{error}");
    }
}

#[test]
fn nothing_breaks_out_and_a_newer_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["../x", "/etc/x", "a/../../x", "a//b", "./x", "a\\b", "a\u{1}"] {
        let archive = made(dir.path(), |tar| {
            head(tar, VERSION);
            raw(tar, name, EntryType::Regular, "");
        });
        assert_eq!(refused(&archive).code(), Code::Refused, "{name}");
    }
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Char, EntryType::Fifo, EntryType::XHeader] {
        let archive = made(dir.path(), |tar| {
            head(tar, VERSION);
            raw(tar, "x", kind, "/etc/passwd");
        });
        assert_eq!(refused(&archive).code(), Code::Refused, "{kind:?}");
    }
    let archive = made(dir.path(), |tar| head(tar, VERSION + 1));
    let error = refused(&archive);
    assert!(error.code() == Code::Unsupported && error.hints()[0].contains("update"), "{error}");
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let archive = made(dir.path(), |tar| {
        head(tar, VERSION);
        let length = 64 << 20;
        tar.append_data(&mut header(length), "zeros", io::repeat(0).take(length)).unwrap();
    });
    assert!(fs::metadata(&archive).unwrap().len() < 100_000);
    let out = tempfile::tempdir().unwrap();
    assert!(unpack(&archive, out.path()).is_err_and(|e| e.code() == Code::Refused));
    assert!(fs::metadata(out.path().join("zeros")).unwrap().len() < 32 << 20);
    // A name of gigabytes is not read into memory.
    let archive = made(dir.path(), |tar| {
        head(tar, VERSION);
        let mut name = header(1 << 33);
        name.set_entry_type(EntryType::GNULongName);
        name.set_cksum();
        tar.get_mut().write_all(name.as_bytes()).unwrap();
    });
    assert_eq!(refused(&archive).code(), Code::Refused);
}
