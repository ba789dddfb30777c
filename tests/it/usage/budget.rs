use super::*;

fn with_profile() -> TestHome {
    let mut home = TestHome::new();
    let agent = home.write("bin/claude", "#!/bin/sh\ncase \"$1\" in --version) echo '2.1.330 (Claude Code)';; *) echo ran;; esac\n");
    std::fs::set_permissions(&agent, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", agent.parent().unwrap().display());
    home.set("PATH", &path);
    home.clown(&["profiles", "create", "claude", "work", "--provider", "offline"]).ok();
    home
}

fn used(home: &TestHome, id: &'static str, tokens: u64) {
    log(&home.profile_home("claude", "work"), "s1", &[Answer { id, at: now(), input: tokens, output: 0 }]);
}

#[test]
fn a_budget_warns_and_then_refuses_with_the_way_out() {
    let home = with_profile();
    let set = home.json(&["budget", "set", "--profile", "work", "--tokens", "1000", "--action", "refuse", "--timezone", "UTC"]);
    assert_eq!((set["budgets"][0]["level"].as_u64(), set["budgets"][0]["used_tokens"].as_u64()), (Some(0), Some(0)));
    assert_eq!(home.clown(&["run", "work"]).ok().stdout(), "ran\n");
    used(&home, "1", 850);
    home.clown(&["usage", "rescan"]).ok();
    let warned = home.clown(&["run", "work"]).ok();
    assert!(warned.stdout() == "ran\n" && warned.stderr().contains("85 % of its budget"), "{}", warned.report());
    used(&home, "2", 150);
    home.clown(&["usage", "rescan"]).ok();
    let refused = home.clown(&["run", "work"]).fails(1);
    assert!(refused.stdout().is_empty(), "{}", refused.report());
    for way in ["begins anew at", "clown budget set --profile work --daily", "clown budget remove --profile work --daily"] {
        assert!(refused.stderr().contains(way), "{}", refused.report());
    }
    let events = home.json(&["budget", "list"]);
    assert_eq!(events["budgets"][0]["level"], 100);
    home.clown(&["budget", "remove", "--profile", "work"]).ok();
    assert_eq!(home.clown(&["run", "work"]).ok().stdout(), "ran\n");
    home.clown(&["budget", "remove", "--profile", "work"]).fails(1).says("clown budget list");
}

#[test]
fn a_budget_of_nothing_of_nobody_or_without_a_proxy_is_refused() {
    let home = with_profile();
    home.clown(&["budget", "set", "--profile", "work"]).fails(2).says("--daily 20usd");
    home.clown(&["budget", "set", "--profile", "work", "--daily", "much"]).fails(2).says("500k");
    home.clown(&["budget", "set", "--profile", "wrok", "--daily", "5usd"]).fails(1).says("did you mean work");
    home.clown(&["budget", "set", "--profile", "work", "--daily", "5usd", "--action", "route"]).fails(2).says("--to");
    let route = ["budget", "set", "--profile", "work", "--daily", "5usd", "--action", "route", "--to", "zai/glm-5.3"];
    home.clown(&route).fails(1).says("clown proxy enable work");
}

#[test]
fn a_run_s_record_holds_what_it_used() {
    let home = with_profile();
    used(&home, "0", 5);
    home.clown(&["run", "work"]).ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let session = home.sessions().pop().unwrap();
        if session["usage"].is_object() {
            assert_eq!((session["usage"]["requests"].as_u64(), session["usage"]["cost_usd"].as_f64()), (Some(0), Some(0.0)), "{session}");
            assert_eq!(session["usage"]["source"], "log");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{session}");
        home.clown(&["daemon", "status"]).ok();
    }
    let text = std::fs::read_to_string(home.root().join("telemetry/aggregates.json"));
    // Written right after the record.
    if let Ok(text) = text {
        let sums: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((sums["version"].as_u64(), sums["days"][0]["profile"].as_str()), (Some(1), Some("work")));
    }
}
