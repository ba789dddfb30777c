//! Keys that come and go.

use minisign::KeyPair;
use serde_json::json;

use super::publisher::*;
use crate::wire::error::Code;

fn root(version: u64, threshold: u32, keys: &[&KeyPair]) -> serde_json::Value {
    json!({
        "schema": 1, "version": version, "expires": "2026-12-01T00:00:00Z", "threshold": threshold,
        "keys": keys.iter().map(|k| k.pk.to_base64()).collect::<Vec<_>>(),
    })
}

fn put_root(world: &World, root: &serde_json::Value, by: &[&KeyPair]) {
    let bytes = serde_json::to_vec(root).unwrap();
    let path = format!("root.{}.json", root["version"]);
    world.server.put(&format!("{path}.minisig"), signatures(by.iter().copied(), &bytes));
    world.server.put(&path, bytes);
}

fn put_index(world: &World, version: u64, root: u64, entries: &[Entry<'_>], by: &[&KeyPair]) {
    let mut index = index(version, entries);
    index["root"] = json!(root);
    let bytes = serde_json::to_vec(&index).unwrap();
    world.publish_bytes(&bytes, &signatures(by.iter().copied(), &bytes));
    entries.iter().for_each(|(kind, id, content)| world.put_entry(&kind.path(id), content));
}

/// Root 2 has two new keys in the place of the first two.
fn rotated() -> (World, [KeyPair; 2]) {
    let world = World::with_one();
    let new = [key(), key()];
    let [a, b, c] = [&world.keys[0], &world.keys[1], &world.keys[2]];
    put_root(&world, &root(2, 2, &[c, &new[0], &new[1]]), &[a, b, &new[0], &new[1]]);
    put_index(&world, 2, 2, TWO, &[&new[0], &new[1]]);
    assert_eq!(world.sync().unwrap().version, 2);
    (world, new)
}

#[test]
fn attack_26_a_key_that_a_newer_root_took_back() {
    let (world, new) = rotated();
    let [a, b, c] = [&world.keys[0], &world.keys[1], &world.keys[2]];
    assert_eq!(world.registry.state(&world.settings).unwrap().root, 2);
    for root in [1, 2] {
        put_index(&world, 3, root, ONE, &[a, b]);
        world.refused("signed by 0 of the 2");
        put_index(&world, 3, root, ONE, &[a, c]);
        world.refused("signed by 1 of the 2");
    }
    // An index that the new keys signed under the old root's number.
    put_index(&world, 3, 1, ONE, &[&new[0], c]);
    world.refused("is signed under root 1, the newest known is 2");
    put_index(&world, 3, 2, ONE, &[&new[0], c]);
    assert!(world.sync().is_ok());
}

#[test]
fn attack_26_a_pin_brings_nothing_back_that_only_taken_back_keys_signed() {
    let (world, _) = rotated();
    let before = world.tree();
    let error = world.registry.pin(&world.settings, Some(&commit(1)), &fits).unwrap_err();
    assert!(error.to_string().contains("is here, but not trusted any more"), "{error}");
    assert_eq!(error.code(), Code::Refused);
    assert!(world.tree() == before);
}

#[test]
fn attack_14_a_new_root_makes_room_again() {
    let world = World::new();
    put_index(&world, 1_000_000_000_000, 1, ONE, &[&world.keys[0], &world.keys[1]]);
    world.sync().unwrap();
    put_index(&world, 5, 1, TWO, &[&world.keys[0], &world.keys[1]]);
    world.refused("the registry went back");
    let keys: Vec<&KeyPair> = world.keys.iter().collect();
    put_root(&world, &root(2, 2, &keys), &keys);
    put_index(&world, 5, 2, TWO, &keys);
    assert_eq!(world.sync().unwrap().version, 5);
    put_index(&world, 4, 2, ONE, &keys);
    world.refused("version 4 came, version 5");
}

#[test]
fn a_root_is_signed_by_enough_keys_of_the_one_before_and_of_its_own() {
    let world = World::with_one();
    let new = [key(), key()];
    let [a, b] = [&world.keys[0], &world.keys[1]];
    let two = root(2, 2, &[&new[0], &new[1]]);
    put_index(&world, 2, 2, TWO, &[&new[0], &new[1]]);
    world.refused("but the registry has no root 2");
    for (by, why) in [
        (&[&new[0], &new[1]][..], "root 2 of the registry is signed by 0 of the 2"),
        (&[a, &new[0], &new[1]], "root 2 of the registry is signed by 1 of the 2"),
        (&[a, b, &new[0]], "root 2 of the registry, by its own keys, is signed by 1 of the 2"),
        (&[], "root 2 of the registry is not signed"),
    ] {
        put_root(&world, &two, by);
        world.refused(why);
    }
    put_root(&world, &two, &[a, b, &new[0], &new[1]]);
    assert!(world.sync().is_ok());
}

#[test]
fn a_root_is_the_next_one_whole_and_not_expired() {
    let world = World::with_one();
    let keys: Vec<&KeyPair> = world.keys.iter().collect();
    put_index(&world, 2, 2, TWO, &keys);
    let put = |root: serde_json::Value| {
        let bytes = serde_json::to_vec(&root).unwrap();
        world.server.put("root.2.json.minisig", signatures(keys.iter().copied(), &bytes));
        world.server.put("root.2.json", bytes);
    };
    let with = |key: &str, value: serde_json::Value| {
        let mut root = root(2, 2, &keys);
        root[key] = value;
        root
    };
    for (root, why) in [
        (root(3, 2, &keys), "says it is root 3"),
        (root(1, 2, &keys), "says it is root 1"),
        (with("expires", json!("2026-05-01T00:00:00Z")), "root 2 of the registry expired"),
        (with("threshold", json!(0)), "its threshold is 0"),
        (with("threshold", json!(4)), "its threshold is 4, it has 3 keys"),
        (with("schema", json!(2)), "it has format 2"),
        (root(2, 1, &[keys[0], keys[0]]), "stands there twice"),
    ] {
        put(root);
        world.refused(why);
    }
    put_index(&world, 2, 99, TWO, &keys);
    world.refused("signed under root 99, known is root 1: too far away");
}

#[test]
fn two_steps_at_once_are_followed_though_the_first_root_expired() {
    let world = World::with_one();
    let keys: Vec<&KeyPair> = world.keys.iter().collect();
    let mut two = root(2, 2, &keys);
    two["expires"] = json!("2026-05-01T00:00:00Z");
    put_root(&world, &two, &keys);
    let new = key();
    put_root(&world, &root(3, 1, &[&new]), &[keys[0], keys[1], &new]);
    put_index(&world, 2, 3, TWO, &[&new]);
    world.sync().unwrap();
    assert_eq!(world.registry.state(&world.settings).unwrap().root, 3);
    // From disk, without asking again.
    world.server.asked();
    world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json"]);
}

#[test]
fn a_damaged_root_on_disk_is_told_and_not_forgotten() {
    let (world, _) = rotated();
    std::fs::write(world.path("roots/2.json"), "{}").unwrap();
    let error = world.sync().unwrap_err();
    assert!(error.to_string().contains("the stored root 2 of the registry is damaged"), "{error}");
    assert_eq!(error.code(), Code::Corrupt);
}

#[test]
fn other_keys_of_the_user_start_again() {
    let (mut world, _) = rotated();
    let own = key();
    world.settings.trusted_keys = vec![own.pk.to_base64()];
    world.settings.threshold = None;
    assert_eq!(world.registry.state(&world.settings).unwrap().root, 1);
    put_index(&world, 1, 1, ONE, &[&own]);
    let mut first = index(1, ONE);
    first["commit"] = json!(commit(500));
    let bytes = serde_json::to_vec(&first).unwrap();
    world.publish_bytes(&bytes, &signatures([&own], &bytes));
    assert_eq!(world.sync().unwrap().commit, commit(500));
}

#[test]
fn without_keys_a_user_learns_what_to_set_up() {
    let mut world = World::new();
    world.publish(&index(1, ONE), ONE);
    let mut expect = |keys: Vec<String>, threshold, why: &str| {
        world.settings.trusted_keys = keys;
        world.settings.threshold = threshold;
        let error = world.sync().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.code(), Code::InvalidInput);
    };
    let good = key().pk.to_base64();
    expect(vec![], None, "no key of a registry is trusted");
    expect(vec!["RWnonsense".into()], None, "is not a key");
    expect(vec![good.clone(), good.clone()], None, "stands there twice");
    expect(vec![good.clone()], Some(2), "registry.threshold is 2, but 1 keys are trusted");
    expect(vec![good], Some(0), "registry.threshold is 0");
}
