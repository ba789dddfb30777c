//! Face: the command line. One file per noun; each sends one call and renders the reply.
//!
//! stdout is data, stderr is talk. Never: imports a room or a flow; starts a daemon for a command
//! that only looks at it.

mod agents;
mod aliases;
mod args;
mod bind;
mod budget;
mod completions;
mod config;
mod connect;
mod create;
mod daemon;
mod doctor;
mod env;
mod hooks;
mod init;
mod itself;
mod logfile;
mod man;
mod mcp;
mod moving;
mod output;
mod plugins;
mod pre;
mod profiles;
mod prompt;
mod providers;
mod proxy;
mod quota;
mod registry;
mod run;
mod scripts;
mod service;
mod sessions;
mod start;
mod status;
mod table;
mod templates;
mod ui;
mod ultrallm;
mod usage;
mod watch;
mod words;

pub use daemon::Foreground;
pub use doctor::{CHILD_COMMAND, child};
pub use start::{Lives, main};
pub use ultrallm::Engine;
