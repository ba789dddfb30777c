//! Each is refused for its own reason, and leaves everything as it was.

use serde_json::json;

use super::publisher::*;
use crate::wire::{error::Code, registry::Kind};

#[test]
fn attack_01_an_unsigned_index() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.server.put("stable/registry.json.minisig", "");
    world.refused("is not signed");
    world.server.remove("stable/registry.json.minisig");
    world.refused("is not signed");
    world.server.put("stable/registry.json.minisig", "<html>no such file</html>\n");
    world.refused("are not as minisign writes them");
}

#[test]
fn attack_02_an_index_signed_by_keys_nobody_trusts() {
    let world = World::with_one();
    let bytes = serde_json::to_vec(&index(2, TWO)).unwrap();
    let strangers = [key(), key(), key()];
    world.publish_bytes(&bytes, &signatures(&strangers, &bytes));
    world.refused("signed by 0 of the 2 trusted keys that must sign it; a signature is by a key that is not trusted");
}

#[test]
fn attack_03_one_signature_where_two_are_needed() {
    let world = World::with_one();
    let bytes = serde_json::to_vec(&index(2, TWO)).unwrap();
    world.publish_bytes(&bytes, &signatures(&world.keys[..1], &bytes));
    world.refused("signed by 1 of the 2");
    world.publish_bytes(&bytes, &signatures([&world.keys[0], &key()], &bytes));
    world.refused("signed by 1 of the 2");
}

#[test]
fn attack_02_a_signature_of_the_old_kind() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let world = World::with_one();
    let bytes = serde_json::to_vec(&index(2, TWO)).unwrap();
    let old: String = world
        .keys
        .iter()
        .map(|k| {
            let text = signature(k, &bytes);
            let line = text.lines().nth(1).unwrap();
            let mut signed = STANDARD.decode(line).unwrap();
            signed[1] = b'd';
            text.replace(line, &STANDARD.encode(signed))
        })
        .collect();
    world.publish_bytes(&bytes, &old);
    world.refused("a signature is of the old kind, which is not accepted");
}

#[test]
fn attack_04_one_key_that_signs_twice() {
    let world = World::with_one();
    let bytes = serde_json::to_vec(&index(2, TWO)).unwrap();
    let again = signatures([&world.keys[0], &world.keys[0]], &bytes);
    world.publish_bytes(&bytes, &again);
    world.refused("signed by 1 of the 2");
}

#[test]
fn attack_05_a_flipped_bit_in_the_index() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    let good = world.server.file("stable/registry.json");
    // In a name, in a number, in white space between tokens.
    for at in [good.len() / 3, 12, good.len() - 2] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        world.server.put("stable/registry.json", bad);
        world.refused("signed by 0 of the 2 trusted keys that must sign it; a signature does not match what came");
    }
}

#[test]
fn attack_06_a_flipped_bit_in_an_artifact() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.put_entry("agents/claude.toml", "agent twO");
    world.refused("agents/claude.toml of the registry is not what its index says: its blake3 hash is another");
}

#[test]
fn attack_06_an_artifact_that_fits_one_of_its_two_hashes() {
    let world = World::with_one();
    let mut two = index(2, TWO);
    two["entries"][0]["sha256"] = json!("0".repeat(64));
    world.publish(&two, TWO);
    world.refused("its sha256 hash is another");
}

#[test]
fn attack_07_an_artifact_longer_than_stated() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.put_entry("agents/claude.toml", &format!("agent two{}", " ".repeat(1 << 20)));
    world.refused("stable/agents/claude.toml is longer than 9 bytes");
}

#[test]
fn attack_08_an_artifact_shorter_than_stated() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.put_entry("agents/claude.toml", "agent tw");
    world.refused("it has 8 bytes, not 9");
    world.server.remove("stable/agents/claude.toml");
    world.refused("the registry has no stable/agents/claude.toml");
}

#[test]
fn attack_09_an_index_without_end() {
    let world = World::with_one();
    let mut bytes = serde_json::to_vec(&index(2, TWO)).unwrap();
    bytes.resize((1 << 20) + 1, b' ');
    let signed = signatures(&world.keys, &bytes);
    world.publish_bytes(&bytes, &signed);
    world.refused("stable/registry.json is longer than 1048576 bytes");
    // One byte less is none.
    bytes.pop();
    let signed = signatures(&world.keys, &bytes);
    world.publish_bytes(&bytes, &signed);
    TWO.iter().for_each(|(kind, id, content)| world.put_entry(&kind.path(id), content));
    assert_eq!(world.sync().unwrap().version, 2);
}

#[test]
fn attack_09_signatures_without_end() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.server.put("stable/registry.json.minisig", "x\n".repeat(1 << 20));
    world.refused("registry.json.minisig is longer than 65536 bytes");
}

#[test]
fn attack_09_entries_without_end() {
    let world = World::with_one();
    let mut two = index(2, TWO);
    two["entries"][0]["length"] = json!(300_000);
    world.publish(&two, TWO);
    world.refused("agents/claude.toml is 300000 bytes long, more than 262144");
    let many: Vec<_> = (0..257).map(|i| format!("a{i}")).collect();
    let many: Vec<Entry> = many.iter().map(|id| (Kind::Agent, id.as_str(), "agent")).collect();
    let mut two = index(2, &many);
    two["entries"].as_array_mut().unwrap().iter_mut().for_each(|e| e["length"] = json!(262_144));
    world.publish(&two, &[]);
    world.refused("its entries are more than 67108864 bytes together");
}

#[test]
fn attack_11_a_lower_version_than_was_here() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.sync().unwrap();
    world.publish(&index(1, ONE), ONE);
    world.refused("the registry went back: version 1 came, version 2 of channel stable was here");
}

#[test]
fn attack_11_a_lower_version_after_another_channel_and_a_pin() {
    let mut world = World::with_one();
    world.publish(&index(7, TWO), TWO);
    world.sync().unwrap();
    world.registry.pin(&world.settings, Some(&commit(1)), &fits).unwrap();
    world.registry.pin(&world.settings, None, &fits).unwrap();
    world.settings.channel = crate::wire::registry::Channel::Beta;
    for version in [20, 21, 22] {
        let mut beta = index(version, ONE);
        beta["channel"] = json!("beta");
        let bytes = serde_json::to_vec(&beta).unwrap();
        world.server.put("beta/registry.json", bytes.clone());
        world.server.put("beta/registry.json.minisig", signatures(&world.keys, &bytes));
        ONE.iter().for_each(|(kind, id, content)| world.server.put(&format!("beta/{}", kind.path(id)), *content));
        world.sync().unwrap();
    }
    world.settings.channel = crate::wire::registry::Channel::Stable;
    world.publish(&index(6, ONE), ONE);
    world.refused("version 6 came, version 7 of channel stable was here");
}

#[test]
fn attack_11_a_lower_version_when_only_the_lock_is_left() {
    let world = World::with_one();
    world.publish(&index(7, TWO), TWO);
    world.sync().unwrap();
    std::fs::remove_dir_all(world.path("commits")).unwrap();
    world.publish(&index(6, ONE), ONE);
    let error = world.sync().unwrap_err();
    assert!(error.to_string().contains("version 6 came, version 7"), "{error}");
    assert_eq!(error.code(), Code::Refused);
    // The same version with other content neither.
    let mut other = index(7, ONE);
    other["commit"] = json!(commit(70));
    world.publish(&other, ONE);
    assert!(world.sync().unwrap_err().to_string().contains("version 7 of channel stable came with another content"));
    world.publish(&index(7, TWO), TWO);
    assert!(world.sync().is_ok());
}

#[test]
fn attack_12_the_same_version_with_other_content() {
    let world = World::with_one();
    let mut other = index(1, TWO);
    other["commit"] = json!(commit(100));
    world.publish(&other, TWO);
    world.refused("version 1 of channel stable came with another content than it had here");
}

#[test]
fn attack_12_the_same_commit_with_other_content() {
    let world = World::with_one();
    let mut other = index(2, TWO);
    other["commit"] = json!(commit(1));
    world.publish(&other, TWO);
    world.refused(&format!("commit {} came with another content than it has here", commit(1)));
}

#[test]
fn attack_13_an_index_that_expired() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.days_later(30);
    world.refused("the index of the registry expired at 2026-07-01T00:00:00Z");
}

#[test]
fn attack_13_a_server_that_says_forever_that_nothing_changed() {
    let world = World::with_one();
    world.days_later(31);
    let before = world.tree();
    let error = world.sync().unwrap_err();
    assert!(error.to_string().contains("expired at 2026-07-01T00:00:00Z, and the server has no newer one"), "{error}");
    assert_eq!(error.code(), Code::Refused);
    assert!(world.tree() == before);
    *world.server.frozen.lock().unwrap() = true;
    let error = world.registry.sync(&world.settings, true, false, &fits).unwrap_err();
    assert!(error.to_string().contains("without having been asked that"), "{error}");
    assert!(world.tree() == before);
    // Offline it stays in use.
    let synced = world.registry.sync(&world.settings, false, true, &fits).unwrap();
    assert!(synced.notes[0].contains("Expired"), "{:?}", synced.notes);
}

#[test]
fn attack_14_a_version_that_leaves_no_room() {
    let world = World::with_one();
    for version in [u64::MAX, 1_000_002] {
        world.publish(&index(version, TWO), TWO);
        world.refused(&format!("the version of the index, {version}, is absurd"));
    }
    world.publish(&index(1_000_001, TWO), TWO);
    assert!(world.sync().is_ok());
    let world = World::new();
    world.publish(&index(1_000_000_000_001, TWO), TWO);
    world.refused("is absurd");
}

#[test]
fn attack_15_an_artifact_of_another_version_under_its_name() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.put_entry("agents/claude.toml", "agent one");
    world.refused("agents/claude.toml of the registry is not what its index says");
}

#[test]
fn attack_16_hostile_names_in_a_signed_index() {
    let world = World::with_one();
    for id in ["../x", "/abs", "a/../../b", "C:\\x", "con", "a\0b", &"a".repeat(300), "cafe\u{301}", "Claude"] {
        let two = [(Kind::Agent, id, "agent two")];
        world.publish(&index(2, &two), &[]);
        world.refused("the name of an entry (agent) is hostile or mistaken");
    }
    for path in ["../x", "agents/../../x", "/etc/passwd", "agents/other.toml", "scripts/claude.toml"] {
        let mut two = index(2, TWO);
        two["entries"][0]["path"] = json!(path);
        world.publish(&two, TWO);
        world.refused("has the path");
    }
    for hash in ["blake3", "sha256"] {
        let mut two = index(2, TWO);
        two["entries"][0][hash] = json!("../".repeat(21) + "x");
        world.publish(&two, TWO);
        world.refused("a hash of agents/claude.toml is not 64");
    }
}

#[test]
fn attack_17_a_commit_that_is_a_path() {
    let world = World::with_one();
    for commit in ["../../profiles", "", ".", "ABCDEF0123456789ABCDEF0123456789ABCDEF01"] {
        let mut two = index(2, TWO);
        two["commit"] = json!(commit);
        world.publish(&two, TWO);
        world.refused("is not 40 to 64 lower-case hex digits");
    }
}

#[test]
fn attack_21_a_server_that_cannot_be_reached() {
    let world = World::with_one();
    *world.server.down.lock().unwrap() = true;
    let before = world.tree();
    assert_eq!(world.sync().unwrap_err().code(), Code::Io);
    assert!(world.tree() == before);
}

#[test]
fn attack_22_the_index_of_another_channel() {
    let mut world = World::with_one();
    world.settings.channel = crate::wire::registry::Channel::Beta;
    for file in ["registry.json", "registry.json.minisig"] {
        world.server.put(&format!("beta/{file}"), world.server.file(&format!("stable/{file}")));
    }
    world.refused("the registry sent the index of channel stable for channel beta");
}

#[test]
fn attack_23_keys_and_entries_that_stand_twice() {
    let world = World::with_one();
    let text = serde_json::to_string(&index(2, TWO)).unwrap();
    for (text, why) in [
        (text.replacen("\"note\":", "\"note\":1,\"note\":", 1), "stands twice"),
        (text.replacen("\"version\":2", "\"version\":2,\"versio\\u006e\":3", 1), "stands twice"),
        (text.replacen("\"id\":\"claude\"", "\"id\":\"claude\",\"id\":\"x\"", 1), "stands twice"),
        (format!("{text}{{}}"), "cannot be read"),
        (format!("{text}\0"), "cannot be read"),
    ] {
        world.publish_bytes(text.as_bytes(), &signatures(&world.keys, text.as_bytes()));
        world.refused(why);
    }
    let twice = [ONE[0], ONE[1], ONE[0]];
    world.publish(&index(2, &twice), ONE);
    world.refused("agents/claude.toml stands in it twice");
}

#[test]
fn attack_24_a_script_in_the_place_of_a_manifest() {
    let world = World::with_one();
    let two = [(Kind::Agent, "claude", "script two")];
    world.publish(&index(2, &two), &two);
    world.refused("agents/claude.toml of the registry is not usable as agent claude: :1: is no agent");
    // Content that is here already is judged again under its new name.
    let two = [(Kind::Agent, "claude", "script one")];
    world.publish(&index(2, &two), &two);
    world.refused("is not usable as agent claude");
}

#[test]
fn attack_25_a_file_of_prices_without_end() {
    let world = World::with_one();
    world.server.put("prices.json", vec![b'x'; 1001]);
    let get = |max| world.registry.fetch_file(&world.settings, &format!("{URL}/prices.json"), None, max);
    assert_eq!(get(1000).unwrap_err().code(), Code::Refused);
    assert!(get(1001).is_ok());
}
