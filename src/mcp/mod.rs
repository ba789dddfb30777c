//! Room: MCP servers that hold for all profiles, and the child that starts one with its keys.
//!
//! Owns `mcp.json`. Servers of one profile stand in the profile.
//! Events: none. Never: holds a key, or writes into an agent's configuration.

mod launch;
mod store;

pub use launch::{CHILD_COMMAND, launch};
pub use store::{Store, encode};
