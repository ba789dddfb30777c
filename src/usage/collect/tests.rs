//! Where logs are looked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Home, Shape, collector, collectors};

/// Places below `/h` with these variables, sorted.
fn places(word: &str, env: &[(&str, &str)]) -> Vec<String> {
    let env: BTreeMap<&str, &str> = env.iter().copied().collect();
    let home = Home { path: Path::new("/h"), profile: None, env: &|name| env.get(name).map(|value| (*value).to_owned()) };
    let mut places: Vec<String> =
        collector(word).unwrap().roots(&home).iter().map(|path| path.to_str().unwrap().replace('\\', "/")).collect();
    places.sort();
    places
}

#[test]
fn each_agent_s_usual_place_is_below_its_home() {
    let expected = [
        ("claude", &["/h/.claude/projects", "/h/.config/claude/projects"][..]),
        ("codex", &["/h/.codex/archived_sessions", "/h/.codex/sessions"]),
        ("opencode", &["/h/.local/share/opencode/storage/message"]),
        ("gemini", &["/h/.gemini/tmp"]),
        ("qwen", &["/h/.qwen/projects", "/h/.qwen/usage"]),
        ("copilot", &["/h/.copilot/session-state"]),
        ("droid", &["/h/.factory/sessions"]),
        ("kimi", &["/h/.kimi-code/sessions", "/h/.kimi/sessions"]),
        ("pi", &["/h/.omp/agent/sessions", "/h/.pi/agent/sessions"]),
        ("grok", &["/h/.grok/sessions"]),
        ("amp", &["/h/.local/share/amp/threads"]),
    ];
    assert_eq!(expected.len(), collectors().len());
    for (word, usual) in expected {
        assert_eq!(places(word, &[]), usual, "{word}");
    }
}

#[test]
fn variables_move_logs_and_may_name_several_directories() {
    assert_eq!(places("claude", &[("CLAUDE_CONFIG_DIR", "/a, /b/projects ,")]), ["/a/projects", "/b/projects"]);
    assert_eq!(places("claude", &[("XDG_CONFIG_HOME", "/x")]), ["/h/.claude/projects", "/x/claude/projects"]);
    let codex = ["/a/archived_sessions", "/a/sessions", "/b/archived_sessions", "/b/sessions"];
    assert_eq!(places("codex", &[("CODEX_HOME", "/a,/b")]), codex);
    assert_eq!(places("opencode", &[("XDG_DATA_HOME", "/x")]), ["/x/opencode/storage/message"]);
    assert_eq!(places("opencode", &[("OPENCODE_DATA_DIR", "/o"), ("XDG_DATA_HOME", "/x")]), ["/o/storage/message"]);
    assert_eq!(places("gemini", &[("GEMINI_CLI_HOME", "/g"), ("GEMINI_DATA_DIR", "/d")]), ["/d/tmp", "/g/.gemini/tmp"]);
    assert_eq!(places("amp", &[("XDG_DATA_HOME", "/x")]), ["/x/amp/threads"]);
    let moved = [
        ("copilot", "COPILOT_HOME", "/m/session-state"),
        ("droid", "DROID_SESSIONS_DIR", "/m"),
        ("grok", "GROK_HOME", "/m/sessions"),
        ("amp", "AMP_DATA_DIR", "/m/threads"),
    ];
    for (word, variable, place) in moved {
        assert_eq!(places(word, &[(variable, "/m")]), [place], "{word}");
    }
    assert_eq!(places("qwen", &[("QWEN_DATA_DIR", "/m")]), ["/m/projects", "/m/usage"]);
    assert!(places("kimi", &[("KIMI_CODE_HOME", "/m")]).contains(&"/m/sessions".to_owned()));
    assert!(places("pi", &[("PI_AGENT_DIR", "/m")]).contains(&"/m".to_owned()));
}

#[test]
fn every_database_of_opencode_is_one_and_nothing_else_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().join(".local/share/opencode");
    std::fs::create_dir_all(&base).unwrap();
    for name in ["opencode.db", "opencode-dev.db", "opencode.db-wal", "auth.json"] {
        std::fs::write(base.join(name), "").unwrap();
    }
    let opencode = collector("opencode").unwrap();
    let home = Home { path: dir.path(), profile: None, env: &|_| None };
    let mut found: Vec<PathBuf> = opencode.roots(&home).into_iter().filter(|path| path.is_file()).collect();
    found.sort();
    assert_eq!(found, [base.join("opencode-dev.db"), base.join("opencode.db")]);
    assert!(found.iter().all(|path| opencode.shape(path) == Some(Shape::Database)));
    assert_eq!(opencode.shape(&base.join("auth.json")), None);
}

#[test]
fn files_beside_logs_are_no_logs() {
    let shape = |word: &str, path: &str| collector(word).unwrap().shape(Path::new(path));
    for path in ["/h/.claude/projects/-w/S/subagents/workflows/w1/agent-1.jsonl", "/h/.claude/projects/-w/agent-1.jsonl"] {
        assert_eq!(shape("claude", path), Some(Shape::Lines), "{path}");
    }
    assert_eq!(shape("claude", "/h/.claude/projects/-w/S/subagents/agent-1.meta.json"), None);
    assert_eq!(shape("claude", "/h/.claude/history.jsonl"), None);
    assert_eq!(shape("codex", "/h/.codex/history.jsonl"), None);
    assert_eq!(shape("codex", "/h/.codex/sessions/2026/rollout-x.jsonl.zst"), Some(Shape::PackedLines));
    assert_eq!(shape("qwen", "/h/.qwen/projects/p/other.jsonl"), None);
    assert_eq!(shape("qwen", "/h/.qwen/usage/other.jsonl"), None);
    assert_eq!(shape("droid", "/h/.factory/sessions/-w/s.jsonl"), None);
}
