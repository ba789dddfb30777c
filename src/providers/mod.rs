//! Room: which endpoint and model a profile uses, and the model inside clown.
//!
//! Pure decisions over manifests and over what providers answer (`account`), plus `offline`: the deterministic model, and the
//! tokens that open it. Owns no file. Events: none. Never: makes a network call; replaces a model the user named.

pub mod account;
mod choose;
pub mod offline;
mod tokens;

pub use choose::{Choice, check_key_shape, choose_endpoint, choose_model, choose_url, fits};
pub use tokens::Tokens;
