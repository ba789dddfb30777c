//! Records stay true when the client, the daemon or both are killed.

use std::process::Child;

use serde_json::{Value, json};

use crate::support::{FakeAgent, Kept, TestHome, at_once, kill, stop, wait_until};

/// Runs until the file `go` appears, then exits as it says.
const WAITS: &str = "echo $$ > $W/pid.$1; while [ ! -s $W/go ]; do sleep 0.02; done; exit $(cat $W/go)";

fn last(home: &TestHome) -> Value {
    home.json(&["sessions", "list"])["sessions"][0].clone()
}

fn is(home: &TestHome, state: &str) -> bool {
    last(home)["state"] == state
}

/// A run whose record says that its agent runs.
fn running(home: &TestHome) -> (Child, u32) {
    let clown = home.clown(&["run", "p", "0"]).spawn();
    wait_until("the running record", || is(home, "running"));
    let pid = last(home)["process"]["pid"].as_u64().unwrap() as u32;
    wait_until("the agent", || std::fs::read_to_string(home.work().join("pid.0")).is_ok_and(|t| t.trim() == pid.to_string()));
    (clown, pid)
}

fn let_go(home: &TestHome, code: i32) {
    home.write("w/go", &code.to_string());
}

fn kill_daemon(home: &TestHome) {
    home.daemons().into_iter().for_each(|pid| kill(pid, "KILL"));
    wait_until("the end of the daemon", || home.daemons().is_empty());
}

fn kill_client(clown: &mut Child) {
    clown.kill().unwrap();
    clown.wait().unwrap();
}

fn lines(home: &TestHome) -> Vec<String> {
    let text = std::fs::read_to_string(home.root().join("telemetry/sessions.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_client_is_killed() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    let (mut clown, agent) = running(&home);
    kill_client(&mut clown);
    assert!(is(&home, "running"), "the agent still runs");
    let_go(&home, 0);
    wait_until("the end of the record", || !is(&home, "running"));
    let record = last(&home);
    assert_eq!(
        (&record["state"], &record["exit"], &record["process"]["pid"]),
        (&json!("lost"), &json!("unknown"), &json!(agent)),
        "never 0"
    );
}

#[test]
fn the_daemon_is_killed() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    let (clown, _) = running(&home);
    kill_daemon(&home);
    let_go(&home, 42);
    assert_eq!(clown.wait_with_output().unwrap().status.code(), Some(42));
    let record = last(&home);
    assert_eq!((&record["state"], &record["exit"]), (&json!("ended"), &json!({ "code": 42 })));
}

#[test]
fn both_are_killed() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    let (mut clown, agent) = running(&home);
    kill_daemon(&home);
    kill_client(&mut clown);
    let_go(&home, 0);
    wait_until("the agent's end", || !std::path::Path::new(&format!("/proc/{agent}")).exists() || crate::support::is_zombie(agent));
    wait_until("the lost record", || !is(&home, "running"));
    let record = last(&home);
    assert_eq!((&record["state"], &record["exit"]), (&json!("lost"), &json!("unknown")), "never 0");
    assert_eq!(home.json(&["sessions", "list", "--live"])["sessions"], json!([]));
}

#[test]
fn a_new_daemon_takes_a_running_agent_over() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    let (mut clown, agent) = running(&home);
    let before = lines(&home).len();
    kill_daemon(&home);
    home.json(&["daemon", "start"]);
    assert!(is(&home, "running"));
    assert!(home.json(&["daemon", "status"])["guards"].to_string().contains("session of p"));
    kill_client(&mut clown);
    home.clown(&["daemon", "stop"]).ok();
    home.json(&["daemon", "start"]);
    assert!(is(&home, "running"), "also without its client");
    assert_eq!(lines(&home).len(), before, "taking over writes nothing");
    kill(agent, "KILL");
    wait_until("the end of the record", || is(&home, "lost"));
    wait_until("the guard's end", || !home.json(&["daemon", "status"])["guards"].to_string().contains("session"));
}

#[test]
fn a_pid_used_again_is_not_taken_for_the_agent() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    let (mut clown, agent) = running(&home);
    kill_daemon(&home);
    kill_client(&mut clown);
    kill(agent, "KILL");
    // As if the system had given the pid to another process, one that lives: this test.
    let path = home.root().join("telemetry/sessions.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let me = std::process::id();
    assert!(text.contains(&format!("\"pid\":{agent},")), "{text}");
    std::fs::write(&path, text.replace(&format!("\"pid\":{agent},"), &format!("\"pid\":{me},"))).unwrap();
    wait_until("the lost record", || is(&home, "lost"));
}

#[test]
fn an_agent_killed_with_its_client_stopped_is_told_late() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    let (clown, _) = running(&home);
    stop(clown.id());
    let_go(&home, 3);
    // The daemon waits for who saw the end, and gives up at some time.
    wait_until("the lost record", || is(&home, "lost"));
    kill(clown.id(), "CONT");
    assert_eq!(clown.wait_with_output().unwrap().status.code(), Some(3));
    let record = last(&home);
    assert_eq!((&record["state"], &record["exit"]), (&json!("ended"), &json!({ "code": 3 })));
}

#[test]
fn a_client_killed_before_it_told_of_its_agent_is_not_said_to_have_started_none() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, WAITS);
    // A session that is only planned, by a client that then dies.
    let mut client = Kept(std::process::Command::new("sleep").arg("600").spawn().unwrap());
    let mut begin = crate::support::request("runs.begin", "one", json!({ "alias": "p", "args": [] }));
    let path = home.env()[std::ffi::OsStr::new("PATH")].to_str().unwrap();
    begin["caller"] = json!({ "pid": client.0.id(), "cwd": "/", "env": { "PATH": path, "HOME": home.home().to_str().unwrap() } });
    let plan = crate::support::Peer::calls(&crate::support::Endpoint::of(&home).calls).ask(&begin);
    assert!(plan["reply"]["session"].is_string(), "{plan}");
    assert!(is(&home, "starting"));
    kill_client(&mut client.0);
    wait_until("the lost record", || is(&home, "lost"));
    assert_eq!(last(&home)["exit"], "unknown");
}

#[test]
fn torn_and_foreign_lines_are_counted_and_kept() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "exit 0");
    home.clown(&["run", "p"]).ok();
    home.clown(&["daemon", "stop"]).ok();
    let path = home.root().join("telemetry/sessions.jsonl");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"garbage\n{\"id\":\"x\"}\n\xff\xfe\n{\"version\":1,\"id\":\"torn\",\"sta");
    std::fs::write(&path, &bytes).unwrap();
    let listed = home.json(&["sessions", "list"]);
    assert_eq!((listed["bad_lines"].as_u64(), listed["sessions"].as_array().unwrap().len()), (Some(4), 1));
    home.clown(&["sessions", "list"]).ok().says("4 lines of telemetry/sessions.jsonl cannot be read");
    home.clown(&["run", "p"]).ok();
    let after = std::fs::read(&path).unwrap();
    assert!(after.starts_with(&bytes), "nothing is rewritten");
    assert_eq!(after[bytes.len()], b'\n', "the torn line does not swallow the next");
    home.clown(&["daemon", "stop"]).ok();
    let listed = home.json(&["sessions", "list"]);
    assert_eq!((listed["bad_lines"].as_u64(), listed["sessions"].as_array().unwrap().len()), (Some(4), 2));
}

#[test]
fn thirty_runs_at_once_have_thirty_records() {
    const RUNS: usize = 30;
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "exit $1");
    let runs = (0..RUNS).map(|n| home.clown(&["run", "p", &n.to_string()])).collect();
    for (n, out) in at_once(runs).into_iter().enumerate() {
        assert_eq!(out.code, Some(n as i32), "{}", out.report());
    }
    let records = home.json(&["sessions", "list", "--limit", "500"])["sessions"].as_array().unwrap().clone();
    let mut codes: Vec<i64> = records.iter().map(|r| r["exit"]["code"].as_i64().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, (0..RUNS as i64).collect::<Vec<_>>());
    let mut states = std::collections::BTreeMap::<(String, String), usize>::new();
    for line in lines(&home) {
        let line: Value = serde_json::from_str(&line).unwrap();
        // What it used comes in a line of its own, whenever that is known.
        if line["usage"].is_object() {
            continue;
        }
        *states.entry((line["id"].as_str().unwrap().into(), line["state"].as_str().unwrap().into())).or_default() += 1;
    }
    assert_eq!(states.len(), RUNS * 3, "starting, running and ended for each");
    assert!(states.values().all(|n| *n == 1), "each once: {states:?}");
    wait_until("quiet", || !home.json(&["daemon", "status"])["guards"].to_string().contains("session"));
}
