//! What must hold for any logs: the answer depends on what was told, not on when and how it was read.

use std::fs;

use super::{Logs, Seen, fixture, orders, roots_of, rows, sum};

const CODEX: &str = ".codex/sessions/2026/11/22/rollout-2026-11-22T19-37-52-01a204c3-d3ff-7013-906e-e30303c8271c.jsonl";

/// Logs of several agents, with copies, snapshots, a side chain's replay and garbage.
fn corpus() -> Vec<(String, String)> {
    let two = fixture("claude-2.1.330-two-blocks-one-message.jsonl");
    let main = fixture("claude-2.1.330-transcript-with-subagent.jsonl");
    let grown = two.replacen("\"output_tokens\":222", "\"output_tokens\":3", 1);
    let replay = two.replace("\"isSidechain\":false", "\"isSidechain\":true").replace("req_fake_51", "req_fake_99");
    [
        (".claude/projects/-w/A.jsonl", replay),
        (".claude/projects/-w/B.jsonl", format!("{grown}garbage\n{main}")),
        (".claude/projects/-w/C/subagents/agent-1.jsonl", fixture("claude-2.1.330-subagent.jsonl")),
        (CODEX, fixture("codex-0.169-rollout-resumed.jsonl")),
        (".gemini/tmp/p/chats/session-1.jsonl", fixture("gemini-0.61-chat.jsonl")),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec()
}

fn all() -> Vec<Seen> {
    let logs = Logs::new();
    corpus().iter().for_each(|(name, text)| drop(logs.write(name, text).look()));
    logs.rows()
}

#[test]
fn files_in_any_order_are_the_same_as_all_at_once() {
    let logs = Logs::new();
    for (name, text) in corpus() {
        logs.write(&name, text);
    }
    let expected = logs.rows();
    assert_eq!(sum(&expected).0, 11);
    for order in orders(&corpus()) {
        let logs = Logs::new();
        let mut index = logs.open();
        for (name, text) in &order {
            logs.write(name, text);
            index.scan(&logs.roots()).unwrap();
        }
        assert_eq!(rows(&index), expected);
    }
}

#[test]
fn logs_that_grow_by_any_bytes_are_the_same_as_whole_ones() {
    let expected = all();
    for step in [1, 7, 613] {
        let logs = Logs::new();
        let mut index = logs.open();
        for (name, text) in corpus() {
            // Byte by byte where lines end, since that is where things go wrong.
            let bytes = text.as_bytes();
            let mut at = 0;
            while at < bytes.len() {
                let near = |byte: &u8| *byte == b'\n';
                let close = bytes[at..].iter().take(3).any(near) || bytes[..at].iter().rev().take(3).any(near);
                let next = (at + if close || step > 1 { step } else { 257 }).min(bytes.len());
                logs.append(&name, &bytes[at..next]);
                index.scan(&logs.roots()).unwrap();
                at = next;
            }
        }
        assert_eq!(rows(&index), expected, "{step}");
        drop(index);
        assert_eq!(rows(&logs.open()), expected, "{step}");
    }
}

#[test]
fn a_log_that_is_written_while_it_is_read_tells_all_in_the_end() {
    let expected = all();
    let logs = Logs::new();
    let mut index = logs.open();
    let written = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (name, text) in corpus() {
                for piece in text.as_bytes().chunks(97) {
                    logs.append(&name, piece);
                }
            }
            written.store(true, order);
        });
        let mut before = 0;
        while !written.load(order) {
            index.scan(&logs.roots()).unwrap();
            let now = sum(&rows(&index)).0;
            assert!(now >= before, "what was counted stays");
            before = now;
        }
    });
    index.scan(&logs.roots()).unwrap();
    assert_eq!(rows(&index), expected);
}

#[test]
fn what_is_gone_stays_counted_and_what_comes_back_adds_nothing() {
    let logs = Logs::new();
    for (name, text) in corpus() {
        logs.write(&name, text);
    }
    let expected = logs.rows();
    for (name, text) in corpus() {
        fs::remove_file(logs.path(&name)).unwrap();
        assert_eq!(logs.rows(), expected);
        logs.write(&name, text);
        assert_eq!(logs.rows(), expected);
    }
    fs::remove_dir_all(logs.home()).unwrap();
    assert_eq!(logs.rows(), expected);
}

#[test]
fn a_log_that_moves_is_not_read_again() {
    let logs = Logs::new();
    logs.write(CODEX, fixture("codex-0.169-rollout-resumed.jsonl"));
    let before = logs.sum();
    fs::create_dir_all(logs.path(".codex/archived_sessions")).unwrap();
    let name = CODEX.rsplit('/').next().unwrap();
    fs::rename(logs.path(CODEX), logs.path(&format!(".codex/archived_sessions/{name}"))).unwrap();
    let (index, report) = logs.look();
    assert_eq!((sum(&rows(&index)), report.bytes_read), (before, 0));
}

/// The same directories as lists of things that happen to logs, in every order.
#[test]
fn whatever_happens_to_logs_in_any_order_the_answer_is_the_same() {
    type Happens = fn(&Logs);
    fn packed(logs: &Logs) {
        let (plain, to) = (logs.path(CODEX), logs.path(&format!("{CODEX}.zst")));
        // Wherever it is by now.
        let Ok(text) = fs::read(&plain) else { return };
        fs::write(to, ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest)).unwrap();
        fs::remove_file(plain).unwrap();
    }
    fn archived(logs: &Logs) {
        let name = CODEX.rsplit('/').next().unwrap();
        fs::create_dir_all(logs.path(".codex/archived_sessions")).unwrap();
        for ending in ["", ".zst"] {
            let to = logs.path(&format!(".codex/archived_sessions/{name}{ending}"));
            let _ = fs::rename(logs.path(&format!("{CODEX}{ending}")), to);
        }
    }
    fn renamed(logs: &Logs) {
        fs::rename(logs.path(".claude/projects/-w"), logs.path(".claude/projects/-elsewhere")).unwrap();
    }
    fn restored(logs: &Logs) {
        write_all(logs);
    }
    fn deleted(logs: &Logs) {
        fs::remove_dir_all(logs.path(".gemini")).unwrap();
    }
    let all: [Happens; 5] = [packed, archived, renamed, restored, deleted];
    let mut expected = Vec::new();
    for (number, order) in orders(&[0, 1, 2, 3, 4]).into_iter().enumerate() {
        let logs = Logs::new();
        write_all(&logs);
        let mut index = logs.open();
        index.scan(&logs.roots()).unwrap();
        if number == 0 {
            expected = billed(&rows(&index));
        }
        for at in &order {
            all[*at](&logs);
            // Half of them are seen by another process.
            if number % 2 == 0 {
                drop(index);
                index = logs.open();
            }
            index.scan(&logs.roots()).unwrap();
            assert_eq!(billed(&rows(&index)), expected, "{order:?} at {at}");
        }
    }
}

fn write_all(logs: &Logs) {
    for (name, text) in corpus() {
        logs.write(&name, text);
    }
}

/// What counts of rows, whatever their file is called by now.
fn billed(rows: &[Seen]) -> Vec<(String, crate::usage::record::Bill)> {
    rows.iter().map(|row| (row.record.key.to_string(), row.record.bill)).collect()
}

#[test]
fn a_log_that_was_replaced_is_read_from_its_start_and_what_it_told_before_stays() {
    let logs = Logs::new();
    let name = ".claude/projects/-w/S.jsonl";
    logs.write(name, fixture("claude-2.1.197-transcript.jsonl"));
    assert_eq!(logs.sum().0, 2);
    // Longer, and another one.
    logs.write(name, fixture("claude-2.1.330-transcript-with-subagent.jsonl"));
    assert_eq!(logs.sum().0, 5);
    // Shorter.
    logs.write(name, fixture("claude-2.1.330-subagent.jsonl"));
    assert_eq!(logs.sum().0, 7);
}

#[test]
fn an_append_reads_the_appended_and_little_more() {
    let logs = Logs::new();
    let name = ".claude/projects/-w/S.jsonl";
    let mut text = fixture("claude-2.1.330-two-blocks-one-message.jsonl").repeat(50);
    logs.write(name, &text);
    let (mut index, report) = logs.look();
    assert!(report.bytes_read >= text.len() as u64);
    for tail in [fixture("claude-2.1.197-transcript.jsonl"), "\n".into(), text.clone()] {
        logs.append(name, &tail);
        text.push_str(&tail);
        let report = index.scan(&logs.roots()).unwrap();
        assert!(report.bytes_read <= tail.len() as u64 + 8192, "{} for {}", report.bytes_read, tail.len());
        assert_eq!(index.scan(&logs.roots()).unwrap().bytes_read, 0);
    }
}

#[test]
fn a_log_reached_through_two_homes_counts_once_for_the_user_s_own() {
    let logs = Logs::new();
    for (name, text) in corpus() {
        logs.write(&name, text);
    }
    let expected = logs.rows();
    let profile = logs.path("profiles/work");
    fs::create_dir_all(&profile).unwrap();
    #[cfg(unix)]
    for name in [".claude", ".codex", ".gemini"] {
        std::os::unix::fs::symlink(logs.path(name), profile.join(name)).unwrap();
    }
    let mut roots = roots_of(&profile, Some("work"));
    roots.extend(logs.roots());
    let mut index = logs.open();
    assert_eq!(index.scan(&roots).unwrap().files_found, corpus().len());
    assert_eq!(rows(&index), expected);
}

#[test]
fn a_log_copied_into_a_profile_s_home_stays_the_user_s_in_any_order() {
    let text = fixture("claude-2.1.197-transcript.jsonl");
    for first in ["", "profiles/work/"] {
        let logs = Logs::new();
        let mut roots = roots_of(&logs.path("profiles/work"), Some("work"));
        roots.extend(logs.roots());
        let mut index = logs.open();
        let second = if first.is_empty() { "profiles/work/" } else { "" };
        for home in [first, second] {
            logs.write(&format!("{home}.claude/projects/-w/S.jsonl"), &text);
            index.scan(&roots).unwrap();
        }
        let profiles: Vec<_> = rows(&index).into_iter().map(|row| row.profile).collect();
        assert_eq!(profiles, [None, None], "{first}");
    }
}

#[test]
fn a_profile_s_own_log_names_the_profile() {
    let logs = Logs::new();
    logs.write("profiles/work/.claude/projects/-w/S.jsonl", fixture("claude-2.1.197-transcript.jsonl"));
    let mut index = logs.open();
    index.scan(&roots_of(&logs.path("profiles/work"), Some("work"))).unwrap();
    assert_eq!(rows(&index)[0].profile.as_deref(), Some("work"));
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_and_to_nothing_end() {
    let logs = Logs::new();
    logs.write(".claude/projects/-w/S.jsonl", fixture("claude-2.1.197-transcript.jsonl"));
    std::os::unix::fs::symlink(logs.path(".claude/projects"), logs.path(".claude/projects/-w/again")).unwrap();
    std::os::unix::fs::symlink(logs.path("nothing"), logs.path(".claude/projects/-w/lost.jsonl")).unwrap();
    let (index, report) = logs.look();
    assert_eq!((sum(&rows(&index)).0, report.files_found, report.troubles.len()), (2, 1, 0));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_until_it_can() {
    use std::os::unix::fs::PermissionsExt;
    let logs = Logs::new();
    let name = ".claude/projects/-w/S.jsonl";
    logs.write(name, fixture("claude-2.1.197-transcript.jsonl")).write(".claude/projects/-w/T.jsonl", "");
    let mode = |mode| fs::set_permissions(logs.path(name), fs::Permissions::from_mode(mode)).unwrap();
    mode(0);
    if fs::read(logs.path(name)).is_ok() {
        return; // root reads everything
    }
    let (index, report) = logs.look();
    assert_eq!((report.troubles.len(), index.troubles().count(), sum(&rows(&index)).0), (1, 1, 0));
    drop(index);
    mode(0o600);
    let (index, _) = logs.look();
    assert_eq!((index.troubles().count(), sum(&rows(&index)).0), (0, 2));
}
