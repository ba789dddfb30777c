//! Room: agents, providers, scripts, templates and catalogues of models as data, in three layers.
//!
//! Layers: built in (compiled in from `manifests/`), registry (the commit that `registry/current` links to), user
//! (`agents.d/`, `providers.d/`, `scripts/`, `templates/<agent>/`, `models.d/`). A later layer hides an earlier
//! entry of the same id; a catalogue adds models to the provider of its own layer or of the layers below.
//! Reads those directories at each look-up that finds them changed; writes nothing. The link is read once for
//! a load, so a reader has one commit's files and no other's, also while a sync swaps it.
//! A manifest that does not parse is a `Problem` naming file, line and key; the others still load.
//! Events: none. Never: runs a script, decides for a profile, trusts a file name beyond its id.

mod account;
mod check;
mod layers;
mod parse;
mod snapshot;

pub use check::check;
pub use layers::Manifests;
pub use snapshot::{Found, Script, Snapshot, TemplateFile};
