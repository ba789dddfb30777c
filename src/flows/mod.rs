//! The only code that joins rooms. One file per flow; each public function is one call.

pub mod approve;
pub mod bindings;
pub mod budgets;
pub mod change_profile;
pub mod complete;
pub mod create_profile;
pub mod delete_profile;
pub mod doctor;
pub mod hooks;
mod keys;
pub mod launchers;
pub mod look;
pub mod mcp;
pub mod metrics;
pub mod otel;
mod place;
mod project_code;
pub mod proxy;
pub mod registry;
mod resolve;
pub mod run_profile;
pub mod settings;
pub mod templates;
pub mod test_script;
pub mod trust;
pub mod usage;
