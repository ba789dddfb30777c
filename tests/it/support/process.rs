//! Other processes and directories, looked at from outside.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Stops a process and waits until every thread of it stands still: the signal only begins that.
pub fn stop(pid: u32) {
    kill(pid, "STOP");
    super::wait_until("every thread to stand still", || {
        std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('T'))
        })
    });
}

pub fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Resident memory of a process now.
pub fn rss_kib(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:")
}

/// The most it ever was.
pub fn peak_rss_kib(pid: u32) -> u64 {
    status_kib(pid, "VmHWM:")
}

fn status_kib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What is below a directory: each path with its kind and its content or target.
pub fn snapshot(below: &Path, except: &Path) -> BTreeMap<PathBuf, (char, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut todo = vec![below.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if path == except {
                continue;
            }
            let what = if kind.is_dir() {
                todo.push(path.clone());
                ('d', Vec::new())
            } else if kind.is_symlink() {
                ('l', std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes())
            } else {
                ('f', std::fs::read(&path).unwrap())
            };
            found.insert(path, what);
        }
    }
    found
}

/// The program that is tested: the one cargo built, or `CLOWN_TEST_PROGRAM`.
pub fn clown_program() -> String {
    std::env::var("CLOWN_TEST_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_clown").to_owned())
}

/// Whether it was built to be fast.
pub fn is_optimised() -> bool {
    std::env::var_os("CLOWN_TEST_PROGRAM").is_some()
}

/// Whether this user is root, which `what` needs; else a word that it is left out. `cargo xtask ci` names them all before the tests.
pub fn root_for(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("not root: left out {what}");
    }
    root
}
