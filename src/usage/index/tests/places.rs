//! What stands in the place of a log, and what was known of one by an older build.

use std::fs;
use std::os::unix::fs::symlink;

use super::{Logs, fixture, rows, sum};
use crate::usage::collect::Problem;
use crate::usage::index::Index;

const LOG: &str = ".claude/projects/-w/S.jsonl";

fn log() -> String {
    fixture("claude-2.1.197-transcript.jsonl")
}

#[test]
fn a_file_that_cannot_be_opened_by_anybody_is_told_until_it_is_gone() {
    let logs = Logs::new();
    logs.write(LOG, log());
    // A link to itself fails for the superuser too.
    let circle = logs.path(".claude/projects/-w/circle.jsonl");
    symlink("circle.jsonl", &circle).unwrap();
    let (mut index, report) = logs.look();
    let told = |index: &Index| index.troubles().map(|trouble| (trouble.path, trouble.problem)).collect::<Vec<_>>();
    assert_eq!(told(&index), [(circle.display().to_string(), Problem::Unreadable)]);
    assert_eq!((report.troubles.len(), sum(&rows(&index)).0), (1, 2));
    fs::remove_file(&circle).unwrap();
    index.scan(&logs.roots()).unwrap();
    assert_eq!(told(&index), []);
}

#[test]
fn a_directory_a_pipe_and_a_link_to_nothing_in_the_place_of_a_log_block_nothing() {
    let logs = Logs::new();
    logs.write(LOG, log());
    logs.write(".claude/projects/-w/directory.jsonl/inner.jsonl", "");
    symlink("nothing", logs.path(".claude/projects/-w/lost.jsonl")).unwrap();
    let pipe = logs.path(".claude/projects/-w/pipe.jsonl");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let (index, report) = logs.look();
    assert_eq!((sum(&rows(&index)).0, report.files_found, report.troubles.len()), (2, 2, 0));
    // A log in whose place a pipe comes, and back.
    fs::rename(logs.path(LOG), logs.path("kept")).unwrap();
    fs::rename(&pipe, logs.path(LOG)).unwrap();
    drop(index);
    assert_eq!(logs.sum().0, 2);
    fs::rename(logs.path("kept"), logs.path(LOG)).unwrap();
    assert_eq!(logs.sum().0, 2);
}

#[test]
fn what_is_no_line_of_a_log_is_counted_by_kind() {
    let logs = Logs::new();
    let good = log();
    let first = good.lines().next().unwrap();
    let mut text = format!("garbage\n42\n{}\n", &first[..first.len() / 2]).into_bytes();
    text.extend_from_slice(b"\xff\xfe\n\n\n");
    text.extend_from_slice(good.as_bytes());
    logs.write(LOG, &text);
    let (index, _) = logs.look();
    let known: Vec<_> = index.logs().collect();
    assert_eq!((known.len(), known[0].lines), (1, text.iter().filter(|byte| **byte == b'\n').count() as u64));
    let met: Vec<_> = known[0].problems().filter(|(_, count)| *count > 0).collect();
    assert_eq!(met, [(Problem::NotJson, 2), (Problem::Half, 1), (Problem::NotText, 1)]);
    assert_eq!(sum(&rows(&index)).0, 2);
}

#[test]
fn a_log_is_read_from_its_start_when_all_is_to_be_read_again() {
    let logs = Logs::new();
    logs.write(LOG, log()).write(".claude/projects/-w/gone.jsonl", fixture("claude-2.1.330-subagent.jsonl"));
    let (mut index, _) = logs.look();
    let before = rows(&index);
    fs::remove_file(logs.path(".claude/projects/-w/gone.jsonl")).unwrap();
    assert_eq!(index.scan(&logs.roots()).unwrap().bytes_read, 0);
    index.forget();
    let report = index.scan(&logs.roots()).unwrap();
    assert!(report.bytes_read >= log().len() as u64 && report.files_read == 1, "{report:?}");
    assert_eq!(rows(&index), before);
    assert_eq!(index.scan(&logs.roots()).unwrap().bytes_read, 0, "only once");
    drop(index);
    assert_eq!(logs.rows(), before);
}
