//! Room: what was used, and what it cost.
//!
//! `record` is one billed request, as every agent's log is told here; `pricing` says what it costs.
//!
//! Reads `registry/litellm-pricing.json`, where there is one. Owns no other file yet. Events: none yet.
//! Never: keeps a word of what was said; takes a model nobody knows for a free one; prices by likeness of names.

pub mod pricing;
pub mod record;
