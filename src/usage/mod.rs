//! Room: what was used, and what it cost.
//!
//! `record` is one billed request, as every agent's log is told here; `row` says whose it was; `pricing` what it costs; `query`
//! answers questions about many of them.
//!
//! Reads `registry/litellm-pricing.json`, where there is one. Owns no other file yet. Events: none yet.
//! Never: keeps a word of what was said; takes a model nobody knows for a free one; prices by likeness of names.

pub mod pricing;
pub mod query;
pub mod record;
pub mod row;
