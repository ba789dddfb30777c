//! Room: routing and translation of model requests. So far: the language of routing conditions.
//!
//! Owns no file yet. Events: none yet. Never: sends a client's own credential to another vendor.

pub mod condition;
