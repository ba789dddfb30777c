//! Attacks by servers, and by links planted where a sync writes.

use super::{
    super::{
        server::{self, Answer},
        world::{World, draft},
    },
    refused,
};

#[test]
fn an_index_without_end_is_not_read_to_its_end() {
    let world = World::synced();
    world.publish(2);
    world.server.behave(|path| if path.ends_with("registry.json") { Answer::Endless { most: 1 << 30 } } else { Answer::Honest });
    refused(&world, "longer than");
    // Twice 1 MiB and what was under way in buffers.
    assert!(world.server.sent() < 40 << 20);
}

#[test]
fn an_artifact_without_end_is_not_read_to_its_end() {
    let world = World::synced();
    world.publish(2);
    world.server.behave(|path| if path.ends_with(".toml") { Answer::Endless { most: 1 << 30 } } else { Answer::Honest });
    refused(&world, "longer");
    assert!(world.server.sent() < 40 << 20);
}

#[test]
fn a_compressed_answer() {
    let world = World::synced();
    world.publish(2);
    let bomb = {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..64 {
            gz.write_all(&vec![0; 1 << 20]).unwrap();
        }
        gz.finish().unwrap()
    };
    world.server.behave(move |path| {
        if path.ends_with("registry.json") {
            Answer::Status { code: 200, headers: "Content-Encoding: gzip\r\n".into(), body: bomb.clone() }
        } else {
            Answer::Honest
        }
    });
    refused(&world, "came packed");
}

#[test]
fn links_planted_in_the_home() {
    let outside = |world: &World| world.home.home().join("outside");
    // `current` leads elsewhere, or is no link.
    let world = World::synced();
    let current = world.registry().join("current");
    std::fs::create_dir_all(outside(&world).join("providers")).unwrap();
    std::fs::remove_file(&current).unwrap();
    std::os::unix::fs::symlink(outside(&world), &current).unwrap();
    world.publish(2);
    let before = world.kept();
    world.home.clown(&["registry", "sync"]).fails(1).says("current");
    assert_eq!(world.kept(), before);
    std::fs::remove_file(&current).unwrap();
    std::fs::create_dir(&current).unwrap();
    let before = world.kept();
    world.home.clown(&["registry", "sync"]).fails(1).says("current");
    assert_eq!(world.kept(), before);
    // `commits` leads elsewhere.
    let world = World::new();
    std::fs::create_dir_all(outside(&world)).unwrap();
    std::fs::create_dir_all(world.registry()).unwrap();
    std::os::unix::fs::symlink(outside(&world), world.registry().join("commits")).unwrap();
    world.home.clown(&["registry", "sync"]).fails(1).says("commits");
    assert_eq!(std::fs::read_dir(outside(&world)).unwrap().count(), 0);
    // The place of the commit is taken by a link.
    let world = World::synced();
    std::fs::create_dir_all(outside(&world)).unwrap();
    std::os::unix::fs::symlink(outside(&world), world.registry().join("commits").join(&draft(2).index.commit)).unwrap();
    world.publish(2);
    world.home.clown(&["registry", "sync"]).fails(1);
    assert_eq!(std::fs::read_dir(outside(&world)).unwrap().count(), 0);
    assert_eq!(world.name(), "Version 1");
}

#[test]
fn redirects_to_places_that_were_not_agreed_to() {
    let world = World::synced();
    world.publish(2);
    let other = server::FileServer::http(world.dir.clone());
    let targets = [
        format!("{}/stable/registry.json", other.url()),
        format!("https://127.0.0.1:{}/stable/registry.json", other.port()),
        "file:///etc/passwd".into(),
        "ftp://127.0.0.1/x".into(),
        "http://169.254.169.254/latest/meta-data".into(),
        "http://[::ffff:169.254.169.254]/".into(),
        "http://10.0.0.1/".into(),
        "http://user:pw@127.0.0.1/".into(),
    ];
    for target in targets {
        let to = target.clone();
        world.server.behave(move |path| {
            if path.ends_with("registry.json") {
                Answer::Status { code: 302, headers: format!("Location: {to}\r\n"), body: Vec::new() }
            } else {
                Answer::Honest
            }
        });
        refused(&world, "leads to a place that is not followed");
    }
    assert_eq!(other.asked().len(), 0, "a redirect was followed");
    // In a circle.
    world.server.behave(|path| {
        if path.contains("registry.json") {
            Answer::Status { code: 302, headers: format!("Location: {path}\r\n"), body: Vec::new() }
        } else {
            Answer::Honest
        }
    });
    refused(&world, "leads on more than 3 times");
    // Within the same server it is followed.
    world.server.behave(|path| {
        if path == "/stable/registry.json" {
            let to = format!("/stable/commits/{}/registry.json", draft(2).index.commit);
            Answer::Status { code: 302, headers: format!("Location: {to}\r\n"), body: Vec::new() }
        } else {
            Answer::Honest
        }
    });
    world.sync();
    assert_eq!(world.name(), "Version 2");
}

#[test]
fn addresses_that_no_registry_has() {
    for url in ["http://registry.example/", "ftp://127.0.0.1/x", "file:///tmp", "https://user:pw@registry.example/", "nonsense"] {
        let world = World::synced();
        world.set("registry.url", url);
        world.home.clown(&["registry", "sync"]).fails(1).says("hint:");
        assert_eq!(world.name(), "Version 1");
    }
}

#[test]
fn one_byte_a_second() {
    let world = World::synced();
    world.publish(2);
    world.server.behave(|path| if path.ends_with("registry.json") { Answer::Drip } else { Answer::Honest });
    let before = world.kept();
    let out = world.home.clown(&["registry", "sync"]).fails(1);
    assert!(out.stderr().contains("takes too long"), "{}", out.report());
    assert_eq!(world.kept(), before);
    // It gave up by itself, and others were served meanwhile.
    assert!(world.server.sent() <= 60);
    assert_eq!(world.name(), "Version 1");
}
