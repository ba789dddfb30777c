//! What goes in reaches the agent, and what the agent says and how it ends comes out.

use super::{Agent, for_each_agent};
use crate::support::agents_dir;

for_each_agent!(answers_on_stdout_alone, runs_a_tool_asked_for_on_stdin, ends_with_the_agents_exit_code, prints_what_the_agent_prints);

fn answers_on_stdout_alone(agent: &Agent) {
    let home = agent.offline();
    let out = agent.run(&home, "p", "hello there").ok();
    // OpenCode puts a message of several words in quotes.
    let said = if agent.id == "opencode" { "\"hello there\"" } else { "hello there" };
    assert_eq!(out.stdout().trim(), format!("offline: you said: {said}"), "{}", out.report());
    let session = &home.sessions()[0];
    let told = ["profile", "agent", "provider", "model", "state"].map(|field| session[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["p", agent.id, "offline", "offline-1", "ended"]);
    assert_eq!((session["exit"]["code"].as_i64(), session["cwd"].as_str()), (Some(0), home.work().to_str()));
}

fn runs_a_tool_asked_for_on_stdin(agent: &Agent) {
    let home = agent.offline();
    let inner = home.work().join("inner dir");
    std::fs::create_dir(&inner).unwrap();
    let mut args = vec!["run", "p"];
    args.extend(agent.ask);
    let out = home.clown(&args).cwd(&inner).stdin(b"[run: pwd > made; printf 'to%s' ld]").ok();
    let made = std::fs::read_to_string(inner.join("made")).unwrap_or_else(|_| panic!("no tool ran\n{}", out.report()));
    assert_eq!(made.trim(), inner.to_str().unwrap());
    assert!(out.stdout().contains("offline: the tool said:") && out.stdout().contains("told"), "{}", out.report());
}

fn ends_with_the_agents_exit_code(agent: &Agent) {
    let home = agent.offline();
    let mut failing = vec!["run", "p", "--"];
    failing.extend(agent.ask);
    failing.push("[fail: 400]");
    let out = home.clown(&failing).run();
    assert_eq!(out.code, Some(1), "{}", out.report());
    let told = format!("{}{}", out.stdout(), out.stderr());
    assert!(told.contains("offline: the prompt asked for status 400"), "it failed for another reason\n{}", out.report());

    let first = if agent.id == "claude" { "--print" } else { agent.ask[0] };
    let out = home.clown(&["run", "p", first, "--no-such-flag"]).run();
    let usage = if agent.id == "codex" { 2 } else { 1 };
    assert_eq!(out.code, Some(usage), "{}", out.report());

    let exits: Vec<_> = home.sessions().iter().map(|s| s["exit"]["code"].as_i64()).collect();
    assert_eq!(exits, [Some(usage.into()), Some(1)]);
}

fn prints_what_the_agent_prints(agent: &Agent) {
    let home = agent.offline();
    let program = agents_dir().join(agent.id);
    for (flag, fence) in [("--version", &[][..]), ("--help", &["--"][..])] {
        let alone = home.program(program.to_str().unwrap(), &[flag]).ok();
        let mut args = vec!["run", "p"];
        args.extend(fence);
        args.push(flag);
        let out = home.clown(&args).ok();
        assert!(alone.stdout.len() + alone.stderr.len() > 5, "{}", alone.report());
        assert!(out.stdout == alone.stdout, "{flag}: stdout is not the agent's own\n{}\n{}", out.report(), alone.report());
        assert!(out.stderr == alone.stderr, "{flag}: stderr is not the agent's own\n{}\n{}", out.report(), alone.report());
    }
}
