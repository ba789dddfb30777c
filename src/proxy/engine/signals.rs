//! What the process is told from outside.

use std::io;

pub(super) enum Signal {
    #[cfg_attr(windows, expect(dead_code, reason = "there is no signal for it; a new process is started instead"))]
    Reload,
    End,
}

#[cfg(unix)]
pub(super) struct Signals {
    reload: tokio::signal::unix::Signal,
    end: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            reload: signal(SignalKind::hangup())?,
            end: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.reload.recv() => Signal::Reload,
            _ = self.end.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
        }
    }
}

#[cfg(windows)]
pub(super) struct Signals;

#[cfg(windows)]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::End
    }
}
