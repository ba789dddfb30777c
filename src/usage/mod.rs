//! Room: what was used, and what it cost.
//!
//! `record` is one billed request, as every agent's log is told here; `pricing` says what it costs. `collect` reads the agents' logs,
//! `index` remembers what was read, and `row` is how others see it.
//!
//! Reads the agents' logs and `registry/litellm-pricing.json`, where there is one. Owns `usage.index` and its lock in the directory it
//! is given. Events: none yet.
//! Never: keeps a word of what was said; writes into an agent's directory; forgets a request because its log is gone; counts one
//! twice because its log was copied; takes a model nobody knows for a free one; prices by likeness of names.

pub mod collect;
pub mod index;
pub mod pricing;
pub mod record;
pub mod row;
