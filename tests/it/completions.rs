//! Completion in real shells: bash, zsh and fish, asked as a person would.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Out, TestHome};

/// Fails with the way to install it when a shell is missing.
fn needed(program: &str) -> String {
    let found = std::env::split_paths("/usr/local/bin:/usr/bin:/bin").map(|d| d.join(program)).find(|p| p.is_file());
    let found = found.unwrap_or_else(|| panic!("{program} is not installed: run `cargo xtask setup --tests` (apt-get install {program})"));
    found.display().to_string()
}

/// With `clown` on PATH, and patience for a machine that does much at once.
fn home() -> TestHome {
    let mut home = TestHome::new();
    let bin = home.everything().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_clown"), bin.join("clown")).unwrap();
    home.set("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
    home.set("CLOWN_TEST_PATIENCE", "60000");
    home
}

fn with_profiles() -> TestHome {
    let home = home();
    for alias in ["work", "world"] {
        home.clown(&["profiles", "create", "claude", alias, "--provider", "offline"]).ok();
    }
    home
}

fn script(home: &TestHome, shell: &str, name: &str) -> PathBuf {
    let text = home.clown(&["completions", shell]).ok().stdout();
    home.write(name, &text)
}

/// Words that `clown __complete` gives, without their help.
fn asked(home: &TestHome, words: &[&str]) -> Vec<String> {
    let out = home.clown(&[&["__complete"], words].concat()).ok();
    assert!(out.stderr.is_empty(), "{}", out.report());
    out.stdout().lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn names_come_from_a_running_daemon_and_silence_without_one() {
    let home = with_profiles();
    assert_eq!(asked(&home, &["run", "w"]), ["work", "world"]);
    assert_eq!(asked(&home, &["profiles", "create", "clau"]), ["claude"]);
    assert_eq!(asked(&home, &["profiles", "create", "claude", "x", "--provider=zai"]), ["--provider=zai"]);
    let zai: Value = home.json(&["providers", "inspect", "zai"]);
    let models: Vec<&str> = zai["manifest"]["models"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    let mut told = asked(&home, &["profiles", "create", "claude", "x", "--provider", "zai", "--model", ""]);
    told.sort();
    let mut wanted: Vec<String> = models.iter().map(|m| (*m).to_owned()).collect();
    wanted.sort();
    assert!(!wanted.is_empty());
    assert_eq!(told, wanted);
    assert!(asked(&home, &["config", "set", "proxy.fi"]).contains(&"proxy.first_port".to_owned()));
    home.clown(&["daemon", "stop"]).ok();
    assert_eq!(asked(&home, &["run", "w"]), [""; 0]);
    assert_eq!(asked(&home, &["profiles", "cre"]), ["create"], "the grammar is known without a daemon");
    assert_eq!(home.daemons(), [0; 0], "completion starts no daemon");
}

#[test]
fn a_daemon_that_does_not_answer_costs_no_more_than_the_limit() {
    let mut home = with_profiles();
    home.set("CLOWN_TEST_PATIENCE", "50");
    let pid = home.daemon_pid().unwrap();
    crate::support::stop(pid);
    assert_eq!(asked(&home, &["run", "w"]), [""; 0]);
    crate::support::kill(pid, "CONT");
}

#[test]
fn an_unknown_shell_is_told() {
    let out = TestHome::new().clown(&["completions", "fihs"]).fails(2);
    assert!(out.stderr().contains("did you mean fish"), "{}", out.report());
}

fn bash(home: &TestHome, line: &str) -> Out {
    let file = script(home, "bash", "c.bash");
    // What readline does at a press of Tab: break the line at COMP_WORDBREAKS, call the function.
    let ask = format!("source {}\n{}\ntrap 'printf \"<%s>\\n\" \"${{COMPREPLY[@]}}\"' EXIT\n_clown", file.display(), {
        let mut words = Vec::new();
        for word in line.split(' ') {
            let mut rest = word;
            while let Some(at) = rest.find(['=', ':']) {
                words.extend([rest[..at].to_owned(), rest[at..=at].to_owned()]);
                rest = &rest[at + 1..];
            }
            if !rest.is_empty() || !word.contains(['=', ':']) {
                words.push(rest.to_owned());
            }
        }
        let quoted: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
        format!("COMP_WORDS=({}); COMP_CWORD={}", quoted.join(" "), words.len() - 1)
    });
    home.program(&needed("bash"), &["--norc", "-c", &ask]).ok()
}

#[test]
fn bash_completes() {
    let home = with_profiles();
    assert_eq!(bash(&home, "clown run w").stdout(), "<work>\n<world>\n");
    assert_eq!(bash(&home, "clown profiles clo").stdout(), "<clone>\n");
    assert_eq!(bash(&home, "clown profiles create claude x --provider=za").stdout(), "<zai>\n", "bash puts it behind the =");
    assert_eq!(bash(&home, "clown profiles create claude x --isolation=").stdout(), "<home-wrapper>\n<config-dir>\n");
}

#[test]
fn bash_completes_at_a_press_of_tab() {
    let home = with_profiles();
    let file = script(&home, "bash", "c.bash");
    let rc = home.write("rc", &format!("PS1='$ '\nbind 'set enable-bracketed-paste off'\nsource {}\n", file.display()));
    let shell = format!("{} --noprofile --rcfile {} -i", needed("bash"), rc.display());
    let Some(shown) = home.in_terminal(&shell, "clown profiles insp\tworl\t--json\nexit\n") else { return };
    assert!(shown.contains("\"alias\": \"world\""), "{shown}");
}

#[test]
fn zsh_completes_at_a_press_of_tab() {
    let home = with_profiles();
    let file = script(&home, "zsh", "c.zsh");
    home.write("h/.zshrc", &format!("PS1='$ '\nautoload -U compinit\ncompinit -D -u\nsource {}\n", file.display()));
    let shell = format!("{} -i", needed("zsh"));
    let Some(shown) = home.in_terminal(&shell, "clown profiles insp\tworl\t--json\nexit\n") else { return };
    assert!(shown.contains("\"alias\": \"world\""), "{shown}");
}

#[test]
fn fish_completes() {
    let home = with_profiles();
    let file = script(&home, "fish", "c.fish");
    let fish = |line: &str| {
        let ask = format!("source {}; complete -C '{line}'", file.display());
        home.program(&needed("fish"), &["--no-config", "-c", &ask]).ok().stdout()
    };
    assert_eq!(fish("clown run w"), "work\tclaude at offline\nworld\tclaude at offline\n");
    assert!(fish("clown profiles clo").starts_with("clone\t"), "{}", fish("clown profiles clo"));
    assert_eq!(fish("clown completions z"), "zsh\n");
    home.write("w/notes.txt", "");
    assert!(fish("clown run work no").contains("notes.txt"));
}
