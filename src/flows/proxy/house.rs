//! What instances need of the rooms, and those that outlived a daemon.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use super::{
    plan::{self, Fetched},
    run::retire,
};
use crate::{
    app::App,
    base::error::{Error, Result},
    flows::{place::live_sessions, resolve::resolve},
    proxy::manager::{House, Launch, Look},
    wire::proxy::Use,
};

/// When the settings cannot be read.
const IDLE: Duration = Duration::from_secs(600);

/// The rooms, once they are built.
#[derive(Default)]
pub struct Rooms(OnceLock<Weak<App>>);

impl Rooms {
    pub fn settle(&self, app: &Arc<App>) {
        let _ = self.0.set(Arc::downgrade(app));
    }

    fn app(&self) -> Option<Arc<App>> {
        self.0.get().and_then(Weak::upgrade)
    }

    fn needed(&self) -> Result<Arc<App>> {
        self.app().ok_or_else(|| Error::unsupported("proxies run only in a daemon"))
    }
}

impl House for Rooms {
    fn runtime(&self) -> Result<tokio::runtime::Handle> {
        self.needed()?.host.runtime()
    }

    fn guard(&self, what: String) -> Box<dyn Send + Sync> {
        match self.app() {
            Some(app) => app.host.guard(what),
            None => Box::new(()),
        }
    }

    fn changed(&self, topic: &str, alias: &str) {
        if let Some(app) = self.app() {
            app.bus.publish(topic, alias);
        }
    }

    fn now(&self) -> String {
        self.app().map(|app| app.now()).unwrap_or_default()
    }

    fn look(&self, alias: &str) -> Look {
        let Some(app) = self.app() else { return Look { busy: true, idle: None } };
        let idle = app.config.number("proxy.idle_timeout").map_or(IDLE, Duration::from_secs);
        // Records that cannot be read may hold a live session.
        Look { busy: live_sessions(&app, alias).map_or(true, |n| n > 0), idle: (!idle.is_zero()).then_some(idle) }
    }

    fn launch(&self, alias: &str, port: u16) -> Result<Launch> {
        let app = self.needed()?;
        let profile = app.profiles.find(alias)?;
        let snapshot = app.manifests.snapshot();
        let resolved = resolve(&snapshot, &profile)?;
        let plan = plan::checked(&app, &snapshot, &profile, &resolved, port)?;
        let env: BTreeMap<String, String> = std::env::vars().filter(|(name, _)| name == "DBUS_SESSION_BUS_ADDRESS").collect();
        let Fetched { keys, needs } = plan.fetch(&app, &env, &BTreeMap::new())?;
        if !needs.is_empty() {
            return Err(Error::secrets("its keys are read by the client at each run"));
        }
        plan.launch(&app, &profile, port, Some(keys))
    }
}

/// Takes over running instances, and ends those that belong to nobody any more.
pub fn adopt(app: &App) {
    for (alias, runs) in app.proxies.adopt() {
        let profile = app.profiles.find(&alias).ok();
        let used = profile.as_ref().and_then(|p| resolve(&app.manifests.snapshot(), p).ok()).map(|r| r.proxy);
        let done = match (profile, runs) {
            (None, _) => app.proxies.forget(&alias),
            (Some(_), true) if used == Some(Use::Off) => retire(app, &alias),
            (Some(_), false) if live_sessions(app, &alias).is_ok_and(|n| n > 0) => app.proxies.revive(&alias),
            _ => Ok(()),
        };
        tracing::info!(%alias, runs, "a proxy of an earlier daemon");
        if let Err(error) = done {
            tracing::warn!(%alias, %error, "a proxy of an earlier daemon");
        }
    }
}
