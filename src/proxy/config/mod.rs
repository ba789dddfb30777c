//! `config.yaml` of a proxy: read, checked, written.
//!
//! The form is ultrallm's, which is close to LiteLLM's, so that an external `ultrallm` can be given the
//! same file. What clown adds (`format`, `auth`, `quirks`, `condition`, `clown_settings`) others ignore.

mod compile;
mod file;
mod load;
mod reference;

pub use compile::compile;
pub use file::{Auth, ClownSettings, Entry, File, General, ModelInfo, Params, Router, Rule, Server, Strategy, Targets};
pub use load::{Mistake, emit, load};
pub use reference::fill;
