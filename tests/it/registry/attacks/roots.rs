//! Attacks by keys that count no more, or not yet.

use minisign::KeyPair;

use super::{
    super::world::{World, draft, put, sign},
    refused,
};

#[test]
fn a_revoked_key() {
    let world = World::synced();
    let new: Vec<KeyPair> = (0..2).map(|_| KeyPair::generate_unencrypted_keypair().unwrap()).collect();
    let keys = [&world.keys[2], &new[0], &new[1]];
    world.root(2, &keys, 2, &[&world.keys[0], &world.keys[1], &new[0], &new[1]]);
    let mut next = draft(2);
    next.index.root = 2;
    // Signed by keys that root 2 no longer has.
    world.write(&next);
    refused(&world, "0 of the 2");
    let text = serde_json::to_vec_pretty(&next.index).unwrap();
    put(&world.dir.join("stable/registry.json.minisig"), [sign(&new[0], &text), sign(&world.keys[2], &text)].concat().as_bytes());
    world.sync();
    assert_eq!(world.name(), "Version 2");
    // Back to the old keys, as if nothing had been rotated.
    let mut back = draft(3);
    back.index.root = 1;
    world.write(&back);
    let before = world.kept();
    world.home.clown(&["registry", "sync", "--force"]).fails(1).says("0 of the 2");
    assert_eq!(world.kept(), before);
}

#[test]
fn a_root_that_the_last_one_did_not_sign() {
    let world = World::synced();
    let new: Vec<KeyPair> = (0..2).map(|_| KeyPair::generate_unencrypted_keypair().unwrap()).collect();
    let mut next = draft(2);
    next.index.root = 2;
    let text = serde_json::to_vec_pretty(&next.index).unwrap();
    world.write(&next);
    put(&world.dir.join("stable/registry.json.minisig"), [sign(&new[0], &text), sign(&new[1], &text)].concat().as_bytes());
    let own = [&new[0], &new[1]];
    world.root(2, &own, 2, &own);
    refused(&world, "root 2");
    // One old key of the two needed, and one old key twice.
    world.root(2, &own, 2, &[&new[0], &new[1], &world.keys[0]]);
    refused(&world, "root 2");
    world.root(2, &own, 2, &[&new[0], &new[1], &world.keys[0], &world.keys[0]]);
    refused(&world, "root 2");
    // Enough old keys, and not enough of its own.
    world.root(2, &own, 2, &[&new[0], &world.keys[0], &world.keys[1]]);
    refused(&world, "root 2");
    std::fs::remove_file(world.dir.join("root.2.json")).unwrap();
    refused(&world, "root 2");
    world.root(2, &own, 2, &[&new[0], &new[1], &world.keys[0], &world.keys[1]]);
    world.sync();
    assert_eq!(world.name(), "Version 2");
}
