//! Room: `.clown.toml`, by which a directory chooses the profile of its runs.
//!
//! Reads the nearest one of a directory and its ancestors, up to the home directory or the border of
//! the file system, and changes the one of a directory. Owns no file of its own: what the user agreed to
//! is noted with the other agreements.
//! Events: none. Never: takes a file of another user, or one that others may write.

mod file;
mod find;

pub use file::{Binding, bind, unbind};
pub use find::{FILE, Found, Stop, find};
