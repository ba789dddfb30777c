//! `config.toml`: the user's settings. Defaults are data here; unknown keys are warned about, never
//! dropped; an edit keeps comments and order.

mod file;

pub use file::{ConfigFile, Known, SETTINGS};
