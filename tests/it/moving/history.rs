//! Transcripts: with an export, with a clone, and one by one. What was used is counted once.

use serde_json::Value;

use super::{export, home, import};
use crate::{
    agents::{Agent, CLAUDE, for_each_agent},
    support::TestHome,
    usage::{Answer, log},
};

const ONE: &str = "1b671a64-40d5-491e-99b0-da01ff1f3341";
const TWO: &str = "2c671a64-40d5-491e-99b0-da01ff1f3342";

fn two_profiles() -> TestHome {
    let home = home();
    for alias in ["a", "b"] {
        home.clown(&["profiles", "create", "claude", alias, "--provider", "offline"]).ok();
    }
    let at = home.profile_home("claude", "a");
    log(&at, ONE, &[Answer { id: "1", at: "2026-11-20T10:00:00Z", input: 1000, output: 10 }]);
    log(&at, TWO, &[Answer { id: "2", at: "2026-11-20T11:00:00Z", input: 500, output: 5 }]);
    home.write(at.join(format!(".claude/projects/-w-app/{ONE}/subagents/agent-1.meta.json")), "{}");
    home.write(at.join(format!(".claude/file-history/{ONE}/x")), "former");
    home
}

fn totals(home: &TestHome) -> (u64, u64) {
    let totals = &home.json(&["usage", "models"])["totals"];
    (totals["requests"].as_u64().unwrap(), totals["total_tokens"].as_u64().unwrap())
}

#[test]
fn a_moved_session_is_in_its_new_profile_and_counts_once() {
    let home = two_profiles();
    assert_eq!(totals(&home), (2, 1515));
    let moved = home.json(&["sessions", "move", "1b67", "--to", "b"]);
    assert_eq!((moved["from"].as_str(), moved["files"].as_array().map(Vec::len)), (Some("a"), Some(3)), "{moved}");
    let at = |alias: &str, path: &str| home.profile_home("claude", alias).join(".claude").join(path);
    let paths = [
        format!("projects/-w-app/{ONE}.jsonl"),
        format!("projects/-w-app/{ONE}/subagents/agent-1.meta.json"),
        format!("file-history/{ONE}/x"),
    ];
    for path in &paths {
        assert!(at("b", path).is_file() && !at("a", path).exists(), "{path}");
    }
    assert!(at("a", &format!("projects/-w-app/{TWO}.jsonl")).is_file(), "the other stays");
    assert_eq!(totals(&home), (2, 1515));
    home.clown(&["usage", "rescan"]).ok();
    assert_eq!(totals(&home), (2, 1515));
    // It goes on where it is now.
    log(&home.profile_home("claude", "b"), ONE, &[Answer { id: "3", at: "2026-11-20T12:00:00Z", input: 7, output: 1 }]);
    assert_eq!(totals(&home), (3, 1523));
    home.clown(&["sessions", "move", "1b67", "--to", "b"]).fails(1).says("profile b has it already");
    let copied = home.json(&["sessions", "move", TWO, "--to", "b", "--copy"]);
    assert_eq!(copied["copied"], true);
    assert_eq!(totals(&home), (3, 1523), "a copy counts once");
}

#[test]
fn what_cannot_be_moved_is_told() {
    let home = two_profiles();
    home.clown(&["sessions", "move", "ffff0000", "--to", "b"]).fails(1).says("no profile of claude has a session");
    home.clown(&["sessions", "move", "1b", "--to", "b"]).fails(1).says("at least 4");
    home.clown(&["sessions", "move", ONE, "--to", "nobody"]).fails(1).says("not found");
    log(&home.profile_home("claude", "b"), ONE, &[Answer { id: "9", at: "2026-11-20T12:00:00Z", input: 7, output: 1 }]);
    home.clown(&["sessions", "move", ONE, "--to", "b"]).fails(1).says("in another form");
    home.clown(&["profiles", "create", "claude", "c", "--provider", "offline"]).ok();
    home.clown(&["sessions", "move", ONE, "--to", "c"]).fails(1).says("--from ALIAS");
    home.clown(&["sessions", "move", ONE, "--to", "c", "--from", "b"]).ok();
}

#[test]
fn a_clone_and_an_import_with_history_count_nothing_twice() {
    let home = two_profiles();
    let before = totals(&home);
    home.clown(&["profiles", "clone", "a", "c", "--with-history"]).ok();
    assert!(home.profile_home("claude", "c").join(format!(".claude/projects/-w-app/{ONE}.jsonl")).is_file());
    assert_eq!(totals(&home), before);
    home.clown(&["profiles", "clone", "a", "d"]).ok();
    assert!(!home.profile_home("claude", "d").join(".claude/projects").exists());
    let file = export(&home, &["--with-history", "--profile", "a"]);
    import(&home, &file, &["--on-conflict", "rename"]);
    assert!(home.profile_home("claude", "a-2").join(format!(".claude/projects/-w-app/{TWO}.jsonl")).is_file());
    assert_eq!(totals(&home), before);
    let other = TestHome::new();
    import(&other, &file, &[]);
    assert_eq!(totals(&other), before, "in a home that has not seen it, it counts");
}

/// Real Claude Code, on the local model: it goes on in another home with what was said in the first.
#[test]
fn claude_code_resumes_in_another_home_and_in_another_profile() {
    let one = CLAUDE.offline();
    one.clown(&["run", "p", "-p", "remember the word walrus"]).ok();
    let transcript = || -> String {
        let found = one.files_with(&one.profile_home("claude", "p").join(".claude/projects"), b"walrus");
        found.iter().find_map(|p| p.file_stem()?.to_str().map(str::to_owned)).unwrap()
    };
    let id = transcript();
    let two = TestHome::with_agents();
    import(&two, &export(&one, &["--with-history"]), &[]);
    // The same place of work: transcripts are kept by directory.
    let resume = |home: &TestHome, alias: &str| -> Value {
        let args = ["run", alias, "--resume", &id, "-p", "and now", "--output-format", "json"];
        home.clown(&args).cwd(&one.work()).ok().json()
    };
    assert_eq!(resume(&two, "p")["session_id"], id.as_str());
    let resumed = two.files_with(&two.profile_home("claude", "p").join(".claude/projects"), b"and now");
    assert!(resumed.iter().any(|p| std::fs::read_to_string(p).unwrap().contains("walrus")), "it went on with what was said");
    one.clown(&["profiles", "create", "claude", "q", "--provider", "offline"]).ok();
    one.clown(&["sessions", "move", &id, "--to", "q"]).ok();
    assert_eq!(resume(&one, "q")["session_id"], id.as_str());
    one.clown(&["run", "p", "--resume", &id, "-p", "gone"]).cwd(&one.work()).fails(1);
}

for_each_agent!(goes_on_in_another_home);

/// Each real agent, on the local model: the last session of the directory goes on where its history was taken to.
fn goes_on_in_another_home(agent: &Agent) {
    let one = agent.offline();
    agent.run(&one, "p", "remember the word walrus").ok();
    let two = TestHome::with_agents();
    import(&two, &export(&one, &["--with-history"]), &[]);
    let resumed: &[&str] = match agent.id {
        "claude" => &["-c", "-p"],
        "codex" => &["exec", "--skip-git-repo-check", "-s", "danger-full-access", "resume", "--last"],
        _ => &["run", "-c"],
    };
    two.clown(&[&["run", "p"], resumed, &["and then pelican"]].concat()).cwd(&one.work()).ok();
    let home = two.profile_home(agent.id, "p");
    if agent.id == "opencode" {
        let database = rusqlite::Connection::open(home.join(".local/share/opencode/opencode.db")).unwrap();
        let sessions: u32 = database.query_row("select count(*) from session", [], |row| row.get(0)).unwrap();
        assert_eq!(sessions, 1, "it began another session");
    } else {
        let both = two.files_with(&home, b"walrus").into_iter().filter(|file| {
            let name = file.display().to_string();
            name.ends_with(".jsonl") && !name.ends_with("history.jsonl") && std::fs::read_to_string(file).unwrap().contains("pelican")
        });
        assert_eq!(both.count(), 1, "it began another transcript");
    }
    let totals = |home: &TestHome| home.json(&["usage", "models"])["totals"]["requests"].as_u64().unwrap();
    assert!(totals(&two) > totals(&one), "what came along counts in the other home, and what was added");
}
