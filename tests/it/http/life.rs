//! Where HTTP is, and what it does to the daemon's life.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use super::web::Web;
use crate::support::{TestHome, wait_until};

#[test]
fn a_taken_port_gives_way_to_another_and_the_true_one_is_told() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let home = TestHome::new();
    home.write(home.root().join("config.toml"), &format!("http.port = {port}\n"));
    let web = Web::of(home);
    assert_ne!(web.port, port);
    let endpoint: Value = serde_json::from_slice(&std::fs::read(web.home.root().join("daemon-endpoint")).unwrap()).unwrap();
    assert_eq!(endpoint["http"], format!("http://127.0.0.1:{}", web.port));
    assert!(web.home.clown(&["daemon", "status"]).ok().stdout().contains(&format!("http://127.0.0.1:{}", web.port)));
    assert_eq!(web.ask("GET", "/healthz", None).text(), r#"{"status":"ok"}"#);
}

#[test]
fn an_address_beyond_this_machine_is_refused_and_the_rest_works() {
    for (line, said) in [
        ("http.bind = \"0.0.0.0\"", "only with TLS"),
        ("http.bind = \"here\"", "no address"),
        ("http.port = 70000", "no port"),
        ("http.enabled = \"off\"", "http.enabled is off"),
    ] {
        let home = TestHome::new();
        home.write(home.root().join("config.toml"), line);
        home.clown(&["daemon", "start"]).ok();
        let status = home.json(&["daemon", "status"]);
        assert!(status["http"].is_null() && status["http_problem"].as_str().unwrap().contains(said), "{line}: {status}");
        let pid = status["pid"].as_u64().unwrap();
        assert_eq!(listening(pid, 0), Vec::<String>::new(), "{line}");
        let out = home.clown(&["ui", "--print"]).run();
        assert!(out.code == Some(1) && out.stderr().contains(said), "{}", out.report());
        assert!(home.clown(&["config", "list"]).ok().stdout().contains("http.port"));
    }
}

/// Addresses at which a process listens for TCP, from /proc. A daemon shows its descriptors to root alone; for others these are all
/// addresses of theirs with this port.
fn listening(pid: u64, port: u16) -> Vec<String> {
    let inodes: Option<Vec<String>> = std::fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|fds| {
        let links = fds.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
        links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect()
    });
    let uid = rustix::process::getuid().as_raw().to_string();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        for line in std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default().lines().skip(1) {
            let parts: Vec<&str> = line.split_whitespace().collect();
            let ours = match &inodes {
                Some(inodes) => inodes.iter().any(|inode| inode == parts[9]),
                None => parts[7] == uid && parts[1].ends_with(&format!(":{port:04X}")),
            };
            if parts[3] == "0A" && ours {
                found.push(parts[1].to_owned());
            }
        }
    }
    found
}

#[test]
fn a_page_finds_the_programs_that_the_latest_client_finds() {
    let mut web = Web::new();
    let installed = |web: &Web| {
        let agents = web.ask("GET", "/api/v1/agents", None).json();
        agents["agents"].as_array().unwrap().iter().any(|a| a["id"] == "claude" && a["installed"].is_object())
    };
    assert!(!installed(&web));
    let program = web.home.write(web.home.work().join("bin/claude"), "#!/bin/sh\necho '2.1.0 (Claude Code)'\n");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    web.home.set("PATH", &path);
    web.home.json(&["ui"]);
    assert!(installed(&web), "the daemon was started with another PATH");
    // Inside a profile PATH and HOME are not the person's.
    web.home.clown(&["profiles", "list"]).env("PATH", "/usr/bin:/bin").env("CLOWN_REAL_HOME", "/nowhere").ok();
    assert!(installed(&web));
}

#[test]
fn the_daemon_listens_at_one_address_and_its_files_are_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let web = Web::new();
    let pid = u64::from(web.home.daemon_pid().unwrap());
    // Little-endian 127.0.0.1 and the port.
    assert_eq!(listening(pid, web.port), [format!("0100007F:{:04X}", web.port)]);
    let mode = std::fs::metadata(web.home.root().join("http-token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_idle_daemon_ends_although_it_listens_and_an_open_connection_idles() {
    let home = TestHome::new();
    home.write(home.root().join("config.toml"), "http.port = 0\ndaemon.idle_timeout = 1\n");
    let web = Web::of(home);
    let idle = web.connect();
    assert_eq!(web.ask("GET", "/api/v1/hello", None).status, 200);
    wait_until("the daemon ends", || web.home.daemons().is_empty());
    assert!(!web.home.root().join("daemon-endpoint").exists());
    drop(idle);
}

#[test]
fn stop_over_http_is_answered_and_ends_the_daemon() {
    let web = Web::new();
    let answer = web.ask("POST", "/api/v1/daemon/stop", Some(&serde_json::json!({})));
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    wait_until("the daemon ends", || web.home.daemons().is_empty());
}

#[test]
fn the_token_outlives_the_daemon() {
    let web = Web::new();
    let before = web.token.clone();
    web.home.clown(&["daemon", "stop"]).ok();
    let Web { home, .. } = web;
    let again = Web::of(home);
    assert_eq!(again.token, before);
    assert_eq!(again.ask("GET", "/api/v1/hello", None).status, 200);
}

#[test]
fn a_setting_says_when_it_holds_and_a_wrong_one_is_refused_at_once() {
    let web = Web::new();
    let set = |key: &str, value: &str| web.home.clown(&["config", "set", key, value]).run();
    for (key, value, said) in
        [("http.port", "70000", "no port"), ("http.bind", "here", "no address"), ("http.bind", "0.0.0.0", "only with TLS")]
    {
        set(key, value).code_is(1).says(said);
    }
    set("http.port", "8766").code_is(0).says("next daemon");
    assert!(!set("otel.interval_seconds", "30").code_is(0).stderr().contains("next daemon"));
}
