//! The parts of src and what each may name. A rule is changed here and nowhere else.

pub(crate) const ROOMS: &[&str] = &[
    "manifests",
    "agents",
    "providers",
    "profiles",
    "registry",
    "scripting",
    "proxy",
    "usage",
    "sessions",
    "events",
    "bindings",
    "launchers",
    "mcp",
    "audit",
    "moving",
    "plugins",
];

/// For each part of src that is no room: the paths it may name. `rooms` stands for all of them.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("base", &["wire"]),
    ("config", &["wire", "base"]),
    ("flows", &["rooms", "wire", "base", "config", "app"]),
    ("app", &["rooms", "flows", "wire", "base", "config", "router"]),
    ("router", &["rooms", "flows", "wire", "base", "config", "app"]),
    ("ipc", &["wire", "base", "router", "app"]),
    ("http", &["wire", "base", "router", "app"]),
    // Chooses between the lives of the program, two of which are a room's or a store's child.
    ("start", &["cli", "daemon", "scripting", "proxy", "mcp", "plugins", "base"]),
    ("daemon", &["app", "router", "ipc", "http", "base", "wire", "config"]),
    ("cli", &["wire", "base", "ipc::client", "ipc::start", "ipc::watch", "ipc::endpoint"]),
];

pub(crate) const ROOM_MAY_IMPORT: &[&str] = &["wire", "base", "config"];

/// (file, path): a single file may name what its part may not.
pub(crate) const EXCEPTIONS: &[(&str, &str)] = &[
    // Serves the offline model, so that a demo needs no account.
    ("src/http/offline.rs", "providers::offline"),
    ("src/http/offline/gate.rs", "providers::offline"),
];

/// (path of another crate, the only places that may name it).
pub(crate) const KEPT_IN: &[(&str, &[&str])] = &[
    ("rhai", &["src/scripting"]),
    ("keyring", &["src/base/secret"]),
    ("keyring_core", &["src/base/secret"]),
    ("ureq", &["src/base/fetch"]),
    ("minisign_verify", &["src/base/sign"]),
    ("tabled", &["src/cli"]),
    ("nng", &["src/ipc"]),
    ("nng_sys", &["src/ipc"]),
    ("hyper::server", &["src/http", "src/proxy"]),
    ("hyper_util::server", &["src/http", "src/proxy"]),
];

pub(crate) fn is_room(part: &str) -> bool {
    ROOMS.contains(&part)
}

pub(crate) fn is_known(part: &str) -> bool {
    ROOMS.contains(&part) || MAY_IMPORT.iter().any(|(name, _)| *name == part)
}
