use super::*;

#[test]
fn what_is_appended_is_seen_as_it_happens() {
    let home = TestHome::new();
    log(&home.home(), "s1", &[Answer { id: "1", at: now(), input: 7, output: 1 }]);
    // The daemon knows the log before the watch begins.
    assert_eq!(home.json(&["usage", "models"])["totals"]["requests"], 1);
    let mut watching = home.clown(&["usage", "watch", "--count", "1", "--period", "all", "--json"]).start();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let mut id = 10;
    // The watch may not have begun yet, so there is something new until it has seen some.
    while !watching.ended() {
        assert!(std::time::Instant::now() < deadline, "nothing was seen\n{}", std::fs::read_to_string(home.log()).unwrap_or_default());
        id += 1;
        log(&home.home(), "s1", &[Answer { id: Box::leak(id.to_string().into_boxed_str()), at: now(), input: 7, output: 1 }]);
        home.clown(&["daemon", "status"]).ok();
    }
    let out = watching.wait().code_is(0);
    let shown: Vec<serde_json::Value> = out.stdout().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(shown.len(), 2);
    assert!(shown[1]["totals"]["requests"].as_u64() > shown[0]["totals"]["requests"].as_u64(), "{shown:?}");
}

#[test]
fn the_line_below_a_prompt_is_one_line_whatever_comes_in() {
    let home = TestHome::new();
    log(&home.home(), "s1", &[Answer { id: "1", at: now(), input: 1_000_000, output: 0 }]);
    let told = br#"{"session_id":"s1","model":{"display_name":"Opus 5.5"},"cost":{"total_cost_usd":0.5}}"#;
    let out = home.clown(&["usage", "statusline"]).stdin(told).ok();
    assert!(out.stdout().starts_with("Opus 5.5 | $0.50 session / $") && out.stdout().lines().count() == 1, "{}", out.report());
    for odd in [&b""[..], b"{", b"[1]", b"\xff\xfe"] {
        let out = home.clown(&["usage", "statusline"]).stdin(odd).ok();
        assert_eq!((out.stdout().lines().count(), out.stderr().as_str()), (1, ""), "{}", out.report());
    }
}
