//! What a service manager hears of the daemon: ready, alive, ending. Without one (`NOTIFY_SOCKET`) nothing is said.

#[cfg(unix)]
pub(crate) use unix::{alive, ending, ready};

#[cfg(unix)]
mod unix {
    use std::{path::PathBuf, time::Duration};

    use sd_notify::NotifyState;

    use crate::ipc::client::Client;

    /// Each word may be lost once before the manager loses its patience.
    const WORDS_IN_TIME: u32 = 3;

    fn tell(state: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(state) {
            tracing::warn!(%error, "the service manager was not told");
        }
    }

    pub(crate) fn ready(endpoint: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(&format!("listens at {endpoint}"))]);
    }

    pub(crate) fn ending() {
        tell(&[NotifyState::Stopping]);
    }

    /// Tells that the daemon lives as often as the manager wants to hear it, and only while it answers
    /// hello like to anybody else. Never returns.
    pub(crate) async fn alive(socket: PathBuf) {
        let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return std::future::pending().await };
        let pause = limit / WORDS_IN_TIME;
        loop {
            if answers(socket.clone(), pause).await {
                tell(&[NotifyState::Watchdog]);
            } else {
                tracing::error!("the daemon does not answer itself; the service manager will hear nothing");
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn answers(socket: PathBuf, limit: Duration) -> bool {
        let hello = tokio::task::spawn_blocking(move || Client::connect_to(&socket).and_then(|mut client| client.hello()));
        matches!(tokio::time::timeout(limit, hello).await, Ok(Ok(Ok(hello))) if hello.pid == std::process::id())
    }
}

#[cfg(not(unix))]
pub(crate) fn ready(_endpoint: &str) {}

#[cfg(not(unix))]
pub(crate) fn ending() {}

#[cfg(not(unix))]
pub(crate) async fn alive(_socket: std::path::PathBuf) {
    std::future::pending().await
}
