//! Room: the record of commands that clown ran on behalf of manifests and plugins.
//!
//! Owns `logs/audit.jsonl`, which is cut to its newer half when it grows large.
//! Events (sent by flows): `audit/added`. Never: holds what a command was given, or a key.

mod log;

pub use log::Audit;
