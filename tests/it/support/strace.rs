//! A knife at a daemon's throat.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::{kill, wait_until};

/// strace on a process, which it leaves when dropped.
pub struct Strace(Child);

impl Strace {
    /// Kills at the `n`th such call of any thread. Returns when every thread is watched.
    pub fn kill_at(pid: u32, call: &str, n: u32) -> Self {
        let mut child = Command::new("strace")
            .args(["-f", "-q", "-o", "/dev/null", "-e"])
            .arg(format!("trace={call}"))
            .arg("-e")
            .arg(format!("inject={call}:signal=SIGKILL:when={n}"))
            .args(["-p", &pid.to_string()])
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("strace is installed by `cargo xtask setup --tests`");
        // It says nothing with -q; the kernel tells who is watched.
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).for_each(drop));
        wait_until("strace to watch every thread", || {
            std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().all(|task| {
                let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
                status.lines().any(|l| l.strip_prefix("TracerPid:").is_some_and(|t| t.trim() != "0"))
            })
        });
        Self(child)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // A tracer of a dead process may wait for ever for the rest of it.
        kill(self.0.id(), "KILL");
        let _ = self.0.wait();
    }
}
