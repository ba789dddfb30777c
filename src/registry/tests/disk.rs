//! What stands in the way on disk, and every point at which a sync can be killed.

use std::{collections::BTreeMap, fs};

use serde_json::json;

use super::publisher::*;
use crate::wire::error::Code;

#[cfg(unix)]
#[test]
fn attack_18_links_planted_where_clown_keeps_its_own() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("theirs"), "theirs").unwrap();
    for place in [
        "current",
        "commits",
        "channels",
        "roots",
        "registry.lock",
        "channels/stable.lock",
        "sync.lock",
        "",
        "commits/NEXT",
        "roots/initial",
    ] {
        let world = World::with_one();
        world.publish(&index(2, TWO), TWO);
        let path = world.path(&place.replace("NEXT", &commit(2)));
        let path = std::path::PathBuf::from(path.to_str().unwrap().trim_end_matches('/'));
        let aside = outside.path().join(format!("aside-{}", place.replace('/', "-")));
        if path.symlink_metadata().is_ok() {
            fs::rename(&path, aside).unwrap();
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(outside.path(), &path).unwrap();
        let before = world.tree();
        for force in [false, true] {
            let error = world.registry.sync(&world.settings, force, false, &fits).expect_err(place);
            assert_eq!(error.code(), Code::Refused, "{place}: {error}");
            assert!(error.to_string().contains(path.to_str().unwrap()), "{place}: {error}");
        }
        assert_eq!(fs::read_link(&path).unwrap(), outside.path(), "{place}");
        assert!(world.tree() == before, "{place}");
        assert_eq!(fs::read(outside.path().join("theirs")).unwrap(), b"theirs");
    }
}

#[cfg(unix)]
#[test]
fn attack_18_links_planted_inside_a_commit() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("claude.toml"), "agent one").unwrap();
    for place in ["current/agents/claude.toml", "current/agents", "current/registry.json"] {
        let world = World::with_one();
        let path = world.path(place);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
        let target = if place.ends_with("agents") { outside.path().to_owned() } else { outside.path().join("claude.toml") };
        symlink(&target, &path).unwrap();
        let error = world.sync().expect_err(place);
        assert!(error.code() == Code::Refused && error.to_string().contains("it is left as it is"), "{place}: {error}");
        assert_eq!(fs::read_link(&path).unwrap(), target);
        assert!(!world.registry.verify(&world.settings).unwrap().problems.is_empty());
    }
    assert_eq!(fs::read(outside.path().join("claude.toml")).unwrap(), b"agent one");
}

#[test]
fn attack_18_a_directory_or_a_file_at_current() {
    for plant in [|p: &std::path::Path| fs::create_dir(p).unwrap(), |p: &std::path::Path| fs::write(p, "x").unwrap()] {
        let world = World::with_one();
        fs::remove_file(world.path("current")).unwrap();
        plant(&world.path("current"));
        world.publish(&index(2, TWO), TWO);
        let before = world.tree();
        assert_eq!(world.sync().unwrap_err().code(), Code::Refused);
        world.registry.settle(&world.settings).unwrap_err();
        assert!(world.tree() == before);
    }
}

#[cfg(unix)]
#[test]
fn attack_18_a_link_at_current_that_leads_out() {
    use std::os::unix::fs::symlink;
    let world = World::with_one();
    for target in ["/etc", "../../profiles", "commits/../../x", "commits/.tmp-x", "commits"] {
        fs::remove_file(world.path("current")).unwrap();
        symlink(target, world.path("current")).unwrap();
        assert_eq!(world.sync().unwrap_err().code(), Code::Refused, "{target}");
        assert_eq!(fs::read_link(world.path("current")).unwrap(), std::path::Path::new(target));
    }
}

/// `World` with version 2 in force, and the tree as it was with version 1.
fn two() -> (World, BTreeMap<String, Vec<u8>>) {
    let world = World::with_one();
    let before = world.tree();
    world.publish(&index(2, TWO), TWO);
    world.sync().unwrap();
    world.server.asked();
    (world, before)
}

fn is_sound(world: &World, version: u64) {
    assert_eq!(world.registry.verify(&world.settings).unwrap().problems, Vec::<String>::new());
    let state = world.registry.state(&world.settings).unwrap();
    assert_eq!(state.lock.unwrap().version, version);
    assert!(!world.tree().keys().any(|name| name.contains(".tmp-") || name.contains(".current-")), "{:?}", world.tree().keys());
}

#[test]
fn killed_while_staging() {
    let world = World::with_one();
    let before = world.tree();
    fs::create_dir_all(world.path("commits/.tmp-half/agents")).unwrap();
    fs::write(world.path("commits/.tmp-half/agents/claude.toml"), "agent tw").unwrap();
    fs::write(world.path("commits/.tmp-lock"), "{").unwrap();
    world.registry.settle(&world.settings).unwrap();
    assert!(world.tree() == before);
    is_sound(&world, 1);
}

#[cfg(unix)]
#[test]
fn killed_before_and_after_the_switch() {
    use std::os::unix::fs::symlink;
    let (world, before) = two();
    // Commit 2 is there, nothing points at it yet, but for a link that did not get its name.
    fs::remove_file(world.path("current")).unwrap();
    symlink(format!("commits/{}", commit(1)), world.path("current")).unwrap();
    symlink(format!("commits/{}", commit(2)), world.path(".current-x")).unwrap();
    for lock in ["registry.lock", "channels/stable.lock"] {
        fs::write(world.path(lock), &before[lock]).unwrap();
    }
    world.registry.settle(&world.settings).unwrap();
    is_sound(&world, 1);
    // The next sync needs no entry again.
    let synced = world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json", "stable/registry.json.minisig"]);
    assert_eq!((synced.version, synced.changed, synced.new), (2, true, 0));
    is_sound(&world, 2);
}

#[test]
fn killed_before_the_locks_or_between_them() {
    for lagging in [&["registry.lock", "channels/stable.lock"][..], &["channels/stable.lock"], &["registry.lock"]] {
        let (world, before) = two();
        for lock in lagging {
            fs::write(world.path(lock), &before[*lock]).unwrap();
        }
        world.registry.settle(&world.settings).unwrap();
        is_sound(&world, 2);
        assert!(world.read("channels/stable.lock").contains("\"version\": 2"));
        // A second start changes nothing.
        let mended = world.tree();
        world.registry.settle(&world.settings).unwrap();
        assert!(world.tree() == mended);
        // Without a trustworthy etag the question is asked without a condition, and the answer is the same.
        let synced = world.sync().unwrap();
        assert_eq!((synced.version, synced.changed, synced.new), (2, false, 0));
        world.server.asked();
        world.sync().unwrap();
        assert_eq!(world.server.asked(), ["stable/registry.json"]);
    }
}

#[test]
fn killed_between_roots_and_their_signatures() {
    let world = World::with_one();
    fs::create_dir_all(world.path("roots")).unwrap();
    fs::write(world.path("roots/2.json.minisig"), "half").unwrap();
    assert_eq!(world.sync().unwrap().version, 1);
    assert_eq!(world.registry.state(&world.settings).unwrap().root, 1);
}

#[test]
fn a_pin_survives_a_crash_before_its_lock() {
    let (world, _) = two();
    world.registry.pin(&world.settings, Some("1"), &fits).unwrap();
    let pinned = world.tree();
    world.edit_lock("registry.lock", |lock| lock["commit"] = json!(commit(2)));
    world.registry.settle(&world.settings).unwrap();
    assert!(world.tree() == pinned);
    assert!(world.read("channels/stable.lock").contains("\"version\": 2"));
}

#[test]
fn a_lock_that_cannot_be_read_is_put_aside_and_written_again() {
    let world = World::with_one();
    fs::write(world.path("registry.lock"), "not json").unwrap();
    world.registry.settle(&world.settings).unwrap();
    is_sound(&world, 1);
    let aside: Vec<_> = world.tree().into_keys().filter(|n| n.starts_with("registry.lock.corrupt-")).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(world.read(&aside[0]), "not json");
}

#[test]
fn a_version_raised_by_hand_keeps_no_update_away() {
    let world = World::with_one();
    for lock in ["registry.lock", "channels/stable.lock"] {
        world.edit_lock(lock, |lock| lock["version"] = json!(900));
    }
    world.publish(&index(2, TWO), TWO);
    assert_eq!(world.sync().unwrap().version, 2);
    is_sound(&world, 2);
}

#[test]
fn a_lock_that_does_not_agree_with_its_commit_makes_no_condition() {
    let world = World::with_one();
    world.edit_lock("channels/stable.lock", |lock| lock["expires"] = json!("2099-01-01T00:00:00Z"));
    world.sync().unwrap();
    assert_eq!(world.server.asked(), ["stable/registry.json", "stable/registry.json.minisig"]);
    is_sound(&world, 1);
}

#[test]
fn fields_of_newer_builds_stay_in_the_locks() {
    let world = World::with_one();
    for lock in ["registry.lock", "channels/stable.lock"] {
        world.edit_lock(lock, |lock| lock["later"] = json!([1, 2]));
    }
    world.sync().unwrap();
    assert!(world.read("registry.lock").contains("later") && world.read("channels/stable.lock").contains("later"));
}

#[test]
fn an_index_damaged_on_disk_is_fetched_again() {
    let world = World::with_one();
    let good = world.tree();
    fs::write(world.path("current/registry.json"), "{}").unwrap();
    assert!(world.sync().unwrap().version == 1);
    assert!(world.tree() == good);
    fs::remove_file(world.path("current/registry.json.minisig")).unwrap();
    world.sync().unwrap();
    assert!(world.tree() == good);
}

#[test]
fn only_the_commits_that_may_be_needed_stay() {
    let world = World::with_one();
    for version in 2..=5 {
        let entries = if version % 2 == 0 { TWO } else { ONE };
        world.publish(&index(version, entries), entries);
        world.sync().unwrap();
    }
    let mut wanted = vec![commit(4), commit(5)];
    wanted.sort();
    assert_eq!(world.registry.state(&world.settings).unwrap().commits, wanted);
    world.registry.pin(&world.settings, Some(&commit(4)), &fits).unwrap();
    world.sync().unwrap();
    world.registry.pin(&world.settings, None, &fits).unwrap();
    world.publish(&index(6, ONE), ONE);
    world.sync().unwrap();
    assert!(world.registry.state(&world.settings).unwrap().commits.contains(&commit(4)));
}

#[cfg(unix)]
#[test]
fn everything_is_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_one();
    for name in world.tree().keys() {
        let meta = fs::symlink_metadata(world.path(name)).unwrap();
        assert!(meta.is_symlink() || meta.permissions().mode() & 0o077 == 0, "{name}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_set() {
    let world = World::with_one();
    world.publish(&index(2, TWO), TWO);
    let before = world.tree();
    // A file where the commit's directory has to go stands for a disk that takes no more.
    fs::write(world.path(&format!("commits/{}", commit(2))), "").unwrap();
    assert!(world.sync().is_err());
    fs::remove_file(world.path(&format!("commits/{}", commit(2)))).unwrap();
    assert!(world.tree() == before);
    assert_eq!(world.sync().unwrap().version, 2);
}
