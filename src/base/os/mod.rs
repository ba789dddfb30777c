//! What differs between platforms. Each platform file offers the same functions.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

use std::{
    io,
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

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
