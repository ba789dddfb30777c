//! Room: profiles on disk and the homes they run in.
//!
//! Owns `profiles/<alias>.json` and the profile homes (`~/.<agent>-profiles/<alias>`): their
//! directories, the links to the real home (`bridge`), and the agent's generated files (`files`,
//! own keys only), clown's entries in lists of the agent's (`entries`).
//! Events (sent by flows): `profile/created`, `profile/changed`, `profile/deleted`.
//! Never: holds a key, overwrites a file it cannot parse, replaces what the agent wrote, follows a
//! link out of a profile home.

mod bridge;
mod entries;
mod files;
mod home;
mod store;

pub use bridge::{Bridge, Real, replaced_links};
pub use entries::{Entries, set_entries, without_ours};
pub(crate) use files::PENDING;
pub use files::{Fill, apply as apply_files, apply_pending};
pub(crate) use home::inside;
pub use home::{prepare, prepare_tmp, purge};
pub use store::{Store, encode};
