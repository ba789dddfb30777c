//! An update that is killed leaves the former program or the new one, whole, and the next update goes through.

use super::world::World;
use crate::{
    registry::server::Answer,
    support::{kill, wait_until},
};

fn whole(world: &World, when: &str) -> String {
    let said = world.run(&["--version"]).ok().stdout();
    assert!([concat!("clown ", env!("CARGO_PKG_VERSION"), "\n"), "clown 99.0.0\n"].contains(&said.as_str()), "{said} {when}");
    said
}

/// Kills at the first, second, ... such call of an update, until one survives. How many there were.
fn sweep(call: &str) -> u32 {
    for n in 1.. {
        let world = World::new();
        world.publish("99.0.0");
        let inject = format!("inject={call}:signal=SIGKILL:when={n}");
        let (trace, program) = (format!("trace={call}"), world.program.display().to_string());
        let strace = ["-q", "-o", "/dev/null", "-e", &trace, "-e", &inject, &program, "self", "update"];
        let out = world.home.program("/usr/bin/strace", &strace).run();
        let when = format!("after a kill at {call} {n}");
        let now = whole(&world, &when);
        if out.code == Some(0) {
            return n - 1;
        }
        assert_eq!(out.signal, Some(9), "{}", out.report());
        if now != "clown 99.0.0\n" {
            world.run(&["self", "update"]).ok();
            assert_eq!(whole(&world, &when), "clown 99.0.0\n");
        }
        assert_eq!(world.names(), ["clown", "clown.old"], "leftovers {when}");
    }
    unreachable!("the numbers do not end")
}

#[test]
fn a_kill_at_any_call_leaves_one_of_the_two() {
    let counts =
        ["rename,renameat,renameat2", "fsync", "link,linkat", "unlink,unlinkat", "chmod,fchmod,fchmodat"].map(|call| (call, sweep(call)));
    for (call, count) in counts {
        assert!(count > 0, "an update makes no {call}: the sweep saw nothing");
    }
}

#[test]
fn a_kill_while_the_program_comes_changes_nothing() {
    let world = World::new();
    world.publish("99.0.0");
    let before = (world.names(), world.bytes());
    world.server.behave(|path| if path.ends_with(".gz") { Answer::Drip } else { Answer::Honest });
    world.server.sent();
    let running = world.run(&["self", "update"]).start();
    wait_until("the program to come", || world.server.sent() == 1);
    kill(running.pid(), "KILL");
    assert_eq!(running.wait().signal, Some(9));
    assert!((world.names(), world.bytes()) == before);
    world.server.behave(|_| Answer::Honest);
    world.run(&["self", "update"]).ok();
    assert_eq!(whole(&world, "then"), "clown 99.0.0\n");
}
