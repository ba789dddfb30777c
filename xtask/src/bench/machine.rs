//! What the numbers were measured on, for whoever compares them later.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::shell;

/// One line: processor, cores, load, kernel, compiler, build, date.
pub(crate) fn describe() -> String {
    describe_for("glibc release build")
}

pub(crate) fn describe_for(build: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = shell::capture(Command::new("rustc").arg("--version"), Duration::from_secs(30))
        .map_or_else(|_| "rustc unknown".into(), |(_, text)| text.trim().to_owned());
    let load = if load().is_empty() { String::new() } else { format!(", load {}", load()) };
    let kernel =
        first_word("/proc/sys/kernel/osrelease").map_or_else(|| std::env::consts::OS.to_owned(), |release| format!("Linux {release}"));
    format!("{}, {cores} cores{load}; {kernel}; {rustc}; {build}; {}", processor(), today())
}

/// Of the last minute; empty where the system tells none.
pub(crate) fn load() -> String {
    first_word("/proc/loadavg").unwrap_or_default()
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn first_word(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.split_whitespace().next().map(str::to_owned)
}

fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The Gregorian date of a day counted from 1970-01-01.
fn date(mut day: u64) -> String {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_453), "2025-12-31");
        assert_eq!(date(20_454), "2026-01-01");
    }
}
