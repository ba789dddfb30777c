//! clown called by the tools of an agent: the same daemon, the user's own home.

use crate::support::TestHome;

#[test]
fn inside_a_profile_clown_serves_the_user_and_not_the_profile() {
    let mut home = TestHome::with_fake("unset CLOWN_DAEMON_ENDPOINT; eval \"$INNER\"");
    // Without CLOWN_HOME everything hangs on HOME, which is the profile's inside. The endpoint only
    // keeps this test off the name that all users of this machine share.
    home.unset("CLOWN_HOME");
    let socket = home.runtime().join("s");
    home.set("CLOWN_DAEMON_ENDPOINT", socket.to_str().unwrap());
    home.set("ENDPOINT", socket.to_str().unwrap());
    home.set("CLOWN", env!("CARGO_BIN_EXE_clown"));
    home.json(&["profiles", "create", "fake", "outer", "--provider", "offline"]);
    let inner = |line: &str| home.clown(&["run", "outer"]).env("INNER", line).ok();
    let profile_home = home.home().join(".fake-profiles/outer");
    assert_eq!(inner("printf %s \"$HOME\"").stdout(), profile_home.to_str().unwrap());
    let status = inner("\"$CLOWN\" daemon status --json").json();
    assert_eq!(status["pid"].as_u64(), home.daemon_pid().map(u64::from));
    assert_eq!(status["home"].as_str().unwrap(), home.root().to_str().unwrap());
    inner("\"$CLOWN\" profiles create fake inner --provider offline");
    assert!(home.home().join(".fake-profiles/inner/.fake").exists());
    assert!(!profile_home.join(".fake-profiles").exists());
    // A run inside a run gets the home of its own profile.
    let nested = inner("INNER='printf %s \"$HOME\"' \"$CLOWN\" run inner");
    assert_eq!(nested.stdout(), home.home().join(".fake-profiles/inner").to_str().unwrap());
    // And a daemon that has to be started from inside is the user's.
    home.clown(&["daemon", "stop"]).ok();
    let restarted = inner(
        "\"$CLOWN\" daemon stop; CLOWN_DAEMON_ENDPOINT=\"$ENDPOINT\" \"$CLOWN\" daemon start -q; CLOWN_DAEMON_ENDPOINT=\"$ENDPOINT\" \"$CLOWN\" daemon status --json",
    );
    assert_eq!(restarted.json()["home"].as_str().unwrap(), home.root().to_str().unwrap());
    home.clown(&["profiles", "inspect", "inner"]).ok();
}
