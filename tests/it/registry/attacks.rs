//! Each attack is made on a home that holds version 1, with and without `--force`: it is refused by name and changes not one byte.

mod places;
mod roots;

use clown::wire::registry::Kind;
use minisign::KeyPair;

use super::world::{Draft, World, draft, entry, in_days, put, sign, with};

/// Refused, by name, with nothing changed; and the same once the registry is honest again works.
fn refused(world: &World, words: &str) {
    let before = world.kept();
    for args in [&["registry", "sync"][..], &["registry", "sync", "--force"]] {
        let out = world.home.clown(args).fails(1);
        assert!(out.stderr().contains(words), "{words:?} is not in:\n{}", out.report());
        assert!(out.stderr().contains("hint:"), "no way out:\n{}", out.report());
        assert_eq!(world.kept(), before, "a refused sync changed what is kept: {words}");
    }
    assert_eq!(world.name(), "Version 1");
}

/// An attack by a draft of version 2 that is spoilt and then signed well.
fn spoilt(words: &str, spoil: impl FnOnce(&mut Draft)) {
    let world = World::synced();
    let mut next = draft(2);
    spoil(&mut next);
    world.write(&next);
    refused(&world, words);
    // Only the attack was in the way.
    let mut good = draft(3);
    good.index.commit = "c".repeat(40);
    world.write(&good);
    world.sync();
    assert_eq!(world.name(), "Version 3");
}

/// An attack by other signatures on a good version 2.
fn signed(words: &str, signatures: impl FnOnce(&World, &[u8]) -> String) {
    let world = World::synced();
    let next = draft(2);
    let text = serde_json::to_vec_pretty(&next.index).unwrap();
    world.write(&next);
    let made = signatures(&world, &text);
    put(&world.dir.join("stable/registry.json.minisig"), made.as_bytes());
    refused(&world, words);
    world.write(&next);
    world.sync();
    assert_eq!(world.name(), "Version 2");
}

#[test]
fn an_unsigned_index() {
    let world = World::synced();
    world.publish(2);
    std::fs::remove_file(world.dir.join("stable/registry.json.minisig")).unwrap();
    refused(&world, "is not signed");
    signed("is not signed", |_, _| String::new());
    signed("signature", |_, _| "untrusted comment: x\nnothing\n".into());
}

#[test]
fn an_unknown_key() {
    let [a, b] = [0, 1].map(|_| KeyPair::generate_unencrypted_keypair().unwrap());
    signed("0 of the 2", |_, text| [sign(&a, text), sign(&b, text)].concat());
}

#[test]
fn too_few_signatures_and_one_key_twice() {
    signed("1 of the 2", |world, text| sign(&world.keys[0], text));
    signed("1 of the 2", |world, text| [sign(&world.keys[0], text), sign(&world.keys[0], text)].concat());
}

#[test]
fn a_signature_of_something_else() {
    signed("1 of the 2", |world, text| [sign(&world.keys[0], text), sign(&world.keys[1], b"other")].concat());
}

#[test]
fn a_flipped_bit_in_the_index() {
    let world = World::synced();
    world.publish(2);
    let file = world.dir.join("stable/registry.json");
    let mut text = std::fs::read(&file).unwrap();
    let at = text.windows(11).position(|w| w == b"\"version\": ").unwrap() + 11;
    text[at] ^= 1;
    put(&file, &text);
    refused(&world, "0 of the 2");
}

#[test]
fn artifacts_that_are_not_as_the_index_says() {
    let world = World::synced();
    let next = draft(2);
    world.write(&next);
    let file = world.dir.join("stable/providers/zai.toml");
    let good = std::fs::read(&file).unwrap();
    let mut flipped = good.clone();
    flipped[40] ^= 4;
    for (content, words) in [
        (flipped, "providers/zai.toml"),
        ([&good[..], b"\n# more"].concat(), "longer"),
        (good[..good.len() - 1].to_vec(), "bytes, not"),
        // Of the version before, under the same name.
        (draft(1).content["providers/zai.toml"].clone(), "providers/zai.toml"),
    ] {
        put(&file, &content);
        refused(&world, words);
    }
    std::fs::remove_file(&file).unwrap();
    refused(&world, "providers/zai.toml");
    put(&file, &good);
    world.sync();
    assert_eq!(world.name(), "Version 2");
}

#[test]
fn both_hashes_count() {
    spoilt("sha256", |next| next.index.entries[1].sha256 = "0".repeat(64));
    spoilt("blake3", |next| next.index.entries[1].blake3 = "0".repeat(64));
}

#[test]
fn an_older_version_and_the_same_one_with_other_content() {
    let world = World::synced();
    world.publish(5);
    world.sync();
    let before = world.kept();
    let mut older = draft(4);
    older.index.commit = "d".repeat(40);
    world.write(&older);
    for args in [&["registry", "sync"][..], &["registry", "sync", "--force"]] {
        world.home.clown(args).fails(1).says("went back");
    }
    let mut same = draft(6);
    same.index.version = 5;
    world.write(&same);
    for args in [&["registry", "sync"][..], &["registry", "sync", "--force"]] {
        world.home.clown(args).fails(1).says("version 5");
    }
    assert_eq!((world.kept(), world.name().as_str()), (before, "Version 5"));
}

#[test]
fn an_older_version_after_the_lock_was_edited_by_hand() {
    let world = World::synced();
    world.publish(5);
    world.sync();
    for file in ["registry.lock", "channels/stable.lock"] {
        let file = world.registry().join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("\"version\": 5"), "{text}");
        std::fs::write(&file, text.replace("\"version\": 5", "\"version\": 1")).unwrap();
    }
    world.publish(4);
    world.home.clown(&["registry", "sync", "--force"]).fails(1).says("went back");
    assert_eq!(world.name(), "Version 5");
    for file in ["registry.lock", "channels/stable.lock"] {
        std::fs::remove_file(world.registry().join(file)).unwrap();
    }
    world.home.clown(&["registry", "sync", "--force"]).fails(1).says("went back");
    assert_eq!(world.name(), "Version 5");
}

#[test]
fn an_index_past_its_time() {
    spoilt("expired", |next| next.index.expires = in_days(-1));
    spoilt("expiry", |next| next.index.expires = "tomorrow".into());
}

#[test]
fn an_absurd_version() {
    spoilt("version", |next| next.index.version = u64::MAX);
}

#[test]
fn hostile_names() {
    for id in [
        "../x",
        "/abs",
        "a/../../b",
        "C:\\x",
        "con",
        "nul",
        "com1",
        "aux.x",
        ".hidden",
        "a\u{0}b",
        "Upper",
        "cafe\u{301}",
        "",
        ".",
        "..",
        "a b",
        "-x",
        &"n".repeat(300),
    ] {
        spoilt("name", |next| {
            let content = next.content["providers/zai.toml"].clone();
            next.index.entries.push(entry(Kind::Provider, id, &content));
        });
    }
}

#[test]
fn a_path_that_is_not_its_name_s() {
    for path in ["providers/../agents/zai.toml", "/etc/x", "scripts/zai.toml", "providers/zai.TOML", "providers\\zai.toml"] {
        spoilt("path", |next| next.index.entries[1].path = path.into());
    }
}

#[test]
fn two_names_alike() {
    spoilt("twice", |next| next.index.entries.push(next.index.entries[0].clone()));
}

#[test]
fn a_hostile_commit() {
    for commit in
        ["../../profiles", "", "/tmp/x", "g".repeat(40).as_str(), "a".repeat(39).as_str(), "A".repeat(40).as_str(), "a".repeat(65).as_str()]
    {
        let world = World::synced();
        let mut next = draft(2);
        next.index.commit = commit.into();
        let text = serde_json::to_vec_pretty(&next.index).unwrap();
        next.index.commit = "e".repeat(40);
        world.write_raw(&next, &text, &[0, 1]);
        refused(&world, "commit");
    }
}

#[test]
fn another_channel_s_index() {
    spoilt("channel", |next| next.index.channel = clown::wire::registry::Channel::Beta);
}

#[test]
fn twice_the_same_key_and_text_behind_the_end() {
    for (from, to, words) in [
        ("\"version\": 2,", "\"version\": 2, \"version\": 3,", "twice"),
        ("\"id\": \"zai\",", "\"id\": \"zai\", \"id\": \"other\",", "twice"),
    ] {
        let world = World::synced();
        let next = draft(2);
        let text = String::from_utf8(serde_json::to_vec_pretty(&next.index).unwrap()).unwrap();
        assert!(text.contains(from));
        world.write_raw(&next, text.replacen(from, to, 1).as_bytes(), &[0, 1]);
        refused(&world, words);
    }
    let world = World::synced();
    let next = draft(2);
    let mut text = serde_json::to_vec_pretty(&next.index).unwrap();
    text.extend_from_slice(b"{}");
    world.write_raw(&next, &text, &[0, 1]);
    refused(&world, "trailing");
    // The same key in another spelling.
    let text = String::from_utf8(serde_json::to_vec_pretty(&next.index).unwrap()).unwrap();
    let text = text.replacen("\"version\": 2,", "\"version\": 2, \"v\\u0065rsion\": 9,", 1);
    world.write_raw(&next, text.as_bytes(), &[0, 1]);
    refused(&world, "twice");
}

#[test]
fn an_artifact_of_another_kind() {
    let script = b"#{ env: #{}, args: [], files: [] }".to_vec();
    for (kind, id) in [(Kind::Provider, "evil"), (Kind::Agent, "evil"), (Kind::Template, "claude/evil"), (Kind::Models, "zai")] {
        let world = World::synced();
        let mut next = draft(2);
        next.index.entries.push(entry(kind, id, &script));
        next.content.insert(kind.path(id), script.clone());
        world.write(&next);
        refused(&world, &kind.path(id));
    }
    // A manifest that says it is another's.
    let world = World::synced();
    let mut next = draft(2);
    let zai = next.content["providers/zai.toml"].clone();
    next.index.entries.push(entry(Kind::Provider, "anthropic", &zai));
    next.content.insert("providers/anthropic.toml".into(), zai);
    world.write(&next);
    refused(&world, "providers/anthropic.toml");
    // A script that is none.
    let world = World::synced();
    let next = with(2, &[(Kind::Script, "evil", b"let x = ;".to_vec())]);
    world.write(&next);
    refused(&world, "scripts/evil.rhai");
}

#[test]
fn many_more_entries_than_any_registry_has() {
    spoilt("longer than", |next| {
        let content = next.content["providers/zai.toml"].clone();
        next.index.entries = (0..12_000).map(|n| entry(Kind::Models, &format!("m{n}"), &content)).collect();
    });
}

#[test]
fn an_entry_larger_than_any_manifest() {
    spoilt("more than 262144", |next| next.index.entries[1].length = 1 << 40);
}
