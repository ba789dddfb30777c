//! The child between the daemon and a plugin: it bounds the plugin's time, processes, memory and output, and ends all
//! that the plugin started, also what left its process group. What becomes of this child is no matter to the daemon.

use std::{
    io::Read,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::Ready;
use crate::base::os;

/// Hidden subcommand of the child.
pub const CHILD_COMMAND: &str = "__plugin";

/// Processes of one plugin at the same time.
const MAX_PROCESSES: usize = 32;
/// Bytes it may say, on both streams together.
const MAX_OUTPUT: u64 = 256 * 1024;
/// Longest time between two looks at it.
const LOOK: Duration = Duration::from_millis(25);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    ByItself,
    NotStarted,
    TooLong,
    TooManyProcesses,
    TooMuchMemory,
    TooMuchOutput,
}

/// What the child tells the daemon.
#[derive(Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub ended: Ended,
    /// Absent when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Arguments of the child for a plugin.
pub fn words(ready: &Ready) -> Vec<String> {
    vec![CHILD_COMMAND.into(), ready.timeout_ms.to_string(), ready.memory_mb.to_string(), ready.path.display().to_string()]
}

/// The child's whole life; the caller prints the bytes. Words behind the subcommand: milliseconds, MiB, file.
pub fn child(words: &[String]) -> Vec<u8> {
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let verdict = match (number(0), number(1), words.get(2)) {
        (Some(ms), Some(mb), Some(file)) => run(Duration::from_millis(ms), mb << 20, file),
        _ => not_started("the words of the child are wrong".into()),
    };
    serde_json::to_vec(&verdict).unwrap_or_default()
}

fn not_started(why: String) -> Verdict {
    Verdict { ended: Ended::NotStarted, code: None, stdout: String::new(), stderr: why }
}

fn run(limit: Duration, memory: u64, file: &str) -> Verdict {
    let until = Instant::now() + limit;
    os::adopt_orphans();
    let mut command = Command::new(file);
    command.stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return not_started(format!("it cannot be started: {e}")),
    };
    let flooded = Arc::new(AtomicBool::new(false));
    let stdout = child.stdout.take().map(|pipe| keep(pipe, &flooded));
    let stderr = child.stderr.take().map(|pipe| keep(pipe, &flooded));
    let mut pause = Duration::from_millis(1);
    let (ended, status) = loop {
        match child.try_wait() {
            Ok(Some(status)) => break (Ended::ByItself, Some(status)),
            Ok(None) => {}
            Err(_) => break (Ended::TooLong, None),
        }
        let below = os::descendants();
        let used: u64 = below.iter().map(|process| process.memory).sum();
        if Instant::now() >= until {
            break (Ended::TooLong, None);
        } else if below.len() > MAX_PROCESSES {
            break (Ended::TooManyProcesses, None);
        } else if used > memory {
            break (Ended::TooMuchMemory, None);
        } else if flooded.load(Ordering::Relaxed) {
            break (Ended::TooMuchOutput, None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LOOK);
    };
    if status.is_none() {
        let _ = child.kill();
    }
    // What it left behind holds its pipes open, and would stay.
    os::end_descendants(Duration::from_secs(2));
    let _ = child.wait();
    let text = |reader: Option<std::thread::JoinHandle<Vec<u8>>>| {
        String::from_utf8_lossy(&reader.and_then(|r| r.join().ok()).unwrap_or_default()).into_owned()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    let ended = if flooded.load(Ordering::Relaxed) { Ended::TooMuchOutput } else { ended };
    Verdict { ended, code: status.and_then(|s| s.code()), stdout, stderr }
}

/// Half of what may be said each; reading ends there, which ends the plugin.
fn keep(mut pipe: impl Read + Send + 'static, flooded: &Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<u8>> {
    let flooded = Arc::clone(flooded);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let _ = pipe.by_ref().take(MAX_OUTPUT / 2).read_to_end(&mut kept);
        let mut more = [0];
        if pipe.read(&mut more).is_ok_and(|n| n > 0) {
            flooded.store(true, Ordering::Relaxed);
        }
        kept
    })
}
