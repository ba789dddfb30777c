//! `config.toml` through the daemon, so that a change is announced.

use std::net::IpAddr;

use crate::{
    app::App,
    base::error::{Error, Result},
    wire::{
        config::{List, Set, Setting, Settings},
        envelope::Caller,
    },
};

pub fn list(app: &App, _ask: List, _caller: &Caller) -> Result<Settings> {
    app.config.list()
}

pub fn set(app: &App, ask: Set, _caller: &Caller) -> Result<Setting> {
    if let (super::usage::moved::SETTING, Some(text)) = (ask.key.as_str(), &ask.value) {
        super::usage::moved::check(text)?;
    }
    if let Some(text) = &ask.value {
        check(&ask.key, text)?;
    }
    let mut setting = app.config.set(&ask.key, ask.value.as_deref())?;
    if ask.key == "daemon.log_level"
        && let Some(level) = setting.value.as_str()
    {
        app.host.set_log_level(level)?;
    }
    if ask.key == super::usage::moved::SETTING {
        app.usage.changed();
    }
    if ask.key.starts_with("registry.") {
        app.refresh.again();
    }
    app.bus.publish("config/changed", &ask.key);
    if AT_START.contains(&ask.key.as_str()) {
        setting.note = Some("it holds from the next daemon on; end this one: clown daemon stop".into());
    }
    Ok(setting)
}

/// What the daemon reads only when it starts.
const AT_START: &[&str] = &["daemon.idle_timeout", "http.enabled", "http.port", "http.bind"];

/// What would be found out only by the next daemon.
fn check(key: &str, text: &str) -> Result<()> {
    match key {
        "http.port" if text.parse::<u64>().is_ok_and(|port| port > u64::from(u16::MAX)) => {
            Err(Error::invalid(format!("{text} is no port")).hint("ports end at 65535; 0 is any that is free"))
        }
        "http.bind" => match text.parse::<IpAddr>() {
            Err(_) => Err(Error::invalid(format!("{text:?} is no address")).hint("use 127.0.0.1 or ::1")),
            Ok(address) if !address.is_loopback() => Err(crate::base::loopback::beyond(address)),
            Ok(_) => Ok(()),
        },
        _ => Ok(()),
    }
}
