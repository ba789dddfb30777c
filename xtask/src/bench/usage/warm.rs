//! After the first reading: answers, appends, and nothing at all.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Plan;
use super::report::Table;
use super::site::{Site, bytes_read};
use crate::bench::measure::{self, Times, number_after};
use crate::outcome::{Failure, Outcome};
use crate::shell;

/// Longer than anything that is measured here.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn answers(site: &Site, plan: &Plan, table: &mut Table) -> Outcome {
    let nothing = shell::which("true").ok_or_else(|| Failure::new("there is no `true` on PATH to compare with"))?;
    let daemon = site.daemon()?;
    for (args, what, goal) in [
        (["usage", "daily", "--json"].as_slice(), "`clown usage daily --json`", "<= 8 ms"),
        (["usage", "--json"].as_slice(), "`clown usage --json`", "<= 8 ms"),
        (["usage", "statusline"].as_slice(), "`clown usage statusline`", "<= 8 ms"),
    ] {
        let before = measure::activity(daemon)?;
        let (base, ours) = measure::side_by_side(plan.calls, &mut site.scratch.command(&nothing, &[]), &mut site.scratch.clown(args))?;
        let ticks = measure::activity(daemon)?.since(before).ticks;
        // Three runs of each come before those that are counted.
        let each = ticks as f64 * 10.0 / (plan.calls + 3) as f64;
        let value = format!(
            "{:.2} / {:.2} / {:.2} ms; `true` {:.2}; the daemon's processor {each:.2} ms each",
            ours.min(),
            ours.median(),
            ours.p95(),
            base.median()
        );
        table.goal(&format!("{what}, end to end, min / median / p95"), &value, &format!("{goal} at the median"), ours.median() <= 8.0);
    }
    Ok(())
}

pub(super) fn appends(site: &Site, plan: &Plan, table: &mut Table) -> Outcome {
    let log = Log::grown(site)?;
    // Its reading is over when it is in the sums: it tells nothing new, so one answer more than it needs.
    site.ask(&["usage", "daily", "--json"])?;
    let daemon = site.daemon()?;
    thread::sleep(Duration::from_secs(1));
    let mut most = 0;
    let mut length = 0;
    for number in 0..plan.appends {
        let before = quiet(daemon)?;
        length = log.append(&format!("b{number}"))?;
        let read = quiet_after(daemon, before)? - before;
        most = most.max(read);
    }
    let goal = length + 8192;
    table.goal(
        &format!("bytes the daemon reads after an append of {length} bytes (rchar), most of {}", plan.appends),
        &most.to_string(),
        "<= n + 8 KiB",
        most <= goal,
    );

    let mut watch = Watching::start(site)?;
    let mut seen = watch.line()?.1;
    let mut times = Vec::new();
    for number in 0..plan.appends {
        let begun = Instant::now();
        log.append(&format!("v{number}"))?;
        let (when, requests) = watch.line()?;
        if requests != seen + 1 {
            return Err(Failure::new(format!("after one more request there were {requests}, before it {seen}")));
        }
        seen = requests;
        times.push(when.duration_since(begun));
        // Apart, so that none is gathered with the next.
        thread::sleep(Duration::from_millis(150));
    }
    let times = Times::new(times);
    let value = format!("{:.1} / {:.1} / {:.1} ms", times.min(), times.median(), times.max());
    table.goal("append to its sum in `clown usage watch --json`, min / median / most", &value, "<= 100 ms", times.max() <= 100.0);
    Ok(())
}

pub(super) fn idle(site: &Site, plan: &Plan, table: &mut Table) -> Outcome {
    let daemon = site.daemon()?;
    thread::sleep(Duration::from_secs(5));
    let memory = measure::memory(daemon)?;
    let before = measure::activity(daemon)?;
    thread::sleep(plan.idle);
    let spent = measure::activity(daemon)?.since(before);
    let seconds = plan.idle.as_secs();
    let megabytes = |kib: u64| kib as f64 / 1024.0;
    let value = format!("{:.1} MiB (its share, PSS: {:.1})", megabytes(memory.rss), megabytes(memory.pss));
    table.goal("memory of the idle daemon with all of it indexed (RSS)", &value, "<= 40 MiB", megabytes(memory.rss) <= 40.0);
    let value = format!("{} in {seconds} s, {} ms of processor", spent.switches, spent.ticks * 10);
    table.goal("times a thread of it was woken", &value, "0", spent.switches == 0);
    Ok(())
}

/// A log of Claude Code's that grows: a copy of a session, so that there is something before what is appended.
struct Log {
    path: PathBuf,
}

impl Log {
    fn grown(site: &Site) -> Result<Self, Failure> {
        let projects = site.scratch.home().join(".claude/projects");
        let first = |dir: PathBuf| -> Option<PathBuf> {
            let mut entries: Vec<PathBuf> = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            entries.into_iter().find(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "jsonl"))
        };
        let project = first(projects).ok_or_else(|| Failure::new("there is no log to append to"))?;
        let sessions = fs::read_dir(&project).into_iter().flatten().flatten().map(|entry| entry.path());
        let session = sessions.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        let session = session.ok_or_else(|| Failure::new("there is no log to append to"))?;
        let path = project.join("bench.jsonl");
        let failed = |err: std::io::Error| Failure::new(format!("cannot write {}: {err}", path.display()));
        // Not a link: the logs themselves stay as they are.
        fs::read(&session).and_then(|text| fs::write(&path, text)).map_err(failed)?;
        Ok(Self { path })
    }

    fn append(&self, id: &str) -> Result<u64, Failure> {
        let line = format!(
            "{{\"parentUuid\":\"p\",\"isSidechain\":false,\"message\":{{\"id\":\"msg_bench_{id}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5-5\",\"content\":[{{\"type\":\"text\",\"text\":\"done\"}}],\"stop_reason\":\"end_turn\",\"usage\":{{\"input_tokens\":7,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":11,\"output_tokens\":3}}}},\"requestId\":\"req_bench_{id}\",\"type\":\"assistant\",\"uuid\":\"u\",\"timestamp\":\"2026-06-02T10:00:00.000Z\",\"cwd\":\"/home/user/p\",\"sessionId\":\"bench\",\"version\":\"2.1.330\"}}\n"
        );
        let failed = |err: std::io::Error| Failure::new(format!("cannot append to {}: {err}", self.path.display()));
        OpenOptions::new().append(true).open(&self.path).and_then(|mut file| file.write_all(line.as_bytes())).map_err(failed)?;
        Ok(line.len() as u64)
    }
}

/// What was read so far, when nothing more is.
fn quiet(daemon: u32) -> Result<u64, Failure> {
    let mut before = bytes_read(daemon)?;
    loop {
        thread::sleep(Duration::from_millis(200));
        let now = bytes_read(daemon)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

/// The same, once something was read.
fn quiet_after(daemon: u32, before: u64) -> Result<u64, Failure> {
    let end = Instant::now() + LIMIT;
    while bytes_read(daemon)? == before {
        if Instant::now() > end {
            return Err(Failure::new("an append was not seen"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    quiet(daemon)
}

struct Watching {
    child: Child,
    lines: mpsc::Receiver<(Instant, u64)>,
}

impl Watching {
    fn start(site: &Site) -> Result<Self, Failure> {
        let mut cmd = site.scratch.clown(&["usage", "watch", "--period", "all", "--json"]);
        let mut child = cmd
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|err| Failure::new(format!("cannot start `clown usage watch`: {err}")))?;
        let out = child.stdout.take().ok_or_else(|| Failure::new("`clown usage watch` has no output"))?;
        let (told, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let when = Instant::now();
                let totals = line.split_once("\"totals\":").map_or("", |(_, totals)| totals);
                let _ = told.send((when, number_after(totals, "\"requests\":").unwrap_or(0)));
            }
        });
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> Result<(Instant, u64), Failure> {
        self.lines.recv_timeout(LIMIT).map_err(|_| Failure::new("`clown usage watch` told nothing"))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
