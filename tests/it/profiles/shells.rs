//! `profiles env`: taken over by real shells.

use std::process::Command;

use crate::support::TestHome;

/// Everything a shell could trip over.
const ODD: &str = "it's \"a\" $HOME `id` \\'x\\ end; & | \t!\nsecond line";

fn home() -> TestHome {
    let mut home = TestHome::with_fake("echo ran");
    home.set("FAKE_LEFTOVER", "of another run");
    home.set("CLOWN", env!("CARGO_BIN_EXE_clown"));
    home.provider("http://127.0.0.1:9/api");
    home.json(&["config", "set", "secrets.backend", "file"]);
    home.clown(&["profiles", "create", "fake", "p", "--provider", "mine", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    home.json(&["profiles", "edit", "p", "--env", &format!("ODD={ODD}")]);
    home
}

fn expected(home: &TestHome) -> String {
    format!("canary-0123456789|http://127.0.0.1:9/api|{}|gone|{ODD}", home.profile_home("fake", "p").display())
}

#[test]
fn sh_takes_it_over() {
    let home = home();
    let script = "eval \"$(\"$CLOWN\" profiles env p)\"; printf '%s|%s|%s|%s|%s' \"$FAKE_KEY\" \"$FAKE_URL\" \"$HOME\" \"${FAKE_LEFTOVER-gone}\" \"$ODD\"";
    for shell in ["sh", "bash"] {
        assert_eq!(home.program(shell, &["-c", script]).ok().stdout(), expected(&home), "{shell}");
    }
}

#[test]
fn fish_takes_it_over() {
    if Command::new("fish").arg("--version").output().is_err() {
        eprintln!("left out: fish is not installed");
        return;
    }
    let home = home();
    let script = "$CLOWN profiles env p --shell fish | source; set -q FAKE_LEFTOVER; or set FAKE_LEFTOVER gone; \
                  printf '%s|%s|%s|%s|%s' \"$FAKE_KEY\" \"$FAKE_URL\" \"$HOME\" \"$FAKE_LEFTOVER\" \"$ODD\"";
    assert_eq!(home.program("fish", &["--no-config", "-c", script]).ok().stdout(), expected(&home));
}

#[test]
fn powershell_gets_its_own_form() {
    let home = home();
    let text = home.clown(&["profiles", "env", "p", "--shell", "powershell"]).ok().stdout();
    assert!(text.contains("$Env:FAKE_KEY = 'canary-0123456789'\n"), "{text}");
    assert!(text.contains(&format!("$Env:ODD = '{}'\n", ODD.replace('\'', "''"))), "{text}");
    assert!(text.contains("Remove-Item Env:FAKE_LEFTOVER -ErrorAction SilentlyContinue\n"), "{text}");
}

#[test]
fn json_shows_no_key_and_a_referenced_key_is_read_now() {
    let home = home();
    let reply = home.json(&["profiles", "env", "p"]);
    assert_eq!(reply["secret_names"], serde_json::json!(["FAKE_KEY"]));
    assert!(!reply.to_string().contains("canary"), "{reply}");
    home.json(&["profiles", "edit", "p", "--key-ref", "env:MY_KEY"]);
    home.clown(&["profiles", "env", "p"]).fails(1).says("the variable MY_KEY is not set");
    let text = home.clown(&["profiles", "env", "p"]).env("MY_KEY", "second-0123456789").ok().stdout();
    assert!(text.contains("export FAKE_KEY='second-0123456789'\n"), "{text}");
}
