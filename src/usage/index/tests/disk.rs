//! The index's own file: what a crash, another program and time do to it.

use std::fs;

use super::{Logs, fixture, rows, sum};
use crate::usage::index::Index;

const FIRST: &str = ".claude/projects/-w/S.jsonl";
const SECOND: &str = ".codex/sessions/rollout-1-01a204c3-d3ff-7013-906e-e30303c8271c.jsonl";

/// An index made in two steps.
fn grown() -> Logs {
    let logs = Logs::new();
    logs.write(FIRST, fixture("claude-2.1.330-transcript-with-subagent.jsonl"));
    drop(logs.look());
    logs.append(FIRST, fixture("claude-2.1.330-subagent.jsonl")).write(SECOND, fixture("codex-0.169-rollout-resumed.jsonl"));
    drop(logs.look());
    logs
}

#[test]
fn what_was_read_is_there_after_a_restart_and_nothing_is_read_again() {
    let logs = grown();
    let (index, report) = logs.look();
    assert_eq!((report.files_read, report.bytes_read, sum(&rows(&index)).0), (0, 0, 7));
    assert_eq!(index.bills().count(), 1);
}

#[test]
fn a_log_s_path_stands_once_in_the_index_for_a_first_reading() {
    let logs = Logs::new();
    logs.write(FIRST, fixture("claude-2.1.330-transcript-with-subagent.jsonl"));
    drop(logs.look());
    let (index, path) = (fs::read(logs.index_file()).unwrap(), logs.path(FIRST).display().to_string());
    assert_eq!(memchr::memmem::find_iter(&index, &path).count(), 1);
    let (index, report) = logs.look();
    assert_eq!((report.files_found, report.files_read), (1, 0));
    assert!(rows(&index).iter().all(|row| row.agent == "claude" && row.file == "S.jsonl"));
}

#[test]
fn an_index_cut_anywhere_gives_the_same_answer_after_the_next_look() {
    let logs = grown();
    let (expected, whole) = (logs.rows(), fs::read(logs.index_file()).unwrap());
    for end in 0..whole.len() {
        fs::write(logs.index_file(), &whole[..end]).unwrap();
        assert_eq!(logs.rows(), expected, "cut at {end}");
    }
}

#[test]
fn a_changed_byte_anywhere_changes_no_answer() {
    let logs = grown();
    let (expected, whole) = (logs.rows(), fs::read(logs.index_file()).unwrap());
    for at in (0..whole.len()).step_by(11) {
        let mut bad = whole.clone();
        bad[at] ^= 0x55;
        fs::write(logs.index_file(), &bad).unwrap();
        assert_eq!(logs.rows(), expected, "changed at {at}");
    }
}

#[test]
fn a_foreign_file_is_set_aside_and_the_index_built_anew() {
    let logs = grown();
    let expected = logs.rows();
    fs::write(logs.index_file(), "something else").unwrap();
    let (index, _) = logs.look();
    assert!(index.was_foreign());
    assert_eq!(rows(&index), expected);
    let kept = fs::read_dir(logs.index_file().parent().unwrap()).unwrap().flatten();
    assert!(kept.map(|entry| fs::read(entry.path()).unwrap()).any(|bytes| bytes == b"something else"));
}

#[test]
fn a_second_process_reads_and_does_not_write() {
    let logs = grown();
    let first = logs.open();
    let before = fs::read(logs.index_file()).unwrap();
    logs.append(FIRST, fixture("claude-2.1.197-transcript.jsonl"));
    let mut second = logs.open();
    second.scan(&logs.roots()).unwrap();
    assert!(first.is_writer() && !second.is_writer());
    assert_eq!((sum(&rows(&second)).0, sum(&rows(&first)).0), (9, 7));
    assert_eq!(fs::read(logs.index_file()).unwrap(), before);
}

#[test]
fn a_rewritten_index_is_the_same_and_no_larger() {
    let logs = grown();
    let mut index = logs.open();
    let (expected, before) = (rows(&index), fs::metadata(logs.index_file()).unwrap().len());
    index.rewrite().unwrap();
    assert!(fs::metadata(logs.index_file()).unwrap().len() < before);
    // And it still grows.
    logs.append(FIRST, fixture("claude-2.1.197-transcript.jsonl"));
    index.scan(&logs.roots()).unwrap();
    drop(index);
    let (index, report) = logs.look();
    assert_eq!((report.bytes_read, sum(&rows(&index)).0), (0, 9));
    assert_eq!(rows(&index).len(), expected.len() + 2);
}

#[test]
fn ten_thousand_requests_take_less_than_a_megabyte() {
    let logs = Logs::new();
    let line = |number: u64| {
        format!(
            "{{\"message\":{{\"id\":\"msg_{number:024}\",\"model\":\"claude-opus-5-5\",\"usage\":{{\"input_tokens\":{},\"output_tokens\":{},\"cache_read_input_tokens\":{},\"cache_creation_input_tokens\":{}}}}},\"requestId\":\"req_{number:024}\",\"type\":\"assistant\",\"timestamp\":\"2026-11-22T10:{:02}:{:02}.123Z\",\"cwd\":\"/home/user/project\",\"sessionId\":\"ec8bbb73-99fa-430c-aee7-4b3b3803703a\"}}\n",
            number % 90,
            number % 4000,
            number * 13 % 200_000,
            number * 7 % 9000,
            number / 60 % 60,
            number % 60
        )
    };
    logs.write(FIRST, (0..10_000).map(line).collect::<String>());
    assert_eq!(logs.sum().0, 10_000);
    let size = fs::metadata(logs.index_file()).unwrap().len();
    assert!(size < 900_000, "{size}");
}

#[cfg(unix)]
#[test]
fn the_index_is_its_user_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let logs = grown();
    assert_eq!(fs::metadata(logs.index_file()).unwrap().permissions().mode() & 0o077, 0);
    let mut index = logs.open();
    index.rewrite().unwrap();
    assert_eq!(fs::metadata(logs.index_file()).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
    let logs = Logs::new();
    logs.write("file", "");
    let error = Index::open(&logs.path("file/index")).err().unwrap().to_string();
    assert!(error.contains("file"), "{error}");
}
