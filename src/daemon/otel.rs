//! Sends the daemon's figures to a collector, while there is one to send them to.

use std::sync::Arc;

use tokio::sync::{broadcast::error::RecvError, watch};

use crate::app::App;

/// Until the daemon ends, and once more then. Keeps nothing alive.
pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut events = app.bus.subscribe();
    let mut told = false;
    loop {
        let wait = match app.metrics_export() {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "the settings of otel cannot be used");
                None
            }
        };
        let over = async {
            match wait {
                Some((_, every)) => tokio::time::sleep(every).await,
                None => std::future::pending().await,
            }
        };
        // Other settings take effect at once.
        let changed = async {
            loop {
                match events.recv().await {
                    Ok(event) if event.topic == "config/changed" && event.subject.starts_with("otel.") => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let (due, last) = tokio::select! {
            () = over => (true, false),
            () = changed => (false, false),
            _ = async { stop.wait_for(|s| *s).await.is_ok() } => (true, true),
        };
        if let Some((endpoint, _)) = wait.filter(|_| due) {
            let app = Arc::clone(&app);
            let sent = tokio::task::spawn_blocking(move || app.export_metrics(&endpoint)).await;
            match sent {
                Ok(Ok(())) => told = false,
                // Once, not every minute.
                Ok(Err(error)) if !told => {
                    tracing::warn!(%error, "the figures were not sent");
                    told = true;
                }
                _ => {}
            }
        }
        if last {
            return;
        }
    }
}
