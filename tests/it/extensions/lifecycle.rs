//! Commands of an agent's manifest: when they run, what they may hold up, and who agreed to them.

use std::time::Instant;

use serde_json::Value;

use crate::support::{FakeAgent, TestHome, wait_until};

const HOOKS: &str = r#"
[hooks]
create = [{ run = ["sh", "-c", "cat > created; env > create-env"] }]
delete = [{ run = ["sh", "-c", "cat > $CLOWN_REAL_HOME/deleted"] }]
pre_run = [{ run = ["sh", "-c", "cat > pre; test ! -e forbidden || { echo 'not here' >&2; exit 3; }"] }]
post_run = [{ run = ["sh", "-c", "cat > post"] }]
[setup.greet]
description = "says hello"
run = ["sh", "-c", "echo hello from $CLOWN_PROFILE; pwd > greeted"]
[setup.hang]
description = "never ends"
run = ["sh", "-c", "sleep 600 & sleep 600"]
timeout_ms = 500
"#;

/// The manifest of the fake agent with these commands, as the user's own or the registry's.
fn manifest(home: &TestHome) -> String {
    std::fs::read_to_string(home.root().join("agents.d/fake.toml")).unwrap() + HOOKS
}

fn told(path: std::path::PathBuf) -> Value {
    wait_until(&path.display().to_string(), || std::fs::read(&path).is_ok_and(|b| serde_json::from_slice::<Value>(&b).is_ok()));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn log(home: &TestHome, args: &[&str]) -> Vec<(String, String, String)> {
    let lines = home.json(&[&["hooks", "log"], args].concat());
    let text = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
    lines["lines"].as_array().unwrap().iter().rev().map(|l| (text(l, "event"), text(l, "name"), text(l, "outcome"))).collect()
}

#[test]
fn each_runs_at_its_time_and_is_noted() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "echo ran");
    let text = manifest(&home);
    home.write(home.root().join("agents.d/fake.toml"), &text);
    home.clown(&["profiles", "create", "fake", "h", "--provider", "offline"]).ok();
    let created = told(home.profile_home("fake", "h").join("created"));
    assert_eq!(
        (created["event"].as_str(), created["profile"].as_str(), created["agent"].as_str()),
        (Some("create"), Some("h"), Some("fake"))
    );
    let env = std::fs::read_to_string(home.profile_home("fake", "h").join("create-env")).unwrap();
    assert!(env.contains("CLOWN_PROFILE=h\n") && env.contains("FAKE_HOME=") && !env.contains("FAKE_KEY"), "{env}");

    assert_eq!(home.clown(&["run", "h"]).ok().stdout(), "ran\n");
    let (pre, post) = (told(home.work().join("pre")), told(home.work().join("post")));
    assert_eq!((&pre["session"], post["exit"]["code"].as_i64()), (&post["session"], Some(0)), "{pre} {post}");

    home.write(home.work().join("forbidden"), "");
    home.clown(&["run", "h"]).fails(1).says("the pre_run hook of Fake refused: it ended with 3: not here");
    assert_eq!(home.sessions().len(), 1, "a refused run is no session");

    assert_eq!(home.clown(&["env", "setup", "h", "greet"]).ok().stdout(), "hello from h\n");
    assert!(home.profile_home("fake", "h").join("greeted").exists());
    assert!(home.clown(&["env", "list", "h"]).ok().stdout().contains("says hello"));
    home.clown(&["env", "setup", "h", "gret"]).fails(1).says("did you mean greet");
    let began = Instant::now();
    home.clown(&["env", "setup", "h", "hang"]).fails(1).says("did not end within 500 ms");
    assert!(began.elapsed().as_secs() < 60, "it was waited for");

    home.clown(&["profiles", "delete", "h", "--purge", "--yes"]).ok();
    assert_eq!(told(home.home().join("deleted"))["event"], "delete");
    let of = |event: &str, name: &str, outcome: &str| (event.to_owned(), name.to_owned(), outcome.to_owned());
    wait_until("the record", || log(&home, &["--profile", "h"]).len() == 7);
    let mut all = log(&home, &["--profile", "h"]);
    let mut expected = vec![
        of("create", "sh", "ok"),
        of("pre_run", "sh", "ok"),
        of("post_run", "sh", "ok"),
        of("pre_run", "sh", "failed"),
        of("setup", "greet", "ok"),
        of("setup", "hang", "timed-out"),
        of("delete", "sh", "ok"),
    ];
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn a_create_hook_that_fails_leaves_no_profile() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "true");
    let text = manifest(&home).replace("cat > created;", "exit 9;");
    home.write(home.root().join("agents.d/fake.toml"), &text);
    home.clown(&["profiles", "create", "fake", "h", "--provider", "offline"]).fails(1).says("the create hook of Fake refused");
    assert!(!home.profile_home("fake", "h").exists());
    home.clown(&["profiles", "inspect", "h"]).fails(1);
}

#[test]
fn those_of_the_registry_wait_for_agreement() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "echo ran");
    let text = manifest(&home);
    std::fs::remove_file(home.root().join("agents.d/fake.toml")).unwrap();
    home.registry(&[("agents/fake.toml", &text)]);
    let refused = || {
        for args in
            [&["run", "p"] as &[&str], &["env", "setup", "p", "greet"], &["profiles", "create", "fake", "q", "--provider", "offline"]]
        {
            home.clown(args).fails(1).says("clown scripts approve agent:fake");
        }
        assert!(!home.work().join("pre").exists() && !home.profile_home("fake", "q").exists());
    };
    refused();
    let shown = home.clown(&["scripts", "review", "agent:fake"]).ok();
    assert!(shown.stdout().contains("+pre_run: [\"sh\", \"-c\""), "{}", shown.report());
    home.clown(&["scripts", "approve", "agent:fake", "--yes"]).ok();
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), "ran\n");
    assert!(home.work().join("pre").exists());
    // What is no command may change; a command may not.
    home.registry(&[("agents/fake.toml", &text.replace("name = \"Fake\"", "name = \"Fake 2\""))]);
    home.clown(&["run", "p"]).ok();
    home.registry(&[("agents/fake.toml", &text.replace("cat > pre;", "cat > other;"))]);
    std::fs::remove_file(home.work().join("pre")).unwrap();
    refused();
    // A profile can always be deleted; the hook that nobody agreed to does not run.
    home.clown(&["profiles", "delete", "p", "--yes"]).ok().says("you have not agreed to it");
    assert!(!home.home().join("deleted").exists());
    assert_eq!(log(&home, &["--profile", "p"]).last().unwrap().2, "not-agreed");
}
