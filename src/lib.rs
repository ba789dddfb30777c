//! clown: run any coding agent as any profile. The map is in `ARCHITECTURE.md`.

#![forbid(unsafe_code)]
// Tests may end at the first surprise.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods))]

pub mod wire;

pub mod base;
pub mod config;

pub mod agents;
pub mod audit;
pub mod bindings;
pub mod events;
pub mod launchers;
pub mod manifests;
pub mod mcp;
pub mod moving;
pub mod plugins;
pub mod profiles;
pub mod providers;
pub mod proxy;
pub mod registry;
pub mod scripting;
pub mod sessions;
pub mod usage;

pub mod flows;

pub mod app;
pub mod router;

pub mod cli;
pub mod daemon;
pub mod http;
pub mod ipc;

pub mod start;
