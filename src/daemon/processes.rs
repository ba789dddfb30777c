//! Watches the processes of live sessions, so that a record closes even when its client is killed.

use std::{sync::Arc, time::Duration};

use crate::{
    app::App,
    base::os::gone,
    wire::{
        runs::Exit,
        sessions::{Session, State},
    },
};

use super::activity::Guard;

/// How long a live client may take to report an exit it has seen.
const REPORT: Duration = Duration::from_secs(10);

/// Follows one state of a session to its end.
pub(crate) async fn follow(app: Arc<App>, session: Session, _guard: Guard) {
    let id = session.id.clone();
    let exit = match (session.state, session.process, session.client) {
        (State::Starting, _, client) => {
            if let Some(client) = client {
                gone(client).await;
            }
            // Reported meanwhile: another follower has it.
            if app.sessions.get(&id).is_ok_and(|s| s.state != State::Starting) {
                return;
            }
            // It may have started the agent and died before it could say so.
            Exit::Unknown
        }
        (_, process, client) => {
            if let Some(process) = process {
                gone(process).await;
            }
            // The client saw the exit code; nobody else can know it.
            if let Some(client) = client {
                let _ = tokio::time::timeout(REPORT, gone(client)).await;
            }
            Exit::Unknown
        }
    };
    let closed = tokio::task::spawn_blocking(move || app.close_session(&id, exit)).await;
    if let Ok(Err(error)) = closed {
        tracing::warn!(session = %session.id, %error, "the record of an ended session was not closed");
    }
}
