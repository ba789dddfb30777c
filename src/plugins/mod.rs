//! Room: plugins, executables of the user's that are told of events.
//!
//! Reads `plugins.d/`. Owns `plugins.json`: which of them the user enabled, as which file, for what.
//! A plugin runs once for each event, in a child of clown's own that bounds it (`confine`), and one at a time (`lanes`).
//! Events (sent by flows): `plugin/changed`. Never: runs a file that is not the one the user enabled.

mod confine;
mod lanes;
mod store;

pub use confine::{CHILD_COMMAND, Ended, Verdict, child, words};
pub use lanes::Lanes;
pub use store::{Ready, Store, Wanted};
