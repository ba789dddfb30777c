//! Room: launchers, small programs in a directory on PATH that run a profile.
//!
//! Owns `launchers.json`, and the files it names, each marked as clown's.
//! Events: none. Never: replaces or removes a file without that mark; writes into a directory that others may write.

mod render;
mod store;

pub use store::Store;
