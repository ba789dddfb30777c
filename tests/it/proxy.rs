//! The proxy between the vendors' own SDKs and an upstream that speaks as the vendors do.

mod cast;
mod engine;
mod expect;
mod faults;
mod guard;
mod http;
mod life;
mod recut;
mod script;
mod sdk;
mod shape;

pub use cast::Cast;
pub use script::Format;
