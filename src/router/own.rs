//! Calls about the daemon itself, which need no room.

use super::{SPOKEN, VERSION};
use crate::{
    app::App,
    base::error::{Error, Result},
    wire::{
        Done,
        daemon::{Hello, HelloReply, LogLevel, Status, StatusReply, Stop},
        envelope::Caller,
        http::{Link, LoginLink},
    },
};

pub fn hello(app: &App, _ask: Hello, _caller: &Caller) -> Result<HelloReply> {
    Ok(HelloReply { pid: std::process::id(), version: VERSION.into(), protocol: *SPOKEN, epoch: app.bus.epoch().to_owned() })
}

pub fn status(app: &App, _ask: Status, _caller: &Caller) -> Result<StatusReply> {
    Ok(app.host.status())
}

pub fn stop(app: &App, ask: Stop, _caller: &Caller) -> Result<Done> {
    if ask.only_if_idle {
        let live = app.sessions.live()?;
        if !live.is_empty() {
            let names: Vec<&str> = live.iter().map(|s| s.profile.as_str()).collect();
            return Err(Error::conflict(format!("the daemon is busy: sessions of {} are running", names.join(", ")))
                .hint("end them first, or stop it anyway: clown daemon stop"));
        }
    }
    app.host.stop();
    Ok(Done {})
}

pub fn login_link(app: &App, _ask: LoginLink, _caller: &Caller) -> Result<Link> {
    app.host.login_link()
}

pub fn log_level(app: &App, ask: LogLevel, _caller: &Caller) -> Result<Done> {
    app.host.set_log_level(&ask.level)?;
    Ok(Done {})
}
