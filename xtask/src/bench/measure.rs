//! Timing programs side by side, and what the kernel says about one that idles.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::outcome::Failure;
use crate::shell;

/// Wall-clock times of one program, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Milliseconds at a rank from 0 (fastest) to 100 (slowest).
    fn rank(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last * percent).div_ceil(100)).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }

    pub(crate) fn min(&self) -> f64 {
        self.rank(0)
    }

    pub(crate) fn median(&self) -> f64 {
        self.rank(50)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.rank(99)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn max(&self) -> f64 {
        self.rank(100)
    }

    pub(crate) fn p95(&self) -> f64 {
        self.rank(95)
    }
}

/// Runs both programs `rounds` times in turn, so that whatever else the machine does falls on both. Which goes first
/// alternates. Output is thrown away; a failing run fails the bench.
pub(crate) fn side_by_side(rounds: usize, base: &mut Command, ours: &mut Command) -> Result<(Times, Times), Failure> {
    for _ in 0..3 {
        time(base)?;
        time(ours)?;
    }
    let (mut base_times, mut our_times) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            base_times.push(time(base)?);
            our_times.push(time(ours)?);
        } else {
            our_times.push(time(ours)?);
            base_times.push(time(base)?);
        }
    }
    Ok((Times::new(base_times), Times::new(our_times)))
}

pub(crate) fn time(cmd: &mut Command) -> Result<Duration, Failure> {
    cmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = cmd.status().map_err(|err| Failure::new(format!("cannot start `{}`: {err}", shell::show(cmd))))?;
    let took = start.elapsed();
    if status.success() {
        return Ok(took);
    }
    Err(Failure::new(format!("`{}` failed ({status}), so its time means nothing", shell::show(cmd))).hint("run it by hand to see why"))
}

/// Memory of a process in KiB.
pub(crate) struct Memory {
    pub(crate) rss: u64,
    pub(crate) pss: u64,
}

pub(crate) fn memory(pid: u32) -> Result<Memory, Failure> {
    let text = proc_file(pid, "smaps_rollup")?;
    let field = |name: &str| number_after(&text, name).ok_or_else(|| Failure::new(format!("no {name} in smaps_rollup")));
    Ok(Memory { rss: field("Rss:")?, pss: field("Pss:")? })
}

/// How often the process's threads were put on a CPU, and the CPU time they used, since it started.
#[derive(Clone, Copy)]
pub(crate) struct Activity {
    pub(crate) switches: u64,
    /// Clock ticks, of 10 ms on Linux.
    pub(crate) ticks: u64,
}

impl Activity {
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { switches: self.switches.saturating_sub(earlier.switches), ticks: self.ticks.saturating_sub(earlier.ticks) }
    }
}

pub(crate) fn activity(pid: u32) -> Result<Activity, Failure> {
    let dir = format!("/proc/{pid}/task");
    let threads = fs::read_dir(&dir).map_err(|err| Failure::new(format!("cannot read {dir}: {err}")))?;
    let mut switches = 0;
    for thread in threads.flatten() {
        // A thread may end in between; it then no longer counts.
        let text = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let of = |name| number_after(&text, name).unwrap_or(0);
        switches += of("\nvoluntary_ctxt_switches:") + of("nonvoluntary_ctxt_switches:");
    }
    let stat = proc_file(pid, "stat")?;
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15 of the whole.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Activity { switches, ticks })
}

pub(crate) fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

pub(crate) fn proc_file(pid: u32, name: &str) -> Result<String, Failure> {
    let path = format!("/proc/{pid}/{name}");
    fs::read_to_string(&path)
        .map_err(|err| Failure::new(format!("cannot read {path}: {err}")).hint("this part of the bench needs Linux, and the daemon alive"))
}

/// Of the process that `clown daemon status --json` tells of.
pub(crate) fn pid_in(status: &str) -> Option<u32> {
    number_after(status, "\"pid\":").and_then(|pid| u32::try_from(pid).ok())
}

/// The first whole number after `name` and any blanks.
pub(crate) fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.split_once(name)?.1.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks() {
        let times = Times::new((1..=101).rev().map(Duration::from_millis).collect());
        assert_eq!((times.min(), times.median(), times.p95()), (1.0, 51.0, 96.0));
        assert_eq!(Times::new(vec![Duration::from_millis(7)]).p95(), 7.0);
        assert_eq!(Times::new(Vec::new()).median(), 0.0);
    }

    #[test]
    fn numbers() {
        assert_eq!(number_after("{\"pid\": 42,\"x\":1}", "\"pid\":"), Some(42));
        assert_eq!(number_after("Rss:     \t 512 kB", "Rss:"), Some(512));
        assert_eq!(number_after("{\"pid\":null}", "\"pid\":"), None);
        assert_eq!(number_after("", "x"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_busy_process_shows() {
        let me = std::process::id();
        let before = activity(me).unwrap();
        std::thread::sleep(Duration::from_millis(5));
        assert!(activity(me).unwrap().since(before).switches > 0);
        assert!(memory(me).unwrap().rss > 0);
    }
}
