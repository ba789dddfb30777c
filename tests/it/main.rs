//! The program from outside: one binary, so that it links once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods)]

mod agents;
mod bad_input;
mod canary;
mod completions;
mod daemon;
mod doctor;
mod everyday;
mod extensions;
mod help;
mod hostile_peers;
mod hostile_scripts;
mod http;
mod installer;
mod keychain;
mod man;
mod manifests;
mod moving;
mod prices;
mod probe;
mod profiles;
mod proxy;
mod proxy_manager;
mod registry;
mod registry_layer;
mod self_update;
mod service;
mod sessions;
mod support;
mod ui;
mod usage;
