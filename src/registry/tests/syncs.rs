//! What a good registry gives.

use std::sync::Barrier;

use serde_json::json;

use super::publisher::*;
use crate::{
    registry::{Fetched, Registry},
    wire::{
        error::Code,
        registry::{ChangeKind, Channel, Kind, Source},
    },
};

#[test]
fn the_first_sync_brings_everything_and_the_next_asks_once() {
    let world = World::new();
    world.publish(&index(1, ONE), ONE);
    let synced = world.sync().unwrap();
    assert_eq!((synced.new, synced.kept, synced.removed, synced.artifacts), (3, 0, 0, 3));
    assert_eq!((synced.source, synced.changed, synced.requests), (Source::Network, true, 5));
    let index_bytes = world.server.file("stable/registry.json");
    let signature_bytes = world.server.file("stable/registry.json.minisig");
    assert_eq!(synced.bytes, (index_bytes.len() + signature_bytes.len() + "agent onescript onetemplate one".len()) as u64);
    assert_eq!(world.read("current/agents/claude.toml"), "agent one");
    assert_eq!(world.read("current/templates/claude/web.toml"), "template one");
    assert_eq!(world.read("current/registry.json").as_bytes(), index_bytes);
    world.server.asked();
    let again = world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json"]);
    assert_eq!((again.new, again.kept, again.changed, again.requests, again.bytes), (0, 3, false, 1, 0));
    assert_eq!((again.commit, again.version), (synced.commit, 1));
}

#[test]
fn one_entry_of_two_hundred_moves_alone() {
    let world = World::new();
    let ids: Vec<String> = (0..200).map(|i| format!("p{i}")).collect();
    let mut entries: Vec<Entry> = ids.iter().map(|id| (Kind::Provider, id.as_str(), "provider")).collect();
    // Each has content of its own.
    let own: Vec<String> = ids.iter().map(|id| format!("provider {id}")).collect();
    entries.iter_mut().zip(&own).for_each(|(e, content)| e.2 = content);
    world.publish(&index(1, &entries), &entries);
    assert_eq!(world.sync().unwrap().new, 200);
    entries[77].2 = "provider with news";
    world.publish(&index(2, &entries), &entries);
    world.server.asked();
    let synced = world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json", "stable/registry.json.minisig", "stable/providers/p77.toml"]);
    assert_eq!((synced.new, synced.kept, synced.removed, synced.requests), (1, 199, 0, 3));
    assert_eq!(world.read("current/providers/p77.toml"), "provider with news");
    assert_eq!(world.read("current/providers/p78.toml"), "provider p78");
    assert!(world.registry.verify(&world.settings).unwrap().problems.is_empty());
}

#[test]
fn force_asks_without_a_condition_and_fetches_no_entry_again() {
    let world = World::with_one();
    let synced = world.registry.sync(&world.settings, true, false, &fits).unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json", "stable/registry.json.minisig"]);
    assert_eq!((synced.new, synced.kept, synced.changed), (0, 3, false));
}

#[test]
fn offline_uses_and_checks_what_is_there() {
    let world = World::new();
    let offline = || world.registry.sync(&world.settings, false, true, &fits);
    assert_eq!(offline().unwrap_err().code(), Code::NotFound);
    world.publish(&index(1, ONE), ONE);
    world.sync().unwrap();
    world.server.asked();
    let synced = offline().unwrap();
    assert_eq!((synced.source, synced.requests, synced.kept), (Source::Cache, 0, 3));
    std::fs::write(world.path("current/agents/claude.toml"), "agent 0ne").unwrap();
    let error = offline().unwrap_err();
    assert!(error.to_string().contains("agents/claude.toml") && error.code() == Code::Corrupt, "{error}");
    assert!(world.server.asked().is_empty());
    // With the network it is mended, and nothing else is fetched.
    let mended = world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json", "stable/agents/claude.toml"]);
    assert_eq!((mended.new, mended.kept, mended.changed), (1, 2, false));
    assert_eq!(world.read("current/agents/claude.toml"), "agent one");
}

#[test]
fn eight_at_once_all_succeed_and_one_fetches() {
    let world = World::new();
    world.publish(&index(1, ONE), ONE);
    let start = Barrier::new(8);
    let rooms: Vec<Registry> = (0..8).map(|_| world.another()).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = rooms
            .iter()
            .map(|room| {
                scope.spawn(|| {
                    start.wait();
                    room.sync(&world.settings, false, false, &fits).unwrap()
                })
            })
            .collect();
        let synced: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(synced.iter().filter(|s| s.changed).count(), 1);
        assert!(synced.iter().all(|s| s.version == 1 && s.artifacts == 3));
    });
    let asked = world.server.asked();
    assert_eq!(asked.iter().filter(|path| path.ends_with("claude.toml")).count(), 1, "{asked:?}");
}

#[test]
fn channels_have_locks_of_their_own() {
    let mut world = World::with_one();
    let mut beta = index(9, TWO);
    beta["channel"] = json!("beta");
    let bytes = serde_json::to_vec(&beta).unwrap();
    world.server.put("beta/registry.json", bytes.clone());
    world.server.put("beta/registry.json.minisig", signatures(&world.keys, &bytes));
    TWO.iter().for_each(|(kind, id, content)| world.server.put(&format!("beta/{}", kind.path(id)), *content));
    world.settings.channel = Channel::Beta;
    assert_eq!(world.sync().unwrap().version, 9);
    assert!(world.read("channels/stable.lock").contains("\"version\": 1"));
    assert!(world.read("channels/beta.lock").contains("\"version\": 9"));
    assert!(world.read("registry.lock").contains("\"beta\""));
    // Back: one conditional request, since all of it is still here.
    world.settings.channel = Channel::Stable;
    world.server.asked();
    let synced = world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json"]);
    assert_eq!((synced.version, synced.changed, synced.new, synced.removed), (1, true, 0, 1));
    world.settings.channel = Channel::Nightly;
    assert!(world.sync().unwrap_err().to_string().contains("has no channel nightly"));
    assert_eq!(world.read("current/agents/claude.toml"), "agent one");
}

#[test]
fn a_pin_holds_until_it_is_taken_away() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    world.sync().unwrap();
    world.registry.pin(&world.settings, Some("1"), &fits).unwrap();
    assert_eq!(world.read("current/agents/claude.toml"), "agent one");
    world.publish(&index(3, ONE), ONE);
    world.server.asked();
    let synced = world.sync().unwrap();
    assert_eq!((synced.version, synced.pinned.as_deref()), (1, Some(commit(1).as_str())));
    assert!(world.server.asked().is_empty());
    assert!(world.registry.differences(&world.settings, &fits).unwrap().changes.is_empty());
    world.registry.pin(&world.settings, None, &fits).unwrap();
    assert_eq!(world.read("current/agents/claude.toml"), "agent one");
    assert_eq!(world.sync().unwrap().version, 3);
    assert_eq!(world.registry.state(&world.settings).unwrap().lock.unwrap().pinned, None);
}

fn put_commit(world: &World, index: &serde_json::Value, entries: &[Entry<'_>]) {
    let bytes = serde_json::to_vec(index).unwrap();
    let place = format!("stable/commits/{}", index["commit"].as_str().unwrap());
    world.server.put(&format!("{place}/registry.json.minisig"), signatures(&world.keys[..2], &bytes));
    world.server.put(&format!("{place}/registry.json"), bytes);
    entries.iter().for_each(|(kind, id, content)| world.server.put(&format!("{place}/{}", kind.path(id)), *content));
}

#[test]
fn a_pin_fetches_an_older_commit_but_none_that_expired() {
    let world = World::with_one();
    world.publish(&index(9, TWO), TWO);
    world.sync().unwrap();
    let old = &[(Kind::Agent, "claude", "agent of old")];
    put_commit(&world, &index(4, old), old);
    world.registry.pin(&world.settings, Some(&commit(4)), &fits).unwrap();
    assert_eq!(world.read("current/agents/claude.toml"), "agent of old");
    // What was seen of the channel is not forgotten.
    assert!(world.read("channels/stable.lock").contains("\"version\": 9"));
    assert_eq!(world.sync().unwrap().version, 4);
    let mut gone = index(3, old);
    gone["expires"] = json!("2026-05-01T00:00:00Z");
    put_commit(&world, &gone, old);
    let before = world.tree();
    let error = world.registry.pin(&world.settings, Some(&commit(3)), &fits).unwrap_err();
    assert!(error.to_string().contains("expired at"), "{error}");
    for (reference, code) in [(commit(77).as_str(), Code::NotFound), ("77", Code::NotFound), ("../../x", Code::InvalidInput)] {
        assert_eq!(world.registry.pin(&world.settings, Some(reference), &fits).unwrap_err().code(), code, "{reference}");
    }
    // Another commit's index under the name that was asked for.
    let mut other = index(5, old);
    other["commit"] = json!(commit(6));
    put_commit(&world, &other, old);
    for file in ["registry.json", "registry.json.minisig"] {
        world
            .server
            .put(&format!("stable/commits/{}/{file}", commit(5)), world.server.file(&format!("stable/commits/{}/{file}", commit(6))));
    }
    assert!(world.registry.pin(&world.settings, Some(&commit(5)), &fits).unwrap_err().to_string().contains("sent commit"));
    assert!(world.tree() == before);
}

#[test]
fn differences_are_shown_before_anything_changes() {
    let world = World::with_one();
    assert!(world.registry.differences(&world.settings, &fits).unwrap().changes.is_empty());
    world.publish(&index(2, TWO), TWO);
    let before = world.tree();
    let differences = world.registry.differences(&world.settings, &fits).unwrap();
    assert!(world.tree() == before);
    assert_eq!((differences.commit, differences.next), (Some(commit(1)), commit(2)));
    let seen: Vec<_> = differences.changes.iter().map(|c| (c.change, c.kind, c.id.as_str())).collect();
    assert_eq!(
        seen,
        [
            (ChangeKind::Changed, Kind::Agent, "claude"),
            (ChangeKind::Added, Kind::Provider, "zai"),
            (ChangeKind::Removed, Kind::Template, "claude/web"),
        ]
    );
    assert!(differences.changes[0].text.contains("-agent one") && differences.changes[0].text.contains("+agent two"));
    world.server.asked();
    let synced = world.sync().unwrap();
    assert_eq!(synced.bytes, differences.bytes);
    assert_eq!((synced.new, synced.kept, synced.removed), (2, 1, 1));
}

#[test]
fn the_state_says_what_is_trusted_and_what_is_in_force() {
    let mut world = World::new();
    let state = world.registry.state(&world.settings).unwrap();
    assert_eq!((state.lock.is_none(), state.commits.len(), state.threshold, state.keys.len(), state.root), (true, 0, 2, 3, 1));
    assert!(!world.path("").exists());
    world.publish(&index(1, ONE), ONE);
    world.sync().unwrap();
    world.server.asked();
    let state = world.registry.state(&world.settings).unwrap();
    let lock = state.lock.unwrap();
    assert_eq!((lock.commit, lock.version, lock.url.as_str(), lock.artifacts.len()), (commit(1), 1, URL, 3));
    assert!(lock.keys.len() == 2 && lock.keys.iter().all(|k| state.keys.contains(k)));
    assert_eq!((lock.checked.as_str(), lock.expires.as_str(), state.expired), ("2026-06-01T00:00:00.000Z", "2026-07-01T00:00:00Z", false));
    world.days_later(30);
    assert!(world.registry.state(&world.settings).unwrap().expired);
    world.settings.trusted_keys.clear();
    assert_eq!(world.registry.state(&world.settings).unwrap().threshold, 0);
    assert!(world.server.asked().is_empty());
}

#[test]
fn verify_names_everything_that_is_not_as_signed() {
    let world = World::with_one();
    let problems = || world.registry.verify(&world.settings).unwrap().problems;
    assert!(problems().is_empty());
    std::fs::write(world.path("current/agents/claude.toml"), "agent 0ne").unwrap();
    std::fs::remove_file(world.path("current/scripts/claude.rhai")).unwrap();
    std::fs::write(world.path("current/agents/more.toml"), "agent more").unwrap();
    let found = problems();
    assert_eq!(found.len(), 3, "{found:?}");
    for name in ["agents/claude.toml", "scripts/claude.rhai", "agents/more.toml"] {
        assert!(found.iter().any(|p| p.starts_with(name)), "{found:?}");
    }
    std::fs::write(world.path("current/registry.json"), "{}").unwrap();
    assert!(problems()[0].contains("signed by 0 of the 2"), "{:?}", problems());
}

#[test]
fn a_file_of_others_is_fetched_under_the_same_rules() {
    let world = World::new();
    world.server.put("prices.json", "{}");
    let url = format!("{URL}/prices.json");
    let Fetched::New { bytes, etag } = world.registry.fetch_file(&world.settings, &url, None, 10).unwrap() else { panic!() };
    assert_eq!(bytes, b"{}");
    assert_eq!(world.registry.fetch_file(&world.settings, &url, etag.as_deref(), 10).unwrap(), Fetched::Same);
    for bad in ["http://r.example.com/x/p", "file:///etc/passwd", "https://u:p@r.example.com/x/p"] {
        assert_eq!(world.registry.fetch_file(&world.settings, bad, None, 10).unwrap_err().code(), Code::InvalidInput);
    }
}

#[test]
fn lint_says_what_a_client_would_refuse() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, content: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    for (kind, id, content) in ONE {
        put(&kind.path(id), content);
    }
    put("README.md", "");
    put("LICENSE-MIT", "");
    put(".git/config", "");
    let linted = Registry::lint(dir.path(), &fits).unwrap();
    assert_eq!((linted.artifacts, linted.problems), (3, vec![]));
    put("agents/Bad.toml", "agent");
    put("agents/con.toml", "agent");
    put("agents/claude.rhai", "agent");
    put("agents/script.toml", "script");
    put("templates/web.toml", "template");
    put("providers/big.toml", &format!("provider{}", " ".repeat(256 << 10)));
    put("notes.txt", "");
    let linted = Registry::lint(dir.path(), &fits).unwrap();
    let files: Vec<_> = linted.problems.iter().map(|p| p.file.as_str()).collect();
    let wanted = [
        "agents/Bad.toml",
        "agents/claude.rhai",
        "agents/con.toml",
        "agents/script.toml",
        "notes.txt",
        "providers/big.toml",
        "templates/web.toml",
    ];
    assert_eq!(files, wanted);
    assert_eq!(linted.artifacts, 3);
    assert!(Registry::lint(&dir.path().join("none"), &fits).is_err());
}
