//! `clown usage` and `clown budget`, from agents' logs to tables.

mod budget;
mod crash;
mod real;
mod report;
mod upkeep;
mod watch;

use std::{io::Write, path::PathBuf};

use crate::support::TestHome;

/// A line of Claude Code's log.
pub struct Answer {
    pub id: &'static str,
    pub at: &'static str,
    pub input: u64,
    pub output: u64,
}

impl Answer {
    pub fn line(&self, session: &str) -> String {
        let Self { id, at, input, output } = self;
        format!(
            r#"{{"type":"assistant","sessionId":"{session}","cwd":"/w/app","timestamp":"{at}","uuid":"u-{id}","version":"2.1.330","isSidechain":false,"requestId":"req_{id}","message":{{"id":"msg_{id}","type":"message","role":"assistant","model":"claude-opus-5-5","content":[],"stop_reason":"end_turn","usage":{{"input_tokens":{input},"output_tokens":{output},"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"service_tier":"standard"}}}}}}"#
        ) + "\n"
    }
}

/// Appends to a session's log below a home.
pub fn log(home: &std::path::Path, session: &str, answers: &[Answer]) -> PathBuf {
    let dir = home.join(".claude/projects/-w-app");
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join(format!("{session}.jsonl"));
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
    let lines: String = answers.iter().map(|answer| answer.line(session)).collect();
    file.write_all(lines.as_bytes()).unwrap();
    path
}

pub fn two_days(home: &TestHome) {
    let one = Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 1_000_000, output: 1000 };
    let two = Answer { id: "2", at: "2026-11-21T10:00:00Z", input: 500_000, output: 2000 };
    log(&home.home(), "s1", &[one, two]);
}

/// Now, as an agent writes it.
pub fn now() -> &'static str {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    Box::leak(now.into_boxed_str())
}
