//! One good request for every call that is a resource, in an order in which they make sense.

use clown::{
    http::{ROUTES, Route},
    wire::{Call, profiles},
};
use serde_json::{Value, json};

use super::web::{Answer, Web};

/// Call and body, as on the local socket.
pub fn all(web: &Web) -> Vec<(&'static str, Value)> {
    let empty = web.home.work().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let bin = web.home.work().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let key = json!({ "from": "text", "key": "sk-ant-api03-0000000000000000000000000000" });
    let route =
        json!({ "name": "small", "condition": "model == \"x\"", "targets": ["anthropic/claude-haiku-4-5"], "priority": 0, "weight": 1 });
    vec![
        ("daemon.hello", json!({})),
        ("daemon.status", json!({})),
        ("daemon.metrics", json!({})),
        ("daemon.log-level", json!({ "level": "info" })),
        ("events.since", json!({ "epoch": "", "seq": 0 })),
        ("agents.list", json!({})),
        ("agents.detect", json!({ "id": "claude" })),
        ("agents.inspect", json!({ "id": "claude" })),
        ("providers.list", json!({})),
        ("providers.inspect", json!({ "id": "anthropic" })),
        // Nobody listens there, so what is told does not change.
        ("providers.probe", json!({ "endpoint": "http://127.0.0.1:9", "id": "anthropic" })),
        ("profiles.options", json!({ "agent": "claude" })),
        ("profiles.create", json!({ "agent": "claude", "alias": "work", "provider": "offline" })),
        ("profiles.edit", json!({ "settings": { "args": ["--verbose"] }, "alias": "work" })),
        ("profiles.clone", json!({ "to": "copy", "alias": "work" })),
        ("profiles.rename", json!({ "to": "other", "alias": "copy" })),
        ("profiles.delete", json!({ "purge": true, "alias": "other" })),
        ("profiles.list", json!({ "agent": "claude" })),
        ("profiles.inspect", json!({ "alias": "work" })),
        (profiles::Create::NAME, json!({ "agent": "claude", "alias": "px", "provider": "anthropic", "proxy": true, "key": key })),
        ("providers.approve", json!({ "alias": "px", "id": "anthropic" })),
        ("providers.quota", json!({ "alias": "work" })),
        ("moving.export", json!({ "path": web.home.work().join("export.tar.gz"), "profiles": ["work"] })),
        ("moving.import", json!({ "path": web.home.work().join("export.tar.gz"), "on_conflict": "skip", "dry_run": true })),
        ("sessions.move", json!({ "to": "work", "id": "0198c0de" })),
        ("sessions.list", json!({ "live": true, "limit": 3 })),
        ("sessions.inspect", json!({ "id": "0193" })),
        ("scripts.list", json!({})),
        ("scripts.test", json!({ "source": "#{ env: #{ A: \"1\" } }", "name": "mine" })),
        ("scripts.review", json!({ "name": "claude" })),
        ("scripts.approve", json!({ "name": "claude", "hash": "00" })),
        ("templates.list", json!({ "agent": "claude" })),
        ("templates.inspect", json!({ "agent": "claude", "name": "none" })),
        ("bindings.bind", json!({ "alias": "work", "dir": empty })),
        ("bindings.which", json!({ "dir": empty })),
        ("bindings.trust", json!({ "dir": empty, "hash": "00" })),
        ("bindings.unbind", json!({ "dir": empty })),
        ("launchers.install", json!({ "bin_dir": bin, "target": { "kind": "profile", "alias": "work" }, "program": "/usr/bin/true" })),
        ("launchers.list", json!({})),
        ("launchers.uninstall", json!({ "name": "claude-work" })),
        ("mcp.add", json!({ "server": { "transport": "stdio", "command": "true" }, "plain": false, "replace": false, "name": "words" })),
        ("mcp.list", json!({ "profile": "work" })),
        ("mcp.remove", json!({ "name": "words" })),
        ("hooks.add", json!({ "hook": { "event": "Stop", "command": "true" }, "alias": "work" })),
        ("hooks.list", json!({ "alias": "work" })),
        ("hooks.export", json!({ "alias": "work" })),
        ("hooks.import", json!({ "document": { "hooks": { "Stop": [] } }, "alias": "work" })),
        ("hooks.remove", json!({ "alias": "work", "id": "00000000" })),
        ("setup.list", json!({ "alias": "work" })),
        ("setup.run", json!({ "alias": "work", "task": "none" })),
        ("audit.list", json!({ "limit": 3 })),
        ("plugins.list", json!({})),
        ("plugins.enable", json!({ "events": ["session/ended"], "name": "none" })),
        ("plugins.disable", json!({ "name": "none" })),
        ("doctor.run", json!({})),
        ("doctor.fix", json!({})),
        ("complete.words", json!({ "kind": "profiles", "begins": "w" })),
        ("config.list", json!({})),
        ("config.set", json!({ "value": "one", "key": "preferences.word" })),
        ("proxy.set", json!({ "strategy": "conditional", "alias": "px" })),
        ("proxy.routing", json!({ "alias": "px" })),
        ("proxy.add-route", json!({ "route": route, "alias": "px" })),
        ("proxy.remove-route", json!({ "alias": "px", "name": "small" })),
        ("proxy.set-alias", json!({ "target": "anthropic/claude-haiku-4-5", "alias": "px", "name": "gpt-*" })),
        ("proxy.remove-alias", json!({ "alias": "px", "name": "gpt-*" })),
        ("proxy.add-key", json!({ "provider": "anthropic", "key": key, "alias": "px" })),
        ("proxy.remove-key", json!({ "alias": "px", "number": 1 })),
        ("proxy.config", json!({ "alias": "px" })),
        // {"model":"claude-opus-5","messages":[]}
        ("proxy.explain", json!({ "request": "eyJtb2RlbCI6ImNsYXVkZS1vcHVzLTUiLCJtZXNzYWdlcyI6W119", "alias": "px" })),
        ("proxy.requests", json!({ "limit": 3, "alias": "px" })),
        ("proxy.stop", json!({ "alias": "px" })),
        ("proxy.start", json!({ "restart": false, "alias": "px" })),
        ("proxy.keys", json!({ "keys": {}, "alias": "px" })),
        ("proxy.status", json!({ "alias": "px" })),
        ("registry.inspect", json!({})),
        ("registry.sync", json!({ "offline": true })),
        ("registry.progress", json!({})),
        ("registry.diff", json!({ "channel": "beta" })),
        ("registry.pin", json!({})),
        ("registry.verify", json!({})),
        ("registry.lint", json!({ "dir": empty })),
        ("usage.summary", json!({ "select": { "period": "week", "profiles": ["work", "px"] } })),
        ("usage.report", json!({ "group": "daily", "select": { "timezone": "+02:00" }, "breakdown": true, "last": 3 })),
        ("usage.export", json!({ "from": 0 })),
        ("usage.statusline", json!({ "agent": "claude", "profile": "work", "timezone": "UTC" })),
        ("usage.rescan", json!({})),
        ("usage.import", json!({ "agent": "claude", "dir": empty })),
        ("usage.reconcile", json!({ "select": { "period": "all" } })),
        ("usage.doctor", json!({})),
        ("budgets.set", json!({ "budgets": [{ "profile": "px", "every": "day", "usd": 5.0, "action": "warn" }] })),
        ("budgets.list", json!({ "profile": "px" })),
        ("budgets.remove", json!({ "every": "month", "profile": "work" })),
        ("daemon.stop", json!({ "only_if_idle": true })),
    ]
}

pub fn route(call: &str) -> &'static Route {
    ROUTES.iter().find(|route| route.call == call).unwrap_or_else(|| panic!("{call} is no resource"))
}

/// Address and JSON body of a call over HTTP.
pub fn request(route: &Route, body: &Value) -> (String, Option<Value>) {
    let mut rest = body.as_object().unwrap().clone();
    let mut path = format!("/api/v1{}", route.pattern);
    for field in route.path_fields() {
        let value = rest.shift_remove(field).unwrap_or_else(|| panic!("the example of {} has no {field}", route.call));
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        path = path.replace(&format!("{{{field}}}"), &escaped(&text));
    }
    if route.has_body() {
        return (path, Some(Value::Object(rest)));
    }
    let mut query = Vec::new();
    for (name, value) in &rest {
        match value {
            Value::Object(inner) => inner.iter().for_each(|(below, value)| pairs(&format!("{name}.{below}"), value, &mut query)),
            value => pairs(name, value, &mut query),
        }
    }
    (if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }, None)
}

fn pairs(name: &str, value: &Value, query: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| pairs(name, item, query)),
        Value::String(text) => query.push(format!("{name}={}", escaped(text))),
        value => query.push(format!("{name}={value}")),
    }
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

pub fn ask(web: &Web, call: &str, body: &Value, id: &str) -> Answer {
    let route = route(call);
    let (path, sent) = request(route, body);
    web.ask_with(route.method.as_str(), &path, &[("authorization", &web.bearer()), ("idempotency-key", id)], sent.as_ref())
}
