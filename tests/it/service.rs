//! The daemon as a service: what is written, what systemd thinks of it, and what the daemon tells a service manager.

use std::{
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{TestHome, kill, wait_until};

/// A `systemctl` that writes down what it was told and ends with the code in `code`.
fn with_systemctl(code: i32) -> TestHome {
    let mut home = TestHome::new();
    let file =
        home.write("bin/systemctl", &format!("#!/bin/sh\necho \"$@\" >> {}/told\necho active\nexit {code}\n", home.work().display()));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.set("PATH", &format!("{}:/usr/bin:/bin", file.parent().unwrap().display()));
    home
}

fn told(home: &TestHome) -> Vec<String> {
    std::fs::read_to_string(home.work().join("told")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn unit(home: &TestHome) -> PathBuf {
    PathBuf::from(home.json(&["service", "status"])["file"].as_str().unwrap())
}

#[test]
fn install_writes_a_unit_that_systemd_takes_and_uninstall_leaves_nothing() {
    let home = with_systemctl(0);
    let file = unit(&home);
    assert!(file.starts_with(home.home().join(".config/systemd/user")), "{}", file.display());
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    home.clown(&["service", "install", "--print"]).ok();
    assert!(!file.exists() && told(&home).is_empty(), "--print only prints");
    home.clown(&["daemon", "start"]).ok();
    let done = home.json(&["service", "install"]);
    assert_eq!((done["installed"].as_bool(), done["current"].as_bool(), done["active"].as_str()), (Some(true), Some(true), Some("active")));
    let calls: Vec<String> = ["daemon-reload", &format!("enable {name}"), &format!("restart {name}")].map(|c| format!("--user {c}")).into();
    assert_eq!(told(&home)[..3], calls);
    assert_eq!(home.daemons(), [0; 0], "an idle daemon makes room for the service's");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&format!("CLOWN_HOME={}", home.root().display())), "{text}");
    let analyze = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].into_iter().find(|p| Path::new(p).exists());
    let analyze = analyze.expect("systemd-analyze is not installed: run `cargo xtask setup --tests` (apt-get install systemd)");
    let verified = home.program(analyze, &["--user", "verify", file.to_str().unwrap()]).ok();
    assert!(!verified.stderr().contains(&name), "systemd has something to say: {}", verified.report());
    let wrong = home.write("w/wrong.service", &text.replace("Type=notify", "Type=notice"));
    let refused = home.program(analyze, &["--user", "verify", wrong.to_str().unwrap()]).run();
    assert!(refused.stderr().contains("wrong.service"), "a wrong unit is seen: {}", refused.report());

    home.write(&file, &text.replace("WatchdogSec=60", "WatchdogSec=5"));
    assert_eq!(home.json(&["service", "status"])["current"], false);
    home.clown(&["service", "uninstall"]).ok();
    assert!(!file.exists());
    assert!(told(&home).contains(&format!("--user disable --now {name}")));
    home.clown(&["service", "uninstall"]).ok();
}

#[test]
fn a_failed_install_leaves_the_former_state_and_a_foreign_file_is_never_replaced() {
    let home = with_systemctl(1);
    let file = unit(&home);
    let failed = home.clown(&["service", "install"]).fails(1);
    assert!(failed.stderr().contains("--no-start"), "{}", failed.report());
    assert!(!file.exists());
    home.clown(&["service", "install", "--no-start"]).ok();
    let old = std::fs::read_to_string(&file).unwrap().replace("WatchdogSec=60", "WatchdogSec=5");
    home.write(&file, &old);
    home.clown(&["service", "install"]).fails(1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);
    home.write(&file, "[Service]\nExecStart=/bin/true\n");
    for words in [["service", "install"], ["service", "uninstall"]] {
        let out = home.clown(&words).fails(1);
        assert!(out.stderr().contains("was not written by clown"), "{}", out.report());
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[Service]\nExecStart=/bin/true\n");
}

#[test]
fn the_daemon_tells_its_manager_when_it_is_ready_lives_and_ends() {
    let home = TestHome::new();
    let path = home.runtime().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let hear = || {
        let mut bytes = [0; 1024];
        let read = socket.recv(&mut bytes).expect("the daemon says nothing");
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    };
    let daemon =
        home.clown(&["daemon", "--stay-alive"]).env("NOTIFY_SOCKET", path.to_str().unwrap()).env("WATCHDOG_USEC", "600000").start();
    let first = hear();
    assert!(first.lines().any(|l| l == "READY=1") && first.contains("STATUS=listens at ipc://"), "{first}");
    home.clown(&["daemon", "status"]).ok();
    for _ in 0..2 {
        assert_eq!(hear().trim(), "WATCHDOG=1");
    }
    // Whoever takes the socket away takes the sign of life away.
    let endpoint: serde_json::Value = serde_json::from_slice(&std::fs::read(home.root().join("daemon-endpoint")).unwrap()).unwrap();
    std::fs::remove_file(endpoint["ipc"].as_str().unwrap().strip_prefix("ipc://").unwrap()).unwrap();
    wait_until("it notices", || std::fs::read_to_string(home.log()).is_ok_and(|log| log.contains("does not answer itself")));
    socket.set_nonblocking(true).unwrap();
    while socket.recv(&mut [0; 64]).is_ok() {}
    socket.set_nonblocking(false).unwrap();
    kill(daemon.pid(), "TERM");
    let last = hear();
    assert_eq!(last.trim(), "STOPPING=1", "and no sign of life in between");
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn without_a_manager_nothing_is_told() {
    let home = TestHome::new();
    home.clown(&["daemon", "start"]).ok();
    assert!(!std::fs::read_to_string(home.log()).unwrap().contains("service manager"));
}
