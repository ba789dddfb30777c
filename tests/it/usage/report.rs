use super::*;

const UTC: [&str; 2] = ["--timezone", "UTC"];

#[test]
fn logs_of_the_home_become_lines_that_add_up() {
    let home = TestHome::new();
    two_days(&home);
    let daily = home.json(&[&["usage", "daily"], &UTC[..]].concat());
    let days: Vec<(&str, u64)> =
        daily["lines"].as_array().unwrap().iter().map(|d| (d["date"].as_str().unwrap(), d["total_tokens"].as_u64().unwrap())).collect();
    assert_eq!(days, [("2026-11-20", 1_001_000), ("2026-11-21", 502_000)]);
    let totals = &daily["totals"];
    assert_eq!((totals["requests"].as_u64(), totals["partial"].as_bool()), (Some(2), Some(false)));
    for name in ["input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"]
    {
        assert!(totals[name].is_u64(), "{name}");
    }
    let cost: f64 = daily["lines"].as_array().unwrap().iter().map(|d| d["cost_usd"].as_f64().unwrap()).sum();
    assert!((totals["cost_usd"].as_f64().unwrap() - cost).abs() < 1e-9 && cost > 0.0);
    let berlin = home.json(&["usage", "daily", "--timezone", "Europe/Berlin"]);
    assert_eq!(berlin["count"], 1, "half past midnight in Berlin");
    for group in ["weekly", "monthly", "sessions", "models", "profiles", "agents", "projects", "blocks"] {
        let page = home.json(&[&["usage", group, "--breakdown"], &UTC[..]].concat());
        assert_eq!(page["totals"], daily["totals"], "{group}");
    }
    let text = home.clown(&[&["usage", "daily"], &UTC[..]].concat()).ok();
    assert!(text.stdout().starts_with("DAY ") && text.stdout().contains("\ntotal "), "{}", text.report());
    assert!(!text.stdout().contains(['█', '\x1b', ',']), "{}", text.report());
}

#[test]
fn an_empty_answer_names_the_next_command() {
    let home = TestHome::new();
    for (line, next) in
        [("usage", "clown run"), ("usage daily", "clown run"), ("usage export", "clown usage doctor"), ("budget list", "clown budget set")]
    {
        let words: Vec<&str> = line.split(' ').collect();
        let out = home.clown(&words).ok();
        assert!(out.stdout().is_empty() && out.stderr().contains(next), "{}", out.report());
    }
    two_days(&home);
    home.clown(&["usage", "rescan"]).ok();
    let out = home.clown(&["usage", "models", "--model", "gpt-*"]).ok();
    assert!(out.stderr().contains("--period all"), "{}", out.report());
}

#[test]
fn what_is_asked_wrongly_is_told_with_the_way_out() {
    let home = TestHome::new();
    home.clown(&["usage", "daily", "--period", "mounth"]).fails(2).says("did you mean month");
    home.clown(&["usage", "daily", "--since", "soon"]).fails(1).says("2026-11-22");
    home.clown(&["usage", "daily", "--timezone", "Mars/Base"]).fails(1).says("Europe/Berlin");
    home.clown(&["usage", "export", "--format", "xml"]).fails(2).says("ndjson");
    home.clown(&["usage", "import", "--dir", "/nowhere/at/all"]).fails(1).says("~/.codex");
}

#[test]
fn an_export_has_each_request_in_every_form() {
    let home = TestHome::new();
    two_days(&home);
    let export = |format: &str| home.clown(&["usage", "export", "--format", format]).ok().stdout();
    let json: serde_json::Value = serde_json::from_str(&export("json")).unwrap();
    let lines: Vec<serde_json::Value> = export("ndjson").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(json.as_array().unwrap(), &lines);
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().any(|l| l["key"] == "msg_1" && l["model"] == "claude-opus-5-5" && l["profile"].is_null()));
    assert_eq!(export("csv").lines().count(), 3);
}

#[test]
fn an_import_counts_what_is_new_and_only_once() {
    let home = TestHome::new();
    two_days(&home);
    let old = home.work().join("old");
    let again = Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 1_000_000, output: 1000 };
    let older = Answer { id: "0", at: "2026-01-01T00:00:00Z", input: 5, output: 1 };
    log(&old, "s1", &[again, older]);
    let dir = old.join(".claude");
    let import = || home.json(&["usage", "import-claude", "--claude-dir", dir.to_str().unwrap()])["requests"].as_u64();
    assert_eq!((import(), import()), (Some(1), Some(0)));
    assert_eq!(home.json(&["usage", "models"])["totals"]["requests"], 3);
    std::fs::remove_dir_all(&old).unwrap();
    home.clown(&["usage", "rescan"]).ok();
    assert_eq!(home.json(&["usage", "models"])["totals"]["requests"], 3, "history stays when its logs are gone");
}

#[test]
fn the_doctor_names_places_and_what_has_no_price() {
    let home = TestHome::new();
    let path = log(&home.home(), "s1", &[Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 7, output: 1 }]);
    let text = std::fs::read_to_string(&path).unwrap() + "no json, but \"usage\"\n";
    std::fs::write(&path, text.replace("claude-opus-5-5", "nobody-knows-1")).unwrap();
    let found = home.json(&["usage", "doctor"]);
    assert_eq!(found["unpriced"][0], "nobody-knows-1");
    let place = home.home().join(".claude/projects").display().to_string();
    assert!(found["collectors"].as_array().unwrap().iter().any(|c| c["root"].as_str().unwrap().starts_with(&place)), "{found}");
    let card = home.clown(&["usage", "--period", "all"]).ok();
    assert!(card.stdout().contains("unknown") && card.stderr().contains("nobody-knows-1"), "{}", card.report());
    let models = home.json(&["usage", "models"]);
    assert!(models["totals"]["cost_usd"].is_null() && models["totals"]["partial"] == true);
}

#[test]
fn the_user_s_own_price_counts() {
    let home = TestHome::new();
    let path = log(&home.home(), "s1", &[Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 1_000_000, output: 0 }]);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("claude-opus-5-5", "my-model")).unwrap();
    std::fs::create_dir_all(home.root()).unwrap();
    std::fs::write(home.root().join("config.toml"), "[usage.prices.\"my-model\"]\ninput = 1.25\noutput = 10.0\n").unwrap();
    assert_eq!(home.json(&["usage", "models"])["totals"]["cost_usd"], 1.25);
    assert!(home.json(&["config", "list"])["warnings"].is_null(), "its table is no unknown key");
}

#[test]
fn the_model_inside_clown_costs_nothing() {
    let home = TestHome::new();
    let path = log(&home.home(), "s1", &[Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 1_000_000, output: 5 }]);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("claude-opus-5-5", "offline-1")).unwrap();
    let found = home.json(&["usage", "models"]);
    assert_eq!((&found["totals"]["cost_usd"], &found["totals"]["requests"]), (&serde_json::json!(0.0), &serde_json::json!(1)), "{found}");
    assert!(found["unpriced"].as_array().is_none_or(Vec::is_empty), "{found}");
}

/// The same name has a price at the seller's only, and the agent's log does not name one.
#[test]
fn a_profile_s_requests_have_the_price_of_who_serves_it() {
    let home = TestHome::new();
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home.clown(&["profiles", "create", "claude", "work", "--provider", "zai", "--api-key-stdin"]).stdin(b"sk-test-only").ok();
    let one = || Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 1_000_000, output: 0 };
    for (dir, id) in [(home.profile_home("claude", "work"), "msg_1"), (home.home(), "msg_2")] {
        let path = log(&dir, "s1", &[one()]);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("claude-opus-5-5", "glm-4.6").replace("msg_1", id)).unwrap();
    }
    let of = |profile: &str| home.json(&["usage", "models", "--profile", profile])["totals"]["cost_usd"].as_f64();
    assert!(of("work").is_some_and(|usd| usd > 0.0), "{:?}", of("work"));
    assert_eq!(of("-"), None, "outside of profiles nobody knows who served it");
    assert_eq!(home.json(&["usage", "models", "--provider", "zai"])["totals"]["requests"], 1);
}

#[test]
fn new_prices_hold_at_once_for_what_was_used_before() {
    let home = TestHome::new();
    log(&home.home(), "s1", &[Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 1_000_000, output: 0 }]);
    let cost = || home.json(&["usage", "models"])["totals"]["cost_usd"].clone();
    let pid = || home.daemon_pid().unwrap();
    let (built_in, daemon) = (cost(), pid());
    let file = home.root().join("registry/litellm-pricing.json");
    let set = |price: &str| {
        let text =
            format!("{{\"claude-opus-5-5\":{{\"input_cost_per_token\":{price},\"litellm_provider\":\"anthropic\",\"mode\":\"chat\"}}}}");
        home.write(file.with_file_name("new"), &text);
        std::fs::rename(file.with_file_name("new"), &file).unwrap();
    };
    set("0.000002");
    assert_eq!(cost(), 2.0);
    set("0.000003");
    assert_eq!(cost(), 3.0, "of the same size");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(cost(), built_in);
    assert_eq!(pid(), daemon, "the daemon runs on");
}
