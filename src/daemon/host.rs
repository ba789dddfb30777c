//! What the process offers to flows.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{runtime::Handle, sync::watch};

use super::{activity::Activity, log, processes, web::Web};
use crate::{
    app::{App, Host},
    base::error::{Error, Result},
    router::Router,
    wire::{
        daemon::{EndpointFile, StatusReply},
        http::Link,
        sessions::Session,
    },
};

pub(crate) struct Process {
    pub runtime: Handle,
    pub activity: Activity,
    pub stop: watch::Sender<bool>,
    pub level: log::Level,
    pub started: String,
    pub stay_alive: bool,
    pub idle_timeout: u64,
    /// Tokens that open the local model.
    pub gate: Arc<dyn crate::http::offline::Gate>,
    /// Port of the local model once it is open. Held while opening, so it is opened once.
    pub offline: Mutex<Option<u16>>,
    /// Set when everything is built.
    pub rest: OnceLock<Rest>,
}

pub(crate) struct Rest {
    pub app: Weak<App>,
    pub router: Weak<Router>,
    pub endpoint: EndpointFile,
    pub web: Arc<Web>,
    pub heals: Arc<AtomicU64>,
    /// State last followed of each session: one follower for each state.
    pub followed: Mutex<HashMap<String, crate::wire::sessions::State>>,
}

impl Host for Process {
    fn offline_port(&self) -> Result<u16> {
        let mut port = self.offline.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(port) = *port {
            return Ok(port);
        }
        let failed = |e: std::io::Error| Error::io("the local model cannot be opened").cause(e);
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let opened = listener.local_addr().map_err(failed)?.port();
        let _in = self.runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let (gate, stop) = (Arc::clone(&self.gate), self.stop.subscribe());
        self.runtime.spawn(async move {
            if let Err(error) = crate::http::offline::serve(listener, gate, None, stop).await {
                tracing::error!(%error, "the local model ended");
            }
        });
        *port = Some(opened);
        Ok(opened)
    }

    fn watch(&self, session: &Session) {
        let Some(rest) = self.rest.get() else { return };
        let Some(app) = rest.app.upgrade() else { return };
        let mut followed = rest.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.insert(session.id.clone(), session.state) == Some(session.state) {
            return;
        }
        // A map of live sessions, not of all that ever were.
        followed.retain(|id, _| *id == session.id || app.sessions.get(id).is_ok_and(|s| s.state.live()));
        let guard = self.activity.guard(format!("session of {}", session.profile));
        self.runtime.spawn(processes::follow(app, session.clone(), guard));
    }

    fn status(&self) -> StatusReply {
        let rest = self.rest.get();
        let (calls, defects) = rest.and_then(|r| r.router.upgrade()).map_or((0, 0), |r| r.counts());
        let app = rest.and_then(|r| r.app.upgrade());
        let path = |pick: fn(&crate::base::paths::Paths) -> String| app.as_ref().map(|a| pick(&a.paths)).unwrap_or_default();
        let mut guards = self.activity.held();
        if self.stay_alive {
            guards.push("--stay-alive".into());
        }
        StatusReply {
            pid: std::process::id(),
            version: crate::router::VERSION.into(),
            protocol: *crate::router::SPOKEN,
            endpoint: rest.map(|r| r.endpoint.ipc.clone()).unwrap_or_default(),
            http: rest.and_then(|r| r.web.url()),
            http_problem: rest.and_then(|r| r.web.problem()),
            events: rest.map(|r| r.endpoint.events.clone()).unwrap_or_default(),
            home: path(|p| p.root().display().to_string()),
            log: path(|p| p.log_file().display().to_string()),
            started: self.started.clone(),
            stay_alive: self.stay_alive,
            idle_timeout: self.idle_timeout,
            guards,
            calls,
            defects,
            heals: rest.map_or(0, |r| r.heals.load(Ordering::Relaxed)),
        }
    }

    fn runtime(&self) -> Result<Handle> {
        Ok(self.runtime.clone())
    }

    fn guard(&self, what: String) -> Box<dyn Send + Sync> {
        Box::new(self.activity.guard(what))
    }

    fn later(&self, job: Box<dyn FnOnce() + Send>) {
        let guard = self.activity.guard("request");
        self.runtime.spawn_blocking(move || {
            job();
            drop(guard);
        });
    }

    fn login_link(&self) -> Result<Link> {
        let rest = self.rest.get().ok_or_else(|| Error::conflict("the daemon is still starting").hint("try again"))?;
        rest.web.link()
    }

    fn stop(&self) {
        let _ = self.stop.send(true);
    }

    fn set_log_level(&self, level: &str) -> Result<()> {
        log::set_level(&self.level, level)
    }
}
