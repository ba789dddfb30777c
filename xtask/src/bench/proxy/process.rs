//! A proxy as a process: alone on core 1, ready when it answers, its whole tree counted, ended with the bench.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::load::ask_once;
use super::poll::stay_on;
use crate::bench::measure;
use crate::outcome::Failure;
use crate::shell;

/// Where every proxy runs; the mock upstream and the load share core 0.
const CORE: usize = 1;

pub(super) struct Process {
    child: Child,
    pub(super) port: u16,
    /// From its start to its first good answer.
    pub(super) ready_after: Duration,
}

impl Process {
    /// Starts it with no environment but what `cmd` sets, and waits for a 200 to `GET health`. Its output goes to `log`.
    pub(super) fn start(mut cmd: Command, port: u16, health: &str, log: &Path, limit: Duration) -> Result<Self, Failure> {
        let shown = shell::show(&cmd);
        let cannot = |err: std::io::Error| Failure::new(format!("cannot start `{shown}`: {err}"));
        let file = File::create(log).map_err(cannot)?;
        cmd.stdin(Stdio::null()).stdout(file.try_clone().map_err(cannot)?).stderr(file);
        let request = format!("GET {health} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
        // A child inherits its core from the thread that starts it.
        let started = thread::spawn(move || {
            stay_on(CORE)?;
            let begun = Instant::now();
            cmd.spawn().map(|child| (begun, child)).map_err(|err| Failure::new(err.to_string()))
        });
        let started = started.join().map_err(|_| Failure::new("the starting thread died"))?;
        let (begun, child) = started.map_err(|failure| Failure::new(format!("cannot start `{shown}`: {failure}")))?;
        let mut process = Self { child, port, ready_after: Duration::ZERO };
        loop {
            if let Ok((200, _)) = ask_once(port, request.as_bytes(), Duration::from_secs(5)) {
                process.ready_after = begun.elapsed();
                return Ok(process);
            }
            let tail = || fs::read_to_string(log).unwrap_or_default().lines().rev().take(5).collect::<Vec<_>>().join(" / ");
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(Failure::new(format!("`{shown}` ended ({status}): {}", tail())));
            }
            if begun.elapsed() > limit {
                return Err(Failure::new(format!("`{shown}` did not answer {health} within {} s: {}", limit.as_secs(), tail())));
            }
            thread::sleep(Duration::from_micros(200));
        }
    }

    pub(super) fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }

    /// Open files, sockets among them, of the process itself.
    pub(super) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Stops it from running while another is measured.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        for pid in tree(self.child.id()) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // It may have ended in between.
                let _ = kill_process(pid, signal);
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.resume();
        // The first of the tree ends the others; whoever is left after that is killed.
        let all = tree(self.child.id());
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + Duration::from_secs(8);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(2));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            for pid in all.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = self.child.wait();
        }
    }
}

/// What a tree of processes used so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    /// Clock ticks of 10 ms, user and system.
    ticks: u64,
    /// Resident memory in KiB.
    rss: u64,
}

impl Usage {
    fn of(root: u32) -> Self {
        let mut sum = Self::default();
        for pid in tree(root) {
            sum.ticks += measure::activity(pid).map_or(0, |activity| activity.ticks);
            sum.rss += measure::memory(pid).map_or(0, |memory| memory.rss);
        }
        sum
    }

    pub(super) fn cpu_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.ticks.saturating_sub(earlier.ticks) * 10)
    }

    pub(super) fn megabytes(self) -> f64 {
        self.rss as f64 / 1024.0
    }
}

/// A process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut all = vec![root];
    let mut at = 0;
    while let Some(pid) = all.get(at) {
        all.extend(children.remove(pid).unwrap_or_default());
        at += 1;
    }
    all
}

/// A port nobody listens on right now.
pub(super) fn free_port() -> Result<u16, Failure> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|err| Failure::new(format!("no free port: {err}")))
}
