//! Room: an export of profiles as one file, and the change of many places at once that an import is.
//!
//! `archive`: a gzipped tar whose last entry lists length and BLAKE3 of all others. `sealed`: its keys, by age under a
//! passphrase. `select`: which files of a home are moved. `journal`: `import.json`, by which an import that was interrupted is undone.
//! Owns `import.json` and directories called `.clown-import-*` while an import lasts. Events: none.
//! Never: takes a path from an archive as it is; follows a link; keeps a key outside of the sealed part; lets half of an import stand.

pub mod archive;
pub mod database;
pub mod journal;
pub mod sealed;
pub mod select;
