//! Instances: one engine process for each profile that uses a proxy.
//!
//! An instance is a task that owns its port, its process and its state; what the rest of the program
//! wants of it arrives as messages. Owns `proxies/<alias>.json` and what is below `.ultrallm/` in a
//! profile's home. Keys are in memory while an instance is up, so that it can be started again.
//! Events: `proxy/started`, `proxy/stopped`, `proxy/restarted`, `proxy/reloaded`, `proxy/failed`.

mod engine;
mod health;
mod instance;
mod instances;
mod logfile;
mod ports;
mod state;
mod supervise;

pub use engine::{Program, find_program};
pub use instances::{Held, Instances};
pub use ports::Range;
pub use state::{Launch, Look, Seen};
pub use supervise::House;
