//! What may change when, and what stays.

use std::io::{BufRead, BufReader, Read};

use crate::support::TestHome;

const KEY: &[u8] = b"canary-0123456789";

/// A profile `p` of the fake agent with a stored key.
fn with_key(program: &str) -> TestHome {
    let home = TestHome::with_fake(program);
    home.provider("https://mine.example/api");
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.clown(&["profiles", "create", "fake", "p", "--provider", "mine", "--api-key-stdin"]).stdin(KEY).ok();
    home
}

fn holders(home: &TestHome) -> usize {
    home.files_with(&home.home(), KEY).len()
}

#[test]
fn a_shared_key_lives_until_its_last_user_is_gone() {
    let home = with_key("echo ran");
    home.json(&["profiles", "clone", "p", "q"]);
    home.json(&["profiles", "create", "fake", "r", "--provider", "mine", "--reuse-key", "p"]);
    assert_eq!(home.json(&["profiles", "delete", "p", "--purge"])["key_deleted"], false);
    assert_eq!(holders(&home), 1);
    home.clown(&["run", "q"]).ok();
    home.json(&["profiles", "edit", "q", "--key-ref", "env:MY_KEY"]);
    assert_eq!(holders(&home), 1, "r still uses it");
    assert_eq!(home.json(&["profiles", "delete", "r"])["key_deleted"], true);
    assert_eq!(holders(&home), 0);
}

#[test]
fn a_new_key_replaces_the_old_one_only_for_its_profile() {
    let home = with_key("printf '%s\\n' \"$FAKE_KEY\"");
    home.json(&["profiles", "clone", "p", "q"]);
    home.clown(&["profiles", "edit", "p", "--api-key-stdin"]).stdin(b"second-0123456789").ok();
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "second-0123456789\n");
    assert_eq!(home.clown(&["run", "q"]).ok().stdout(), "canary-0123456789\n");
    home.clown(&["profiles", "edit", "q", "--api-key-stdin"]).stdin(b"third-0123456789").ok();
    assert_eq!(holders(&home), 0, "nobody uses the first key any more");
}

#[test]
fn a_key_goes_to_no_other_provider() {
    let home = with_key("echo ran");
    home.clown(&["profiles", "edit", "p", "--provider", "zai"]).fails(1).says("provider zai needs a key");
    assert_eq!(home.json(&["profiles", "inspect", "p"])["profile"]["provider"], "mine");
    home.json(&["profiles", "edit", "p", "--provider", "offline"]);
    let profile = home.json(&["profiles", "inspect", "p"])["profile"].clone();
    assert_eq!((profile["provider"].as_str(), profile["credential"]["kind"].as_str()), (Some("offline"), Some("none")));
    assert!(profile.get("approved_hosts").is_none());
    assert_eq!(holders(&home), 0);
}

#[test]
fn while_a_session_is_live_the_profile_stays_where_it_is() {
    let home = with_key("echo ready; cat > /dev/null");
    let mut run = home.clown(&["run", "p"]).spawn();
    let mut ready = String::new();
    BufReader::new(run.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    for (args, action) in [(&["profiles", "rename", "p", "q"] as &[&str], "renamed"), (&["profiles", "delete", "p", "--purge"], "deleted")]
    {
        home.clown(args)
            .fails(1)
            .says(&format!("profile p cannot be {action}: 1 of its sessions is running"))
            .says("clown sessions list --live --profile p");
    }
    assert_eq!(home.json(&["profiles", "list"])["profiles"][0]["running"], 1);
    // Settings may change; the agent's own files wait for the next run.
    let before = std::fs::read(home.profile_home("fake", "p").join(".fake/config.toml")).unwrap();
    home.json(&["profiles", "edit", "p", "--model", "m-2"]);
    assert_eq!(std::fs::read(home.profile_home("fake", "p").join(".fake/config.toml")).unwrap(), before);
    drop(run.stdin.take());
    run.stdout.as_mut().unwrap().read_to_end(&mut Vec::new()).unwrap();
    assert!(run.wait().unwrap().success());
    home.clown(&["profiles", "rename", "p", "q"]).ok();
    assert!(home.profile_home("fake", "q").exists() && !home.profile_home("fake", "p").exists());
    home.clown(&["profiles", "delete", "q", "--purge"]).ok();
    assert!(!home.profile_home("fake", "q").exists() && home.json(&["profiles", "list"])["profiles"].as_array().unwrap().is_empty());
}

#[test]
fn what_the_user_wrote_into_generated_files_stays() {
    let home = with_key("echo ran");
    let own = home.profile_home("fake", "p").join(".fake");
    let config = own.join("config.toml");
    let made = std::fs::read_to_string(&config).unwrap();
    assert!(made.contains("model = \"m-1\""), "{made}");
    let mine = "# mine\nalso = [1, 2] # kept\nmodel = \"m-1\"\nurl = \"https://mine.example/api\"\n\n[table]\nx = true\n";
    std::fs::write(&config, mine).unwrap();
    std::fs::write(own.join("seed.json"), "{\"first\": false, \"mine\": 1}").unwrap();
    home.json(&["profiles", "edit", "p", "--model", "m-9"]);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), mine.replace("\"m-1\"", "\"m-9\""), "own keys only");
    home.clown(&["run", "p"]).ok();
    assert_eq!(std::fs::read_to_string(own.join("seed.json")).unwrap(), "{\"first\": false, \"mine\": 1}", "a seed is written once");
    std::fs::remove_file(own.join("seed.json")).unwrap();
    home.clown(&["run", "p"]).ok();
    assert_eq!(std::fs::read_to_string(own.join("seed.json")).unwrap().matches("true").count(), 1, "a missing one is written again");
}

#[test]
fn a_clone_has_the_settings_and_a_fresh_home() {
    let home = with_key("echo ran");
    home.json(&["profiles", "edit", "p", "--env", "A=1", "--pref", "b=2", "--arg", "--c", "--model", "m-1"]);
    home.write("h/.config/clown/.fake-profiles/p/.fake/history", "private");
    home.json(&["profiles", "clone", "p", "q"]);
    let of = |alias: &str| home.json(&["profiles", "inspect", alias])["profile"].clone();
    for field in ["agent", "provider", "model", "isolation", "credential", "approved_hosts", "args", "env", "preferences"] {
        assert_eq!(of("p")[field], of("q")[field], "{field}");
    }
    assert!(home.profile_home("fake", "q").join(".fake/seed.json").exists());
    assert!(!home.profile_home("fake", "q").join(".fake/history").exists());
}

#[test]
fn unset_clears_and_edit_without_a_change_is_refused() {
    let home = with_key("echo ran");
    home.json(&[
        "profiles",
        "edit",
        "p",
        "--env",
        "A=1",
        "--env",
        "B=2",
        "--arg",
        "--c",
        "--model",
        "m-2",
        "--endpoint",
        "http://127.0.0.1:9/x",
    ]);
    home.json(&["profiles", "edit", "p", "--env", "-A", "--unset", "args", "--unset", "model", "--unset", "endpoint"]);
    let profile = home.json(&["profiles", "inspect", "p"])["profile"].clone();
    assert_eq!(profile["env"], serde_json::json!({"B": "2"}));
    assert!(["args", "model", "endpoint"].iter().all(|f| profile.get(f).is_none()), "{profile}");
    home.clown(&["profiles", "edit", "p"]).fails(2).says("nothing to change was named");
}

#[test]
fn a_dry_run_shows_and_changes_nothing() {
    let home = with_key("echo ran");
    let (tree, events) = (home.tree(), home.events());
    let args = ["profiles", "create", "fake", "new", "--provider", "mine", "--api-key-stdin", "--dry-run"];
    let out = home.clown(&args).stdin(b"canary-0123456789").ok().says("Nothing was changed");
    assert!(out.stdout().contains(".fake/seed.json") && !out.stdout().contains("canary"), "{}", out.report());
    assert_eq!(tree.changes(&home.tree()), "");
    assert_eq!(home.events(), events);
}

#[test]
fn deleting_keeps_the_home_and_the_next_profile_of_that_name_finds_it() {
    let home = with_key("echo ran");
    let kept = home.write("h/.config/clown/.fake-profiles/p/.fake/history", "mine");
    home.clown(&["profiles", "delete", "p"]).ok().says("Its home is kept");
    home.clown(&["profiles", "create", "fake", "p", "--provider", "offline"]).ok().says("exists already and is used as it is");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "mine");
}
