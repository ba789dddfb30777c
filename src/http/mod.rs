//! Face: HTTP on loopback. For now only the local model's server; the only user of hyper's server.

pub mod offline;
