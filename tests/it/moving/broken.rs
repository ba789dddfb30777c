//! Files that are no whole export: refused, and nothing is changed.

use std::io::Write;

use super::{export, full, home, kept};

#[test]
fn what_is_not_a_whole_export_changes_nothing() {
    let one = full("sk-moved-0123456789");
    let whole = std::fs::read(export(&one, &[])).unwrap();
    let two = home();
    two.clown(&["profiles", "create", "claude", "own", "--provider", "offline"]).ok();
    let before = kept(&two);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut tar = tar::Builder::new(&mut bomb);
    let mut header = tar::Header::new_gnu();
    let head = br#"{"format":"clown export","version":1,"by":"9","created":""}"#;
    header.set_size(head.len() as u64);
    tar.append_data(&mut header, "clown.json", &head[..]).unwrap();
    header.set_size(1 << 28);
    tar.append_data(&mut header, "homes/x/history/zeros", std::io::Read::take(std::io::repeat(0), 1 << 28)).unwrap();
    drop(tar);
    let bomb = bomb.finish().unwrap();
    let newer = {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let head = br#"{"format":"clown export","version":7,"by":"9.1","created":""}"#;
        let mut header = tar::Header::new_gnu();
        header.set_size(head.len() as u64);
        tar.append_data(&mut header, "clown.json", &head[..]).unwrap();
        tar.into_inner().unwrap().finish().unwrap()
    };
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for (name, bytes, says) in [
        ("cut", &whole[..whole.len() - 100], "damaged"),
        ("half", &whole[..whole.len() / 2], "damaged"),
        ("changed", &changed, "damaged"),
        ("empty", &[], "no export"),
        ("text", b"hello, this is no archive at all", "no export"),
        ("bomb", &bomb, "unpacks to far more"),
        ("newer", &newer, "update clown"),
    ] {
        let file = two.work().join(name);
        std::fs::File::create(&file).unwrap().write_all(bytes).unwrap();
        let said = two.clown(&["import", file.to_str().unwrap(), "--on-conflict", "replace"]).fails(1).stderr();
        assert!(said.contains(says), "{name}: {said}");
        assert_eq!(kept(&two), before, "{name}");
    }
    two.clown(&["import", "missing"]).fails(1).says("cannot read");
    two.clown(&["import", two.work().to_str().unwrap()]).fails(1).says("is not a file");
    two.clown(&["import", "x", "--on-conflict", "merge"]).fails(2).says("fail, skip, rename, replace");
}
