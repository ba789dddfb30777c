//! Ends that nobody planned: signals, and a client or daemon killed in the middle.

use super::{Agent, CLAUDE, CODEX, OPENCODE, new_key, profile_with_key};
use crate::support::{Running, TestHome, Upstream, kill, wait_until};

/// A tool call that lasts until [`Held::release`], so that nothing outlives the test.
struct Held<'a> {
    home: &'a TestHome,
    name: &'a str,
    run: Running,
}

fn hold<'a>(home: &'a TestHome, agent: &Agent, alias: &str, name: &'a str) -> Held<'a> {
    home.write(format!("w/{name}.hold"), "");
    let prompt = format!("[run: touch {name}.on; while test -e {name}.hold; do sleep 0.05; done; echo released]");
    let mut run = agent.run(home, alias, &prompt).start();
    let on = home.work().join(format!("{name}.on"));
    wait_until("the tool call", || on.exists() || run.ended());
    assert!(on.exists(), "it ended before the tool ran\n{}", run.wait().report());
    Held { home, name, run }
}

impl Held<'_> {
    fn release(&self) {
        std::fs::remove_file(self.home.work().join(format!("{}.hold", self.name))).unwrap();
    }
}

/// Measured on the agent alone: exit code or signal after SIGTERM and after SIGINT.
fn dies_as_the_agent_does(agent: &Agent, cases: [(&str, Option<i32>, Option<i32>); 2]) {
    let home = agent.offline();
    std::thread::scope(|scope| {
        for (signal, code, by) in cases {
            let home = &home;
            scope.spawn(move || {
                let alias = format!("p{signal}").to_lowercase();
                home.clown(&["profiles", "clone", "p", &alias]).ok();
                let held = hold(home, agent, &alias, signal);
                let session = home.sessions().into_iter().find(|s| s["profile"] == alias.as_str()).unwrap();
                let agent_pid = u32::try_from(session["process"]["pid"].as_u64().unwrap()).unwrap();
                assert!(
                    home.alive_in(&alias).contains(&agent_pid),
                    "the agent is not found among the processes, so its end would not be seen"
                );
                kill(held.run.pid(), signal);
                if agent.id == "opencode" {
                    // It leaves a running tool behind, also without clown.
                    wait_until("the agent's own end", || !home.alive_in(&alias).contains(&agent_pid));
                    held.release();
                }
                let out = held.run.wait();
                assert_eq!((out.code, out.signal), (code, by), "{signal}: {}", out.report());
                wait_until("the end of every process of the agent", || home.alive_in(&alias).is_empty());
                let session = home.sessions().into_iter().find(|s| s["profile"] == alias.as_str()).unwrap();
                assert_eq!(session["state"], "ended");
                let exit = &session["exit"];
                assert_eq!((exit["code"].as_i64(), exit["signal"].as_i64()), (code.map(Into::into), by.map(Into::into)));
            });
        }
    });
}

#[test]
fn claude_dies_as_it_does_alone() {
    dies_as_the_agent_does(&CLAUDE, [("TERM", Some(143), None), ("INT", Some(0), None)]);
}

#[test]
fn codex_dies_as_it_does_alone() {
    dies_as_the_agent_does(&CODEX, [("TERM", None, Some(15)), ("INT", Some(1), None)]);
}

#[test]
fn opencode_dies_as_it_does_alone() {
    dies_as_the_agent_does(&OPENCODE, [("TERM", None, Some(15)), ("INT", None, Some(2))]);
}

#[test]
fn an_agent_survives_its_client_and_its_record_closes_at_its_end() {
    let home = CLAUDE.offline();
    let held = hold(&home, &CLAUDE, "p", "x");
    kill(held.run.pid(), "KILL");
    let session = &home.sessions()[0];
    assert_eq!(session["state"], "running", "the agent runs on, and so does its record");
    held.release();
    let out = held.run.wait();
    assert_eq!(out.signal, Some(9));
    assert!(out.stdout().contains("offline: the tool said: released"), "the agent did not finish\n{}", out.report());
    wait_until("the end of the record", || home.sessions()[0]["state"] != "running");
    let session = &home.sessions()[0];
    assert_eq!((session["state"].as_str(), session["exit"].as_str()), (Some("lost"), Some("unknown")));
}

#[test]
fn a_run_survives_the_daemon_and_its_record_has_the_true_exit() {
    let home = TestHome::with_agents();
    let upstream = Upstream::start();
    profile_with_key(&home, &CLAUDE, "p", &upstream, &new_key("daemon"), &[]);
    let held = hold(&home, &CLAUDE, "p", "x");
    let before = home.daemons();
    assert_eq!(before.len(), 1);
    kill(before[0], "KILL");
    wait_until("the end of the daemon", || home.daemons().is_empty());
    held.release();
    let out = held.run.wait();
    assert!(out.code == Some(0) && out.stdout().contains("offline: the tool said: released"), "{}", out.report());
    let session = &home.sessions()[0];
    assert_eq!((session["state"].as_str(), session["exit"]["code"].as_i64()), (Some("ended"), Some(0)));
}
