//! The proxy between the vendors' own SDKs and an upstream that speaks as the vendors do.

mod brain;
mod cast;
mod engine;
mod expect;
mod faults;
mod gemini_cli;
mod guard;
mod http;
mod life;
mod recut;
mod script;
mod sdk;
mod shape;

pub use brain::WORD;
pub use cast::{Cast, Served};
pub use engine::{CLIENT_KEY, Engine, UPSTREAM_KEY};
pub use gemini_cli::SETTINGS as GEMINI_SETTINGS;
pub use http::{open, read};
pub use script::{Format, Usage};
