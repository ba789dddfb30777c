//! A daemon that is killed while it writes the index: at each of its calls, one after the other.

use super::*;
use crate::support::wait_until;

/// Asks a daemon under strace, which dies at its `at`-th such call to the index's file. False when it made fewer and lived.
fn dies(home: &TestHome, call: &str, at: u32) -> bool {
    let index = home.root().join("telemetry/usage/usage.index");
    let (traced, dies) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={at}"));
    let trace = home.work().join("trace");
    let watched = ["-f", "-qq", "-o", trace.to_str().unwrap(), "-P", index.to_str().unwrap(), "-e", &traced, "-e", &dies];
    let mut running = home.program("strace", &[&watched[..], &[env!("CARGO_BIN_EXE_clown"), "daemon"]].concat()).start();
    wait_until("a daemon", || running.ended() || home.clown(&["daemon", "status"]).run().code == Some(0));
    // Another daemon may give the answer.
    home.clown(&["usage", "models"]).run();
    home.clown(&["daemon", "stop"]).run();
    let out = running.wait();
    assert!(out.signal == Some(9) || out.code == Some(0), "{call} {at}: {}", out.report());
    out.signal == Some(9)
}

fn totals(home: &TestHome) -> (u64, u64) {
    let totals = &home.json(&["usage", "models"])["totals"];
    (totals["requests"].as_u64().unwrap(), totals["total_tokens"].as_u64().unwrap())
}

/// With an index that is there already, or without one.
fn sweep(with_index: bool, call: &str) -> u32 {
    for at in 1.. {
        let home = TestHome::new();
        two_days(&home);
        if with_index {
            assert_eq!(totals(&home), (2, 1_503_000));
            home.clown(&["daemon", "stop"]).ok();
        }
        log(&home.home(), "s1", &[Answer { id: "3", at: "2026-11-21T11:00:00Z", input: 5, output: 1 }]);
        log(&home.home(), "s2", &[Answer { id: "4", at: "2026-11-21T11:00:00Z", input: 50, output: 10 }]);
        let died = dies(&home, call, at);
        // Each has nothing but the disk; the second has no logs any more either.
        for gone in [false, true] {
            if gone {
                std::fs::remove_dir_all(home.home().join(".claude")).unwrap();
            }
            assert_eq!(totals(&home), (4, 1_503_066), "{call} {at}");
            home.clown(&["daemon", "stop"]).ok();
        }
        if !died {
            return at - 1;
        }
    }
    unreachable!()
}

/// Opened to read and to write, cut to what is good, a header, and a frame in three writes.
#[test]
fn a_daemon_killed_at_any_call_to_the_index_loses_and_doubles_nothing() {
    for (with_index, least) in [(false, [2, 1, 4]), (true, [2, 1, 3])] {
        let died = ["openat", "ftruncate", "write"].map(|call| sweep(with_index, call));
        assert!(died.iter().zip(least).all(|(died, least)| *died >= least), "{died:?}");
    }
}
