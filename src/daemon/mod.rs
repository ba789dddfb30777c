//! The daemon's process life: lock, sockets, readiness, idle end, signals, log. Nothing else.
//!
//! Order of start: daemon lock, log, rooms, adoption of live sessions, sockets, endpoint file, ready.
//! Order of end: endpoint file, sockets, calls under way, lock last. Owns `daemon.lock`,
//! `logs/clownd.log`. Never: opens a socket without the lock; takes a pid for a sign of life.

mod activity;
mod host;
mod lock;
mod log;
mod notify;
mod otel;
mod processes;
mod run;
mod web;

pub use run::{Options, run};
