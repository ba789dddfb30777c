//! What differs between platforms. Each platform file offers the same functions.

#[cfg(unix)]
mod below;
pub mod ports;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use below::*;
#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

use crate::wire::sessions::Process;

use std::{
    ffi::OsStr,
    io,
    path::PathBuf,
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

/// Directories of a `PATH` in which a program may be looked for: a relative one leads elsewhere in every directory.
pub fn path_dirs<P: AsRef<OsStr> + ?Sized>(path: &P) -> Vec<PathBuf> {
    std::env::split_paths(path).filter(|dir| dir.is_absolute()).collect()
}

/// Waits for a child, at most so long; `None` when it still runs.
pub fn wait_timeout(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        // Woken by the child's end where the platform can; else it looks again after a short pause.
        pause = (pause * 2).min(Duration::from_millis(20));
        watch_exit(child.id(), left, pause);
    }
}

/// Whether it is this very process that has the pid now.
pub fn alive(process: Process) -> bool {
    process_start(process.pid).is_some_and(|start| process.started.is_none_or(|s| s == start))
}

/// Returns when this very process is no more.
pub async fn gone(process: Process) {
    #[cfg(target_os = "linux")]
    if let Ok(fd) = exit_watch(process.pid) {
        // The pid may have been reused between the record and the watch.
        if !alive(process) {
            return;
        }
        #[expect(deprecated, reason = "its fault is with types whose descriptor can change; an OwnedFd's cannot")]
        let watched = tokio::io::unix::AsyncFd::with_interest(fd, tokio::io::Interest::READABLE);
        if let Ok(fd) = watched
            && fd.readable().await.is_ok()
        {
            return;
        }
    }
    while alive(process) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
