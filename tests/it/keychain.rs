//! Keys in the system's real key store: gnome-keyring on a private session bus.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use crate::support::{Endpoint, Out, TestHome, contains};

const KEY: &str = "sk-canary-5f1d0c2ab9e84c6f";

/// Fails with the way to install it when a program is missing.
fn needed(program: &str) -> PathBuf {
    let found = std::env::split_paths("/usr/local/bin:/usr/bin:/bin").map(|d| d.join(program)).find(|p| p.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed: run `cargo xtask setup --tests` (apt-get install gnome-keyring dbus)"))
}

/// A home that knows a provider with a key, and no agent.
fn home() -> TestHome {
    let home = TestHome::new();
    home.write(
        "h/.config/clown/providers.d/fair.toml",
        "schema = 1\nid = \"fair\"\nname = \"Fair\"\nany_model = true\ndefault_model = \"m\"\n\
         [[endpoints]]\nformat = \"anthropic\"\nbase_url = \"http://127.0.0.1:9\"\nauth = \"bearer\"\n",
    );
    home
}

/// Runs a script on a session bus of its own, which ends with it.
fn on_a_bus(home: &TestHome, script: &str) -> Out {
    needed("gnome-keyring-daemon");
    let bus = needed("dbus-run-session");
    let clown = env!("CARGO_BIN_EXE_clown");
    // The daemon outlives its starter: it must end before the bus does.
    let whole = format!("set -eu\nclown() {{ '{clown}' \"$@\"; }}\ntrap \"'{clown}' daemon stop >/dev/null 2>&1\" EXIT\n{script}");
    home.program(bus.to_str().unwrap(), &["--", "bash", "-c", &whole])
        .env("XDG_DATA_HOME", home.home().join("data").to_str().unwrap())
        .run()
}

const UNLOCK: &str = "echo -n pass | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n";

#[test]
fn another_process_reads_what_the_first_one_stored_and_no_file_holds_it() {
    let home = home();
    let script = format!(
        "{UNLOCK}printf '{KEY}\\n' | clown profiles create claude work --provider fair --api-key-stdin --json
         clown profiles inspect work
         clown daemon stop
         echo \"== $(clown profiles env work | grep -c '{KEY}')\"
         clown profiles clone work twin
         clown profiles delete work
         echo \"== $(clown profiles env twin | grep -c '{KEY}')\"
         clown profiles delete twin
         printf 'other-key-of-the-same-alias-000\\n' | clown profiles create claude work --provider fair --api-key-stdin
         clown daemon stop
         echo \"== $(clown profiles env work | grep -c 'other-key-of-the-same-alias-000')\"
         clown profiles delete work
         touch {}/all-done",
        home.work().display()
    );
    let out = on_a_bus(&home, &script);
    assert_eq!(out.code, Some(0), "{}", out.report());
    assert!(home.work().join("all-done").exists(), "{}", out.report());
    let text = out.stdout();
    let counts: Vec<&str> = text.lines().filter(|l| l.starts_with("== ")).collect();
    assert_eq!(counts, ["== 1", "== 1", "== 1"], "{}", out.report());
    assert!(text.contains("in the keychain"), "inspect names the store: {}", out.report());
    assert!(!text.contains(KEY) && !out.stderr().contains(KEY), "{}", out.report());
    let everything = home.work().parent().unwrap().to_owned();
    assert_eq!(home.files_with(&everything, KEY.as_bytes()), Vec::<PathBuf>::new());
}

#[test]
fn a_deleted_key_is_gone_from_the_store() {
    let home = home();
    // The name of the entry is read from the profile; then the store itself is asked for it.
    let script = format!(
        "{UNLOCK}printf '{KEY}\\n' | clown profiles create claude work --provider fair --api-key-stdin >/dev/null
         file=$(echo {root}/profiles/work.json)
         name=$(sed -n 's/.*\"key\": *\"\\([^\"]*\\)\".*/\\1/p' \"$file\")
         test -n \"$name\"
         ask() {{ printf '{{\"op\":\"get\",\"name\":\"%s\"}}' \"$name\" | '{clown}' __keychain; echo; }}
         ask
         clown profiles delete work
         ask",
        root = home.root().display(),
        clown = env!("CARGO_BIN_EXE_clown"),
    );
    let out = on_a_bus(&home, &script);
    assert_eq!(out.code, Some(0), "{}", out.report());
    let answers: Vec<String> = out.stdout().lines().filter(|l| l.starts_with('{')).map(str::to_owned).collect();
    assert_eq!(answers, [format!("{{\"key\":\"{KEY}\"}}"), "{\"key\":null}".to_owned()], "{}", out.report());
}

/// A failed `profiles create` named every way out and left nothing.
fn nothing_is_left(home: &TestHome, out: &Out) {
    assert_eq!(out.code, Some(1), "{}", out.report());
    let said = out.stderr();
    for way in [
        "the keychain of this system cannot be used",
        "unlock or start the keychain",
        "clown config set secrets.backend file",
        "--key-ref env:NAME",
    ] {
        assert!(said.contains(way), "{way:?} is not named\n{}", out.report());
    }
    assert!(!contains(&out.stderr, KEY.as_bytes()));
    let profiles = std::fs::read_dir(home.root().join("profiles"))
        .map(|d| d.flatten().filter(|e| e.path().extension().is_some_and(|x| x == "json")).count());
    assert_eq!(profiles.unwrap_or(0), 0);
    assert!(!home.profile_home("claude", "work").exists(), "a home is left");
    assert!(!home.root().join("secrets").exists(), "a key file is left");
    let everything = home.work().parent().unwrap().to_owned();
    assert_eq!(home.files_with(&everything, KEY.as_bytes()), Vec::<PathBuf>::new());
}

#[test]
fn without_a_session_bus_nothing_is_stored_and_nothing_is_left() {
    let home = home();
    for address in [None, Some("unix:path=/nonexistent/bus"), Some("garbage")] {
        let mut create =
            home.clown(&["profiles", "create", "claude", "work", "--provider", "fair", "--api-key-stdin"]).stdin(KEY.as_bytes());
        if let Some(address) = address {
            create = create.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
        nothing_is_left(&home, &create.run());
    }
    let mut peer = crate::support::Peer::calls(&Endpoint::of(&home).calls);
    let events = peer.ask(&crate::support::request("events.since", "", serde_json::json!({ "epoch": "", "seq": 0 })));
    assert_eq!(events["reply"]["seq"], 0, "an event was sent: {events}");
    // The way out that was named works.
    drop(peer);
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home.clown(&["profiles", "create", "claude", "work", "--provider", "fair", "--api-key-stdin"]).stdin(KEY.as_bytes()).ok();
    let file = home.root().join("secrets/keys.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.files_with(&home.home(), KEY.as_bytes()), [file]);
}

#[test]
fn a_locked_keychain_or_one_without_a_collection_stores_nothing() {
    let create = format!("printf '{KEY}\\n' | clown profiles create claude work --provider fair --api-key-stdin");
    // The bus starts a keyring by itself, which has no collection.
    let none = home();
    nothing_is_left(&none, &on_a_bus(&none, &create));
    // One that was made and locked again by the end of its daemon.
    let locked = home();
    let out = on_a_bus(&locked, UNLOCK);
    assert_eq!(out.code, Some(0), "{}", out.report());
    assert!(locked.home().join("data/keyrings").exists(), "the collection was made");
    let script = format!("gnome-keyring-daemon --start --components=secrets >/dev/null\n{create}");
    nothing_is_left(&locked, &on_a_bus(&locked, &script));
}
