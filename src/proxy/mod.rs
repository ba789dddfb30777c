//! Room: routing and translation of model requests. So far: the language of
//! routing conditions, and Anthropic Messages read as a neutral request and written as Chat Completions.
//!
//! Owns no file yet. Events: none yet. Never: sends a client's own credential to another vendor.

pub mod condition;
pub mod stream;
pub mod translate;
