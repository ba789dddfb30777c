//! The daemon killed at every call of a sync that changes the disk, a full disk, and readers during it all.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    super::support::{Strace, is_zombie, root_for},
    world::{World, draft},
};

/// What must hold after any crash, before anything is mended by another sync.
fn whole(world: &World, versions: [u64; 2], when: &str) {
    let name = world.name();
    let commit = versions.into_iter().find(|n| name == format!("Version {n}")).map(|n| draft(n).index.commit);
    let Some(commit) = commit else { panic!("{name} {when}") };
    let verified = world.home.json(&["registry", "verify"]);
    assert_eq!(verified["problems"].as_array().map(Vec::len), Some(0), "{verified} {when}");
    assert_eq!(verified["commit"], commit.as_str(), "{when}");
    let state = world.home.json(&["registry", "inspect"]);
    assert_eq!(state["lock"]["commit"], commit.as_str(), "the lock lags {when}");
    for entry in std::fs::read_dir(world.registry().join("commits")).unwrap().flatten() {
        assert!(!entry.file_name().to_string_lossy().starts_with(".tmp-"), "a leftover {when}");
    }
}

/// Kills at the first, second, ... such call of a sync, until one survives. How many there were.
fn sweep(call: &str) -> u32 {
    for n in 1.. {
        // Two were there, so that one of them goes.
        let world = World::synced();
        world.publish(2);
        world.sync();
        world.publish(3);
        let pid = world.home.daemon_pid().unwrap();
        let strace = Strace::kill_at(pid, call, n);
        let out = world.home.clown(&["registry", "sync"]).run();
        let killed = is_zombie(pid);
        drop(strace);
        let when = format!("after a kill at {call} {n}");
        whole(&world, [2, 3], &when);
        world.sync();
        assert_eq!(world.name(), "Version 3", "{when}");
        if !killed {
            assert_eq!(out.code, Some(0), "{}", out.report());
            return n - 1;
        }
    }
    unreachable!("the numbers do not end")
}

#[test]
fn a_kill_at_any_call_leaves_the_old_set_or_the_new() {
    // A daemon is closed to its own user's debuggers; nobody else can hold the knife.
    if !root_for("kills of a sync at its system calls") {
        return;
    }
    let counts: Vec<(&str, u32)> = std::thread::scope(|scope| {
        let calls = [
            "rename,renameat,renameat2",
            "fsync,fdatasync",
            "symlink,symlinkat",
            "unlink,unlinkat,rmdir",
            "mkdir,mkdirat",
            "write,pwrite64",
        ];
        let runs: Vec<_> = calls.into_iter().map(|call| (call, scope.spawn(move || sweep(call)))).collect();
        runs.into_iter().map(|(call, run)| (call, run.join().unwrap())).collect()
    });
    for (call, count) in counts {
        assert!(count > 0, "a sync makes no {call}: the sweep saw nothing");
    }
}

#[test]
fn readers_see_one_set_or_the_other_and_never_a_mix() {
    let world = World::synced();
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let current = world.registry().join("current");
                    let mut seen = 0_u64;
                    while !end.load(Ordering::Relaxed) {
                        // As any other program would: once where it leads, then all from there.
                        let Ok(place) = std::fs::read_link(&current) else { panic!("current is gone") };
                        let place = world.registry().join(place);
                        let read = |path: &str| std::fs::read_to_string(place.join(path));
                        let (Ok(index), Ok(zai)) = (read("registry.json"), read("providers/zai.toml")) else { continue };
                        let index: serde_json::Value = serde_json::from_str(&index).unwrap();
                        assert!(zai.contains(&format!("\"Version {}\"", index["version"])), "a mix: {index}\n{zai}");
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for version in 2..20 {
            world.publish(version);
            world.sync();
            assert_eq!(world.name(), format!("Version {version}"));
        }
        end.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 100);
        }
    });
    // The newest and the one before it are kept.
    assert_eq!(std::fs::read_dir(world.registry().join("commits")).unwrap().count(), 2);
}

#[test]
fn a_full_disk_leaves_what_was() {
    // Only root can mount a small disk.
    if !root_for("a sync on a full disk") {
        return;
    }
    let world = World::new();
    let place = world.registry();
    std::fs::create_dir_all(&place).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=200k,mode=700", "tmpfs"]).arg(&place).status();
    if !mounted.is_ok_and(|s| s.success()) {
        panic!("root cannot mount a small disk here");
    }
    struct Unmount(std::path::PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }
    let _unmount = Unmount(place.clone());
    world.sync();
    std::fs::write(place.join("fill"), vec![1; 300_000]).unwrap_err();
    let mut next = draft(2);
    let mut zai = next.content["providers/zai.toml"].clone();
    zai.extend_from_slice(&b"# long\n".repeat(10_000));
    next.index.entries[1] = super::world::entry(clown::wire::registry::Kind::Provider, "zai", &zai);
    next.content.insert("providers/zai.toml".into(), zai);
    world.write(&next);
    let out = world.home.clown(&["registry", "sync"]).fails(1);
    assert!(out.stderr().contains("space"), "{}", out.report());
    whole(&world, [1, 2], "on a full disk");
    assert_eq!(world.name(), "Version 1");
    std::fs::remove_file(place.join("fill")).unwrap();
    world.sync();
    assert_eq!(world.name(), "Version 2");
}
