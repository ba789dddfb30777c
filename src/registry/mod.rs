//! Room: the signed registry of manifests and scripts.
//!
//! Owns `registry/` but for the prices in it: `commits/<commit>/` (the index as it was signed, its signatures, its entries), `current`
//! (a link to one of them: what is in force), `registry.lock` and `channels/<channel>.lock` (what is told about it; derived, and written
//! again when they lag), `roots/` (rotated keys), `sync.lock` (held during a sync).
//! Events: none. Never: brings anything into force that is not signed by enough trusted keys; changes anything when it refuses; follows a
//! link it did not make; parses what it carries (a callback of the flow judges content); runs anything.

mod client;
mod content;
mod diff;
mod incoming;
mod index;
mod lint;
mod names;
mod pin;
mod progress;
mod roots;
mod settle;
mod store;
mod sync;
#[cfg(test)]
mod tests;
mod visit;

pub use client::{Check, Fetched, Registry, Settings};
pub use progress::{Progress, UnderWay};
