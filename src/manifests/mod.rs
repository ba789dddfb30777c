//! Room: agents, providers and scripts as data, in three layers.
//!
//! Layers: built in (compiled in from `manifests/`), registry (`registry/current/`), user
//! (`agents.d/`, `providers.d/`, `scripts/`). A later layer hides an earlier entry of the same id.
//! Reads those directories at each look-up that finds them changed; writes nothing.
//! A manifest that does not parse is a `Problem` naming file, line and key; the others still load.
//! Events: none. Never: runs a script, decides for a profile, trusts a file name beyond its id.

mod layers;
mod parse;

pub use layers::{Found, Manifests, Script, Snapshot};
