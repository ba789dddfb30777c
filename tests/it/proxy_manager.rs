//! The manager of proxies: ports, lives, changes and keys, with faults put in.

mod auto;
mod change;
mod lives;
mod ports;
mod secrets;
mod stage;
