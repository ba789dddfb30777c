//! Its end: by signal, by call, by idleness; and what it survives.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::support::{Endpoint, FakeAgent, Kept, TestHome, kill, root_for, stop, wait_until};

fn is_gone(home: &TestHome) -> bool {
    home.daemons().is_empty()
}

#[test]
fn in_the_foreground_it_stays_until_a_signal_and_leaves_nothing() {
    let home = TestHome::new();
    for signal in ["TERM", "INT"] {
        let mut daemon = home.clown(&["daemon", "--stay-alive"]).spawn();
        let mut line = String::new();
        BufReader::new(daemon.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains(&format!("process {}", daemon.id())), "{line}");
        let endpoint = Endpoint::of(&home);
        assert_eq!(endpoint.pid, daemon.id());
        let status = home.json(&["daemon", "status"]);
        assert_eq!(
            (&status["stay_alive"], &status["guards"]),
            (&true.into(), &serde_json::json!(["connection", "request", "--stay-alive"]))
        );
        kill(daemon.id(), signal);
        assert_eq!(daemon.wait().unwrap().code(), Some(0), "SIG{signal}");
        assert!(!endpoint.calls.exists() && !endpoint.events.exists() && !home.root().join("daemon-endpoint").exists());
        assert_eq!(std::fs::read_dir(home.runtime().join("clown")).unwrap().count(), 0, "no socket file stays");
    }
}

#[test]
fn a_second_one_in_the_foreground_gives_way() {
    let home = TestHome::new();
    let first = home.json(&["daemon", "start"])["pid"].clone();
    home.clown(&["daemon", "--stay-alive"]).ok().says(&format!("A daemon runs already as process {first}"));
    assert_eq!(home.daemons().len(), 1);
}

#[test]
fn it_ends_when_idle_and_not_before() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "touch $W/up; while [ ! -e $W/go ]; do sleep 0.05; done");
    home.clown(&["daemon", "stop"]).ok();
    home.clown(&["daemon", "start", "--idle-timeout", "1"]).ok();
    let pid = home.daemons()[0];
    let mut agent = Kept(home.clown(&["run", "p"]).spawn());
    wait_until("the agent", || home.work().join("up").exists());
    // An observer of guards, not of time: the timer runs only when nothing is held.
    let idle_rounds = |home: &TestHome| {
        let start = std::time::Instant::now();
        wait_until("three idle timeouts", || start.elapsed() > std::time::Duration::from_secs(3));
        home.daemons()
    };
    assert_eq!(idle_rounds(&home), [pid], "a session keeps it");
    home.write("w/go", "");
    agent.0.wait().unwrap();
    wait_until("the idle end", || is_gone(&home));
    assert!(!home.root().join("daemon-endpoint").exists());

    home.clown(&["daemon", "start", "--idle-timeout", "1"]).ok();
    let pid = home.daemons()[0];
    let watch = Kept(home.clown(&["watch"]).spawn());
    wait_until("the subscriber", || home.json(&["daemon", "status"])["guards"].to_string().contains("event subscriber"));
    assert_eq!(idle_rounds(&home), [pid], "a watcher keeps it");
    drop(watch);
    wait_until("the idle end", || is_gone(&home));
}

#[test]
fn the_idle_end_loses_no_request() {
    let home = TestHome::new();
    home.clown(&["config", "set", "daemon.idle_timeout", "1"]).ok();
    home.clown(&["daemon", "stop"]).ok();
    let stop = AtomicBool::new(false);
    let ends = std::thread::scope(|scope| {
        let counter = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !stop.load(Ordering::SeqCst) {
                seen.extend(home.daemons());
            }
            seen.len()
        });
        // A request, then a volley around the moment when its daemon ends; in each round a bit later.
        for round in 0..12 {
            home.json(&["profiles", "list"]);
            std::thread::scope(|scope| {
                for shot in 0..24 {
                    let home = &home;
                    scope.spawn(move || {
                        std::thread::sleep(std::time::Duration::from_millis(980 + round * 8 + shot));
                        home.clown(&["profiles", "list", "--json"]).ok()
                    });
                }
            });
        }
        stop.store(true, Ordering::SeqCst);
        counter.join().unwrap()
    });
    assert!(ends >= 3, "only {ends} daemons lived: the end was never met");
}

#[test]
fn stop_lets_the_calls_under_way_finish() {
    let home = TestHome::new();
    home.json(&["daemon", "start"]);
    let slow = home.write("w/slow.rhai", "loop { }");
    let test = home.clown(&["scripts", "test", slow.to_str().unwrap()]).spawn();
    wait_until("the slow call", || home.json(&["daemon", "status"])["guards"].to_string().contains("request (2)"));
    home.clown(&["daemon", "stop"]).ok();
    let out = test.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(String::from_utf8_lossy(&out.stderr).contains("script"), "the script's own failure: {}", String::from_utf8_lossy(&out.stderr));
    assert!(is_gone(&home));
}

#[test]
fn a_change_whose_daemon_is_killed_is_not_sent_again() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "");
    // Setting a profile up runs this script, which ends at its time limit.
    home.write("h/.config/clown/scripts/fake.rhai", "loop { }");
    // The call lasts a second and a half; on a busy machine the look at it, or the kill, may come too late.
    let (mut tried, mut said, mut code) = (0, String::new(), None);
    wait_until("a call to be cut off", || {
        tried += 1;
        let alias = format!("late{tried}");
        let create = home.clown(&["profiles", "create", "fake", &alias, "--provider", "offline"]).spawn();
        // There may be no daemon yet, or no longer.
        let guards = || home.clown(&["daemon", "status", "--json"]).run().json()["guards"].to_string();
        let seen = (0..20).any(|_| guards().contains("request (2)"));
        home.daemons().into_iter().for_each(|pid| kill(pid, "KILL"));
        let out = create.wait_with_output().unwrap();
        said = String::from_utf8_lossy(&out.stderr).into_owned();
        code = out.status.code();
        seen && !said.contains("Too many operations")
    });
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("whether it was done is not known"), "{said}");
}

#[test]
fn stop_is_refused_if_idle_is_asked_and_a_session_runs() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "touch $W/up; while [ ! -e $W/go ]; do sleep 0.05; done; exit 4");
    let mut agent = Kept(home.clown(&["run", "p"]).spawn());
    wait_until("the session", || home.json(&["sessions", "list", "--live"])["sessions"][0]["state"] == "running");
    let guards = home.json(&["daemon", "status"])["guards"].to_string();
    assert!(!guards.contains("connection ("), "a run that waits holds no connection: {guards}");
    home.clown(&["daemon", "stop", "--if-idle"]).run().code_is(1).says("sessions of p are running");
    let pid = home.daemons();
    home.clown(&["daemon", "stop"]).ok();
    assert!(is_gone(&home), "{pid:?}");
    home.write("w/go", "");
    assert_eq!(agent.0.wait().unwrap().code(), Some(4));
}

#[test]
fn a_stopped_daemon_costs_a_clear_error() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    let pid = home.daemons()[0];
    stop(pid);
    for words in [&["profiles", "list"][..], &["daemon", "status"], &["daemon", "stop"]] {
        home.clown(words).run().code_is(1).says("does not answer").says(&format!("kill -KILL {pid}"));
    }
    // The way out that was named.
    kill(pid, "KILL");
    home.json(&["profiles", "list"]);
    assert_ne!(home.daemons(), [pid]);
}

#[test]
fn a_full_queue_of_a_stopped_daemon_blocks_nobody() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    let endpoint = Endpoint::of(&home);
    stop(endpoint.pid);
    let mut queue = Vec::new();
    loop {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK | rustix::net::SocketFlags::CLOEXEC,
            None,
        );
        let Ok(socket) = socket else { break };
        match rustix::net::connect(&socket, &rustix::net::SocketAddrUnix::new(&endpoint.calls).unwrap()) {
            Ok(()) => queue.push(socket),
            Err(_) => break,
        }
    }
    home.clown(&["profiles", "list"]).run().code_is(1).says("does not answer");
    drop(queue);
    kill(endpoint.pid, "KILL");
    home.json(&["profiles", "list"]);
}

#[test]
fn what_it_writes_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = TestHome::new();
    let (root, runtime) = (home.root(), home.runtime().join("clown"));
    let program = env!("CARGO_BIN_EXE_clown");
    home.program("sh", &["-c", &format!("umask 000; exec {program} agents list")]).ok();
    let mode = |path: &std::path::Path| std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    let endpoint = Endpoint::of(&home);
    for file in [
        &endpoint.calls,
        &endpoint.events,
        &root.join("daemon-endpoint"),
        &home.log(),
        &root.join("daemon.lock"),
        &root.join("daemon.startup.lock"),
    ] {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    for dir in [&root, &root.join("logs"), &runtime] {
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
    }
    for inner in std::fs::read_dir(&runtime).unwrap() {
        let path = inner.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_stopped_log_reader_and_a_closed_terminal_do_not_end_it() {
    let home = TestHome::new();
    // Its client's terminal and pipes go away; a hang-up of the client's session must not reach it.
    let mut client = std::process::Command::new("setsid");
    client.args(["-w", env!("CARGO_BIN_EXE_clown"), "agents", "list"]).env_clear().envs(home.env());
    assert!(client.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
    let pid = home.daemons()[0];
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session: u32 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert_eq!(session, pid, "a session of its own");
    for fd in ["0", "1"] {
        match std::fs::read_link(format!("/proc/{pid}/fd/{fd}")) {
            Ok(target) => assert_eq!(target.to_str(), Some("/dev/null")),
            // A daemon's memory and descriptors are closed to its own user too.
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied && !root_for("the descriptors of a daemon") => {}
            Err(e) => panic!("{e}"),
        }
    }
}
