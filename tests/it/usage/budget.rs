use super::*;
use crate::{
    agents::{CLAUDE, new_key},
    proxy::{Cast, Format},
};

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

/// Each once, however often something is read in between.
#[test]
fn each_level_of_a_budget_is_told_once_to_who_listens() {
    let home = with_profile();
    home.clown(&["budget", "set", "--profile", "work", "--tokens", "1000", "--timezone", "UTC"]).ok();
    let told = || home.events().iter().filter(|event| event.topic == "budget/reached" && event.subject == "work").count();
    let mut seen = Vec::new();
    // 79, 80, 94, 95, 99, 100 and 150 %.
    for (id, tokens) in [("1", 790), ("2", 10), ("3", 140), ("4", 10), ("5", 40), ("6", 10), ("7", 500)] {
        used(&home, id, tokens);
        for _ in 0..2 {
            home.clown(&["usage", "rescan"]).ok();
        }
        let state = &home.json(&["budget", "list"])["budgets"][0];
        seen.push((state["used_tokens"].as_u64().unwrap(), state["level"].as_u64().unwrap(), told()));
    }
    let expected = [(790, 0, 0), (800, 80, 1), (940, 80, 1), (950, 95, 2), (990, 95, 2), (1000, 100, 3), (1500, 100, 3)];
    assert_eq!(seen, expected);
}

#[test]
fn a_budget_that_is_used_up_routes_to_the_cheaper_target_and_counts_it_as_that() {
    let home = TestHome::with_agents();
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    let casts = [("dear", "claude-opus-5-5"), ("cheap", "claude-haiku-5-5")].map(|(id, model)| {
        let cast = Cast::metered();
        let endpoint =
            format!("[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"{}\"\nauth = \"x-api-key\"\n", cast.url(Format::Anthropic));
        let manifest = format!("schema = 1\nid = \"{id}\"\nname = \"{id}\"\nany_model = true\ndefault_model = \"{model}\"\n{endpoint}");
        home.write(home.root().join(format!("providers.d/{id}.toml")), &manifest);
        cast
    });
    let [dear, cheap] = &casts;
    let key = new_key("budget");
    let create = ["profiles", "create", "claude", "work", "--provider", "dear", "--api-key-stdin", "--proxy"];
    home.clown(&create).stdin(key.as_bytes()).ok();
    home.clown(&["proxy", "key", "add", "work", "cheap", "--api-key-stdin"]).stdin(key.as_bytes()).ok();
    CLAUDE.run(&home, "work", "run it").ok();
    let before = dear.bill().len();
    assert!(before >= 2 && cheap.bill().is_empty());

    let route = ["--action", "route", "--to", "cheap/claude-haiku-5-5"];
    home.clown(&[&["budget", "set", "--profile", "work", "--tokens", "1000000"], &route[..]].concat()).ok();
    CLAUDE.run(&home, "work", "run it").ok();
    let under = dear.bill().len();
    assert!(under > before && cheap.bill().is_empty(), "there is something left of it");

    home.clown(&[&["budget", "set", "--profile", "work", "--tokens", "1000"], &route[..]].concat()).ok();
    let out = CLAUDE.run(&home, "work", "run it").ok();
    assert!(out.stdout().contains(crate::proxy::WORD), "{}", out.report());
    assert!(out.stderr().contains("requests go to cheap/claude-haiku-5-5"), "{}", out.report());
    assert_eq!(dear.bill().len(), under, "{}", out.report());
    let routed = cheap.bill();
    assert!(routed.len() >= 2 && routed.iter().all(|one| one.model == "claude-haiku-5-5"), "{routed:?}");

    let models = home.json(&["usage", "models"]);
    let of = |model: &str| models["lines"].as_array().unwrap().iter().find(|line| line["model"] == model).unwrap().clone();
    assert_eq!(of("claude-opus-5-5")["requests"].as_u64(), Some(under as u64), "{models}");
    assert_eq!(of("claude-haiku-5-5")["requests"].as_u64(), Some(routed.len() as u64), "{models}");
    assert_eq!(home.json(&["usage", "models", "--provider", "cheap"])["totals"]["requests"].as_u64(), Some(routed.len() as u64));
}

/// What Claude Code's bill says is compared with all that its session told, and a difference is shown as a number.
#[test]
fn a_bill_that_says_something_else_is_shown_with_the_difference() {
    let mut home = with_profile();
    let bill = r#"{"type":"cost-state","sessionId":"s9","totalCostUSD":0.5,"modelUsage":{"claude-opus-5-5":{"inputTokens":900,"outputTokens":100,"costUSD":0.5}},"hasUnknownModelCost":false}"#;
    let answer = Answer { id: "9", at: "AT", input: 1000, output: 100 }.line("s9");
    let lines = home.write("w/lines", &format!("{answer}{bill}\n"));
    let agent = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo '2.1.330 (Claude Code)'; exit; }}\ndir=\"$HOME/.claude/projects/-w-app\"\nmkdir -p \"$dir\"\n\
         sed \"s/AT/$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)/\" '{}' > \"$dir/s9.jsonl\"\n",
        lines.display()
    );
    let path = home.write("bin/claude", &agent);
    home.set("PATH", &format!("{}:/usr/bin:/bin", path.parent().unwrap().display()));
    home.clown(&["run", "work"]).ok();
    let cost = home.json(&["usage", "models"])["totals"]["cost_usd"].as_f64().unwrap();
    let found = home.json(&["usage", "reconcile"]);
    let bill = &found["bills"][0];
    assert_eq!((found["compared"].as_u64(), found["equal"].as_u64(), bill["difference_tokens"].as_i64()), (Some(1), Some(0), Some(100)));
    assert!((bill["difference_usd"].as_f64().unwrap() - (cost - 0.5)).abs() < 1e-12, "{found}");
    let shown = home.clown(&["usage", "reconcile"]).ok();
    assert!(shown.stdout().contains("s9") && shown.stdout().contains("+100"), "{}", shown.report());
    assert!(shown.stderr().contains("1 of 1 bills differ"), "{}", shown.report());
    crate::support::wait_until("the run's own record", || home.sessions()[0]["usage"].is_object());
    let off = home.sessions()[0]["usage"]["difference_usd"].as_f64().unwrap();
    assert!((off - (cost - 0.5)).abs() < 1e-12, "{off}");
    // A session without a bill is not compared with anything.
    assert!(home.json(&["usage", "reconcile", "--agent", "codex"])["bills"].as_array().unwrap().is_empty());
}
