//! A bare `clown`.

use crate::support::{TestHome, wait_until};

#[test]
fn a_bare_clown_tells_how_things_stand_and_starts_nothing() {
    let home = TestHome::with_fake("true");
    let first = home.clown(&[]).ok();
    assert!(first.stderr.is_empty(), "{}", first.report());
    let shown = first.stdout();
    for text in ["not running; starts when it is needed", "none yet", "  clown init ", "  clown agents list", "  clown --help"] {
        assert!(shown.contains(text), "{text:?}\n{shown}");
    }
    assert_eq!(home.daemons(), [0; 0], "it only looks");
    home.json(&["profiles", "create", "fake", "p", "--provider", "offline"]);
    let pid = home.daemon_pid().unwrap();
    // The first look at logs may take longer than a bare clown waits.
    wait_until("the sum of today", || home.clown(&[]).ok().stdout().contains("today     nothing"));
    let shown = home.clown(&[]).ok().stdout();
    for text in [&format!("process {pid}"), "profiles  p\n", "  clown run p "] {
        assert!(shown.contains(text), "{text:?}\n{shown}");
    }
    wait_until("the sum of today", || home.json(&[])["today"]["requests"] == 0);
    let document = home.json(&[]);
    assert_eq!(document["daemon"].as_u64(), Some(u64::from(pid)));
    assert_eq!(document["profiles"], serde_json::json!(["p"]));
    home.clown(&["daemon", "stop"]).ok();
    let document = home.json(&[]);
    assert!(document["daemon"].is_null() && document.get("today").is_none() && document["profiles"][0] == "p", "{document}");
    assert_eq!(home.daemons(), [0; 0]);
}
