//! The HTTP side of a daemon's life: opened with the daemon, or not at all and with a reason.

use std::{net::IpAddr, sync::Arc};

use super::host::Process;
use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
    },
    config::ConfigFile,
    http::{Keys, LINK_LIFE, Server, Site, bind},
    router::Router,
    wire::http::Link,
};

/// What is open, or why nothing is.
pub(super) enum Web {
    Open { server: Arc<Server>, keys: Arc<Keys> },
    Closed { why: String },
}

/// A daemon that cannot serve HTTP serves everything else.
pub(super) fn open(paths: &Paths, config: &ConfigFile, process: &Arc<Process>, router: &Arc<Router>) -> Web {
    match try_open(paths, config, process, router) {
        Ok(Some(web)) => web,
        Ok(None) => Web::Closed { why: "http.enabled is off".into() },
        Err(error) => {
            tracing::error!(%error, "HTTP is not served");
            Web::Closed { why: error.to_string() }
        }
    }
}

fn try_open(paths: &Paths, config: &ConfigFile, process: &Arc<Process>, router: &Arc<Router>) -> Result<Option<Web>> {
    if config.text("http.enabled")? == "off" {
        return Ok(None);
    }
    let address = config.text("http.bind")?;
    let address: IpAddr = address.parse().map_err(|_| Error::invalid(format!("http.bind is {address:?}, and no address")))?;
    let port = config.number("http.port")?;
    let port = u16::try_from(port).map_err(|_| Error::invalid(format!("http.port is {port}, and no port")))?;
    let listener = bind(address, port)?;
    let keys = Arc::new(Keys::open(paths)?);
    let activity = process.activity.clone();
    let site = Site {
        router: Arc::clone(router),
        keys: Arc::clone(&keys),
        guard: Arc::new(move |what| Box::new(activity.guard(what))),
        stop: process.stop.subscribe(),
    };
    let server = Arc::new(Server::open(listener, site)?);
    Ok(Some(Web::Open { server, keys }))
}

impl Web {
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Open { server, .. } => Some(format!("http://{}", server.address)),
            Self::Closed { .. } => None,
        }
    }

    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Open { .. } => None,
            Self::Closed { why } => Some(why.clone()),
        }
    }

    pub fn link(&self) -> Result<Link> {
        match self {
            Self::Open { server, keys } => {
                let url = format!("http://{}/#login={}", server.address, keys.link()?.expose());
                Ok(Link { url, seconds: LINK_LIFE.as_secs() })
            }
            Self::Closed { why } => Err(Error::unsupported(format!("the daemon serves no HTTP: {why}"))
                .hint("look at the settings: clown config list")
                .hint("then start a new daemon: clown daemon stop")),
        }
    }

    /// Returns when no more connections are taken.
    pub async fn refuse(&self) {
        if let Self::Open { server, .. } = self {
            server.refuse().await;
        }
    }
}
