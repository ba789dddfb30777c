//! What clown looks at, what it could not read, and reading all again.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::*;

fn place<'a>(found: &'a Value, agent: &str) -> &'a Value {
    let at = |c: &&Value| c["agent"] == agent && c["files"].as_u64() > Some(0);
    found["collectors"].as_array().unwrap().iter().find(at).unwrap_or_else(|| panic!("{found}"))
}

#[test]
fn the_doctor_counts_logs_lines_and_what_was_skipped_by_kind() {
    let home = TestHome::new();
    let one = Answer { id: "1", at: "2026-11-20T23:30:00Z", input: 7, output: 1 };
    let path = log(&home.home(), "s1", &[one]);
    let good = std::fs::read(&path).unwrap();
    let text: [&[u8]; 6] = [b"no json\n", b"[1]\n", &good[..99], b"\n", b"\xff\xfe\n", &good];
    std::fs::write(&path, text.concat()).unwrap();
    let dir = path.parent().unwrap();
    // None of them blocks, and only the circle is a file that cannot be opened.
    symlink("circle.jsonl", dir.join("circle.jsonl")).unwrap();
    symlink("nothing", dir.join("lost.jsonl")).unwrap();
    std::fs::create_dir(dir.join("directory.jsonl")).unwrap();
    home.program("mkfifo", &[dir.join("pipe.jsonl").to_str().unwrap()]).ok();
    let found = home.json(&["usage", "doctor"]);
    let claude = place(&found, "claude");
    assert_eq!((claude["files"].as_u64(), claude["lines"].as_u64()), (Some(1), Some(5)), "{found}");
    let skipped = ["garbage", "half", "not_text", "too_long", "unknown_version", "unreadable"].map(|kind| claude["skipped"][kind].as_u64());
    assert_eq!(skipped, [Some(2), Some(1), Some(1), Some(0), Some(0), Some(0)]);
    let problems = found["problems"].as_array().unwrap();
    let told = |file: &str| problems.iter().filter(|p| p["file"].as_str().unwrap().ends_with(file)).count();
    assert_eq!((told("s1.jsonl"), told("circle.jsonl"), problems.len()), (3, 1, 4), "{found}");
    let shown = home.clown(&["usage", "doctor"]).ok();
    assert!(shown.stdout().contains("2 no JSON, 1 half, 1 no UTF-8") && shown.stderr().contains("circle.jsonl"), "{}", shown.report());
    assert_eq!(home.json(&["usage", "models"])["totals"]["requests"], 1);
    // What can be read now is no problem any more.
    std::fs::remove_file(dir.join("circle.jsonl")).unwrap();
    std::fs::write(&path, &good).unwrap();
    let found = home.json(&["usage", "doctor"]);
    assert!(found["problems"].as_array().unwrap().is_empty(), "{found}");
    assert_eq!(place(&found, "claude")["skipped"]["garbage"], 0);
}

#[test]
fn the_doctor_counts_what_a_proxy_s_log_has() {
    let home = TestHome::new();
    let agent = home.write("bin/claude", "#!/bin/sh\n");
    std::fs::set_permissions(&agent, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    home.clown(&["profiles", "create", "claude", "work", "--provider", "offline"]).ok();
    let line = |v: u32, id: &str| {
        format!(
            r#"{{"v":{v},"id":"{id}","session":"s","at":1795406773378,"target":"up/*","upstream_model":"m","input":5,"output":1,"outcome":"ok","reply":"msg_{id}"}}"#
        )
    };
    let text = format!("{}\n{}\nnonsense\n{{\"v\":1,\n{}", line(1, "a"), line(2, "b"), line(1, "half"));
    home.write(home.profile_home("claude", "work").join(".ultrallm/usage.jsonl"), &text);
    let found = home.json(&["usage", "doctor"]);
    let proxy = place(&found, "proxy");
    assert_eq!((proxy["profile"].as_str(), proxy["lines"].as_u64()), (Some("work"), Some(4)), "{found}");
    let skipped = ["garbage", "half", "unknown_version"].map(|kind| proxy["skipped"][kind].as_u64());
    assert_eq!(skipped, [Some(1), Some(1), Some(1)]);
    assert_eq!(home.json(&["usage", "profiles"])["totals"]["requests"], 1);
}

#[test]
fn a_rescan_reads_all_again_and_keeps_what_was_told_by_logs_that_are_gone() {
    let home = TestHome::new();
    two_days(&home);
    let gone = log(&home.home(), "s2", &[Answer { id: "3", at: "2026-11-21T11:00:00Z", input: 5, output: 1 }]);
    let requests = || home.json(&["usage", "models"])["totals"]["requests"].as_u64().unwrap();
    assert_eq!(requests(), 3);
    std::fs::remove_file(&gone).unwrap();
    // Changed where nobody looks: the same size at the same time.
    let path = home.home().join(".claude/projects/-w-app/s1.jsonl");
    let (text, time) = (std::fs::read_to_string(&path).unwrap(), std::fs::metadata(&path).unwrap().modified().unwrap());
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    (&file).write_all(text.replace("msg_2", "msg_7").as_bytes()).unwrap();
    file.set_modified(time).unwrap();
    assert_eq!(requests(), 3);
    let scanned = home.json(&["usage", "rescan"]);
    assert!(scanned["bytes_read"].as_u64().unwrap() >= text.len() as u64, "{scanned}");
    assert_eq!((scanned["requests"].as_u64(), requests()), (Some(4), 4));
    assert_eq!(home.json(&["usage", "rescan"])["requests"], 4, "and adds nothing the next time");
}

#[test]
fn a_directory_elsewhere_is_named_by_the_doctor_and_read_once_it_is_a_root() {
    let mut home = TestHome::new();
    two_days(&home);
    let moved = home.work().join("claude elsewhere");
    log(&moved, "s9", &[Answer { id: "9", at: "2026-11-21T11:00:00Z", input: 5, output: 1 }]);
    let dir = moved.join(".claude");
    let requests = |home: &TestHome| home.json(&["usage", "models"])["totals"]["requests"].as_u64().unwrap();
    home.set("CLAUDE_CONFIG_DIR", dir.to_str().unwrap());
    assert_eq!(requests(&home), 2, "a variable of whoever asks changes no sums");
    let shown = home.clown(&["usage", "doctor"]).ok();
    let root = format!("claude={}", dir.display());
    assert!(shown.stderr().contains(&format!("clown config set usage.roots {root}")), "{}", shown.report());

    home.clown(&["config", "set", "usage.roots", "claud=/x"]).fails(1).says("there are claude, codex");
    home.clown(&["config", "set", "usage.roots", "claude=x"]).fails(1).says("absolute");
    home.clown(&["config", "set", "usage.roots", &root]).ok();
    assert_eq!(requests(&home), 3);
    let found = home.json(&["usage", "doctor"]);
    assert!(found["elsewhere"].is_null(), "{found}");
    // Appends there are seen, and nothing is counted twice because two roots lead to it.
    log(&moved, "s9", &[Answer { id: "10", at: "2026-11-21T12:00:00Z", input: 5, output: 1 }]);
    home.clown(&["config", "set", "usage.roots", &format!("{root},{root}")]).ok();
    assert_eq!(requests(&home), 4);
    home.clown(&["config", "unset", "usage.roots"]).ok();
    assert_eq!(requests(&home), 4, "what was read stays counted");
}
