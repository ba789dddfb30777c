//! The outside world, behind traits: time, other programs, keys, servers. Tests put their own in.

mod fetch;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

pub use fetch::{Answer, Asking, Fetch, Get, Got, Told, Unreached, Why};

use super::{os, secret::SecretStore};

pub trait Clock: Send + Sync {
    fn now(&self) -> jiff::Timestamp;
}

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(clock: &dyn Clock) -> String {
    clock.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// A program to run to its end.
#[derive(Clone, Debug)]
pub struct SpawnSpec {
    pub program: PathBuf,
    pub args: Vec<String>,
    /// The whole environment; nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    pub cwd: Option<PathBuf>,
    pub stdin: Vec<u8>,
    pub timeout: Duration,
    /// Output beyond this many bytes is dropped, per stream.
    pub max_output: u64,
}

pub struct Ran {
    /// `None` when it was killed at the timeout.
    pub code: Option<i32>,
    pub timed_out: bool,
    pub stdout: zeroize::Zeroizing<Vec<u8>>,
    pub stderr: Vec<u8>,
}

pub trait Spawn: Send + Sync {
    /// Runs a program in a process group of its own and leaves none of the group behind.
    fn run(&self, spec: &SpawnSpec) -> io::Result<Ran>;
}

pub struct SystemSpawn;

impl Spawn for SystemSpawn {
    fn run(&self, spec: &SpawnSpec) -> io::Result<Ran> {
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).env_clear().envs(&spec.env);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(cwd) = &spec.cwd {
            command.current_dir(cwd);
        }
        os::own_group(&mut command);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let input = spec.stdin.clone();
        // Each stream has a thread: a child that fills one pipe while we serve another would hang.
        let writer = std::thread::spawn(move || {
            if let Some(mut pipe) = stdin {
                let _ = pipe.write_all(&input);
            }
        });
        let max = spec.max_output;
        let stdout = child.stdout.take().map(|pipe| std::thread::spawn(move || drain(pipe, max)));
        let stderr = child.stderr.take().map(|pipe| std::thread::spawn(move || drain(pipe, max)));
        let status = os::wait_timeout(&mut child, spec.timeout)?;
        // Helpers it left behind would keep the pipes open.
        os::kill_group(child.id());
        if status.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = writer.join();
        let read = |handle: Option<std::thread::JoinHandle<Vec<u8>>>| handle.and_then(|h| h.join().ok()).unwrap_or_default();
        Ok(Ran { code: status.and_then(|s| s.code()), timed_out: status.is_none(), stdout: read(stdout).into(), stderr: read(stderr) })
    }
}

fn drain(mut pipe: impl Read, max: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let _ = pipe.by_ref().take(max).read_to_end(&mut kept);
    let _ = io::copy(&mut pipe, &mut io::sink());
    kept
}

/// Keys, for whoever asks: a keychain belongs to a desktop session, so the caller's own variables
/// choose it.
pub trait Vault: Send + Sync {
    /// The store that new keys go to.
    fn store(&self, env: &BTreeMap<String, String>) -> super::error::Result<Box<dyn SecretStore>>;
    /// The store of this kind, wherever new keys go.
    fn store_of_kind(&self, kind: &str, env: &BTreeMap<String, String>) -> super::error::Result<Box<dyn SecretStore>>;
}

#[derive(Clone)]
pub struct Seams {
    pub clock: Arc<dyn Clock>,
    pub spawn: Arc<dyn Spawn>,
    pub vault: Arc<dyn Vault>,
    pub fetch: Arc<dyn Fetch>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> SpawnSpec {
        SpawnSpec {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: [("PATH".into(), std::env::var_os("PATH").unwrap())].into(),
            cwd: None,
            stdin: b"in".to_vec(),
            timeout: Duration::from_secs(20),
            max_output: 1000,
        }
    }

    #[test]
    fn output_is_bounded_and_the_pipe_still_drained() {
        let ran = SystemSpawn.run(&sh("cat; head -c 500000 /dev/zero; echo err >&2; exit 7")).unwrap();
        assert_eq!((ran.code, ran.timed_out), (Some(7), false));
        assert_eq!(ran.stdout.len(), 1000);
        assert!(ran.stdout.starts_with(b"in"));
        assert_eq!(ran.stderr, b"err\n");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_all_it_started() {
        let mut spec = sh("sleep 600 & echo $!; wait");
        spec.timeout = Duration::from_millis(300);
        let ran = SystemSpawn.run(&spec).unwrap();
        assert!(ran.timed_out && ran.code.is_none());
        let pid: u32 = std::str::from_utf8(&ran.stdout).unwrap().trim().parse().unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while os::process_start(pid).is_some() {
            assert!(std::time::Instant::now() < deadline, "the helper {pid} still runs");
            std::thread::yield_now();
        }
    }
}
