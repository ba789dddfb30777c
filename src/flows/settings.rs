//! `config.toml` through the daemon, so that a change is announced.

use crate::{
    app::App,
    base::error::Result,
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
    let setting = app.config.set(&ask.key, ask.value.as_deref())?;
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
    Ok(setting)
}
