//! What newcomers run into, word for word: each ends in one clear next step.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Cmd, TestHome, root_for};

const INIT: &[&str] = &["init", "--agent", "fake", "--alias", "first", "--no-shim", "--provider"];

/// Records what is said, with what differs from run to run taken out.
fn golden(name: &str, home: &TestHome, cmd: Cmd, code: i32) {
    let out = cmd.fails(code);
    let said = out.stderr();
    assert_eq!(said.lines().filter(|l| l.starts_with("error: ")).count(), 1, "{}", out.report());
    assert_eq!(said.lines().filter(|l| l.starts_with("hint: ")).count(), 1, "one next step\n{}", out.report());
    // The name of a temporary file.
    let lines = said.lines().map(|line| line.split(" at path \"").next().unwrap_or(line).to_owned() + "\n");
    golden_text(name, &lines.collect::<String>().replace(&home.everything().display().to_string(), "[DIR]"));
}

fn golden_text(name: &str, said: &str) {
    insta::with_settings!({ snapshot_path => "../../golden/mistakes", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, said);
    });
}

#[test]
fn no_agent() {
    let mut home = TestHome::new();
    home.set("PATH", "/usr/bin:/bin");
    golden("no-agent", &home, home.clown(&["init"]), 1);
    golden("agent-not-installed", &home, home.clown(&["init", "--agent", "codex", "--provider", "offline", "--alias", "x"]), 1);
    assert!(!home.root().join("profiles/x.json").exists());
}

#[test]
fn no_key() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    golden("no-key", &home, home.clown(&[INIT, &["mine"]].concat()), 1);
    golden("no-key-in-the-variable", &home, home.clown(&[INIT, &["mine", "--api-key-env", "MINE_KEY"]].concat()), 1);
}

#[test]
fn no_keychain() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    golden("no-keychain", &home, home.clown(&[INIT, &["mine", "--api-key-stdin"]].concat()).stdin(b"canary-0123456789"), 1);
    assert!(home.files_with(&home.home(), b"canary-0123456789").is_empty());
}

#[test]
fn a_read_only_configuration_and_a_home_that_cannot_be_written() {
    let home = TestHome::with_fake("true");
    home.write("h/.config/clown/profiles", "in the way");
    golden("profiles-in-the-way", &home, home.clown(&[INIT, &["offline"]].concat()), 1);
    home.clown(&["daemon", "stop"]).ok();
    let none = TestHome::new();
    none.write("h/.config/clown", "a file where the tree should be");
    golden("tree-in-the-way", &none, none.clown(&["init"]), 1);
    let shut = TestHome::new();
    std::fs::set_permissions(shut.home(), std::fs::Permissions::from_mode(0o500)).unwrap();
    golden("unwritable-home", &shut, shut.bound(&["init"]), 1);
    std::fs::set_permissions(shut.home(), std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// A mount of the test's own, gone with it.
struct Mounted(std::path::PathBuf);

impl Mounted {
    /// `None`, with a word about it, where this user may not mount.
    fn at(place: &std::path::Path, steps: &[&[&str]]) -> Option<Self> {
        if !root_for("a full disk and a read-only one below the commands of a newcomer") {
            return None;
        }
        std::fs::create_dir_all(place).unwrap();
        for args in steps {
            let mounted = std::process::Command::new("mount").args(*args).arg(place).status();
            assert!(mounted.is_ok_and(|s| s.success()), "root cannot mount at {}", place.display());
        }
        Some(Self(place.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_full_and_one_that_is_read_only() {
    let home = TestHome::with_fake("true");
    home.clown(&["profiles", "create", "fake", "before", "--provider", "offline"]).ok();
    let profiles = home.root().join("profiles");
    let Some(full) = Mounted::at(&profiles, &[&["-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs"]]) else { return };
    std::fs::write(profiles.join("fill"), vec![1; 300_000]).unwrap_err();
    golden("full-disk", &home, home.clown(&[INIT, &["offline"]].concat()), 1);
    assert!(!profiles.join("first.json").exists() && !home.profile_home("fake", "first").exists(), "nothing half done");
    drop(full);
    let root = home.root();
    let (bind, place) = (["--bind", root.to_str().unwrap()], ["-o", "remount,bind,ro"]);
    let Some(_shut) = Mounted::at(&root, &[&bind, &place]) else { return };
    golden("read-only-config", &home, home.clown(&["config", "set", "preferences.word", "one"]), 1);
    golden("read-only-profile", &home, home.clown(&["profiles", "edit", "before", "--env", "A=1"]), 1);
}

#[test]
fn a_key_that_the_provider_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 401 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        }
    });
    let home = TestHome::with_fake("true");
    home.provider(&format!("http://127.0.0.1:{port}"));
    home.clown(&["config", "set", "secrets.backend", "file"]).ok();
    home.clown(&[INIT, &["mine", "--api-key-stdin"]].concat()).stdin(b"sk-wrong-0123456789").ok();
    let said = home.clown(&["providers", "probe", "mine", "--profile", "first"]).fails(1).stderr();
    let plain: String = said.replace(&port.to_string(), "[PORT]");
    let time = plain.find(" (").filter(|at| plain[*at..].contains(" ms)"));
    let at = plain.rfind(" (").filter(|_| time.is_some()).unwrap();
    let end = at + plain[at..].find(')').unwrap() + 1;
    golden_text("wrong-key", &format!("{}{}", &plain[..at], &plain[end..]));
}

#[test]
fn an_agent_that_is_too_old() {
    let mut home = TestHome::new();
    let program = home.write("bin/claude", "#!/bin/sh\necho '1.0.3 (Claude Code)'\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.set("PATH", &format!("{}:/usr/bin:/bin", program.parent().unwrap().display()));
    home.clown(&["profiles", "create", "claude", "old", "--provider", "offline"]).ok();
    home.clown(&["agents", "detect"]).ok();
    let said = home.clown(&["doctor"]).run().stdout();
    let mut lines = said.lines().skip_while(|line| !line.contains("1.0.3"));
    let told: Vec<&str> = lines.by_ref().take(2).map(str::trim_end).collect();
    golden_text("old-agent", &told.join("\n").replace(&home.everything().display().to_string(), "[DIR]"));
}

#[test]
fn a_shell_that_nobody_completes_for() {
    let home = TestHome::new();
    golden("wrong-shell", &home, home.clown(&["completions", "tcsh"]), 2);
    golden("own-shell-unknown", &home, home.clown(&["completions"]).env("SHELL", "/bin/tcsh"), 2);
    golden("no-shell", &home, home.clown(&["completions"]), 2);
    assert!(home.clown(&["completions"]).env("SHELL", "/usr/bin/zsh").ok().stdout().contains("compdef"));
}

#[test]
fn a_port_that_is_taken() {
    let home = TestHome::with_fake("true");
    home.provider("http://127.0.0.1:9");
    let foreign = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port().to_string();
    for (name, value) in [("secrets.backend", "file"), ("proxy.last_port", &port), ("proxy.first_port", &port)] {
        home.json(&["config", "set", name, value]);
    }
    home.clown(&["profiles", "create", "fake", "p", "--provider", "mine", "--proxy", "--api-key-stdin"]).stdin(b"canary-0123456789").ok();
    let said = home.clown(&["run", "p"]).fails(1).stderr();
    assert_eq!(said.lines().filter(|l| l.starts_with("hint: ")).count(), 1, "{said}");
    golden_text("port-taken", &said.replace(&port, "[PORT]"));
}

#[test]
fn a_launcher_directory_that_is_a_file_leaves_the_profile() {
    let home = TestHome::with_fake("true");
    home.write("h/.local/bin", "in the way");
    let args = ["init", "--agent", "fake", "--provider", "offline", "--alias", "first", "--yes"];
    home.clown(&args).ok().says("no launcher was installed").says("Run it: clown run first");
}
