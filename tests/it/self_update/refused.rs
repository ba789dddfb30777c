//! Each attack is refused by name and leaves the program's directory as it was; without the attack the update goes through.

use clown::wire::release::{INDEX, SIGNATURES};

use super::world::{World, key};
use crate::registry::server::Answer;

/// Refused with these words, and nothing changed.
fn refused(world: &World, words: &str) {
    let before = (world.names(), world.bytes());
    let out = world.run(&["self", "update"]).fails(1);
    assert!(out.stderr().contains(words), "{words:?} is not in:\n{}", out.report());
    assert!(out.stderr().contains("hint:"), "no way out:\n{}", out.report());
    assert!((world.names(), world.bytes()) == before, "a refused update changed something: {words}");
}

/// The server is honest again, or the publisher.
fn goes_through(world: &World) {
    world.server.behave(|_| Answer::Honest);
    world.publish("99.0.0");
    world.run(&["self", "update"]).ok();
    assert_eq!(world.run(&["--version"]).ok().stdout(), "clown 99.0.0\n");
}

#[test]
fn a_changed_or_cut_program() {
    let world = World::new();
    world.publish("99.0.0");
    let good = std::fs::read(world.dir.join("clown-99.0.0.gz")).unwrap();
    let mut flipped = good.clone();
    flipped[30] ^= 1;
    for (bytes, words) in [
        (flipped, "its sha256 is another"),
        (good[..good.len() - 7].to_vec(), "bytes, not"),
        ([&good[..], b"more"].concat(), "is longer than"),
        (Vec::new(), "bytes, not"),
    ] {
        world.put("clown-99.0.0.gz", &bytes);
        refused(&world, words);
    }
    std::fs::remove_file(world.dir.join("clown-99.0.0.gz")).unwrap();
    refused(&world, "is not there");
    goes_through(&world);
}

#[test]
fn a_connection_that_breaks_or_does_not_end() {
    let world = World::new();
    world.publish("99.0.0");
    let good = std::fs::read(world.dir.join("clown-99.0.0.gz")).unwrap();
    let half = good[..good.len() / 2].to_vec();
    // The connection is closed before all that was promised came.
    world.server.behave(move |path| match path {
        "/clown-99.0.0.gz" => {
            Answer::Status { code: 200, headers: "Content-Length: 999999\r\nConnection: close\r\n".into(), body: half.clone() }
        }
        _ => Answer::Honest,
    });
    refused(&world, "clown-99.0.0.gz");
    for file in ["/release.json", "/clown-99.0.0.gz"] {
        world.server.behave(move |path| if path == file { Answer::Endless { most: 64 << 20 } } else { Answer::Honest });
        refused(&world, "is longer than");
    }
    world.server.behave(|_| Answer::Status { code: 500, headers: String::new(), body: Vec::new() });
    refused(&world, "500");
    goes_through(&world);
}

#[test]
fn a_release_without_the_right_signature() {
    let world = World::new();
    world.publish("99.0.0");
    let text = std::fs::read(world.dir.join(INDEX)).unwrap();
    let signatures = std::fs::read(world.dir.join(SIGNATURES)).unwrap();
    world.sign(&key(), &text);
    refused(&world, "0 of the 1");
    world.put(SIGNATURES, b"");
    refused(&world, "is not signed");
    world.put(SIGNATURES, b"untrusted comment: x\nnothing\n");
    refused(&world, "are not as minisign writes them");
    world.put(SIGNATURES, &signatures);
    for (from, to) in [("99.0.0", "99.0.1"), ("clown-", "clawn-")] {
        world.put(INDEX, String::from_utf8(text.clone()).unwrap().replacen(from, to, 1).as_bytes());
        refused(&world, "does not match what came");
    }
    std::fs::remove_file(world.dir.join(SIGNATURES)).unwrap();
    refused(&world, "is not there");
    goes_through(&world);
}

#[test]
fn more_than_half_of_the_keys_must_sign() {
    let world = World::new();
    let two = format!("{} {}", world.key.pk.to_base64(), key().pk.to_base64());
    world.home.clown(&["config", "set", "update.trusted_keys", &two]).ok();
    world.publish("99.0.0");
    refused(&world, "1 of the 2");
}

#[test]
fn an_older_release() {
    let world = World::new();
    world.publish("0.0.1");
    refused(&world, "older than this");
    let found = world.run(&["self", "update", "--check", "--json"]).ok().json();
    assert_eq!(found["newer"], false);
    goes_through(&world);
}

#[test]
fn a_release_that_is_none_of_ours() {
    let world = World::new();
    let script = world.script("99.0.0");
    world.publish_as("99.0.0", &script, |release| release.product = "other".into());
    refused(&world, "not a release of clown");
    world.publish_as("99.0.0", &script, |release| release.schema = 2);
    refused(&world, "has format 2");
    world.publish_as("99.0.0", &script, |release| release.programs[0].file = "../clown-99.0.0.gz".into());
    refused(&world, "is no name of a program's file");
    world.publish_as("99.0.0", &script, |release| release.programs[0].unpacked -= 1);
    refused(&world, "unpacks to another length");
    goes_through(&world);
}

#[test]
fn a_program_of_another_platform() {
    let world = World::new();
    let script = world.script("99.0.0");
    world.publish_as("99.0.0", &script, |release| release.programs[0].platform = "plan9-mips".into());
    refused(&world, "has no program for");
    // Listed as ours, and is none.
    world.publish_as("99.0.0", b"MZ\x90\0 a program of another system", |_| ());
    refused(&world, "does not run on this system");
    // Runs, and is another version than what was signed for.
    world.publish_as("99.0.0", &world.script("98.0.0"), |_| ());
    refused(&world, "clown 98.0.0");
    world.publish_as("99.0.0", b"#!/bin/sh\nexit 3\n", |_| ());
    refused(&world, "it ended with");
    goes_through(&world);
}

#[test]
fn a_place_that_cannot_be_written() {
    let world = World::new();
    world.publish("99.0.0");
    let way = world.program.with_file_name(".clown-next");
    std::fs::create_dir(&way).unwrap();
    world.server.asked();
    refused(&world, "stays as it is");
    assert!(world.server.asked().iter().all(|a| !a.path.ends_with(".gz")), "nothing is fetched in vain");
    std::fs::remove_dir(way).unwrap();
    goes_through(&world);
}
