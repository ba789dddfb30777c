//! Profiles and what belongs to them, out of this home and into another.
//!
//! The archive's layout: `profiles/<alias>.json`, `homes/<alias>/{settings,parts,history}/...`, `user/...` (manifests of the user's own),
//! `budgets.json`, `preferences.json`, `servers.json` (MCP servers for all profiles), `registry/...` with `registry/current` as a text, and `secrets.age`.

mod export;
mod homes;
mod import;
mod keys;
mod plan;
mod registry;
mod transcript;

pub use export::export;
pub use import::{import, recover};
pub use transcript::{copy_history, move_session};

const PROFILES: &str = "profiles";
const HOMES: &str = "homes";
const USER: &str = "user";
const BUDGETS: &str = "budgets.json";
const PREFERENCES: &str = "preferences.json";
const SERVERS: &str = "servers.json";
const REGISTRY: &str = "registry";
const SECRETS: &str = "secrets.age";

/// Longest text of settings that is looked through for keys, in bytes.
const LONGEST_TEXT: u64 = 4 << 20;

/// An absolute path that a caller named.
fn absolute(path: &str) -> crate::base::error::Result<std::path::PathBuf> {
    let path = std::path::PathBuf::from(path);
    if path.is_absolute() && !path.components().any(|c| c == std::path::Component::ParentDir) {
        return Ok(path);
    }
    Err(crate::base::error::Error::invalid(format!("{} is not an absolute path", path.display())).hint("name the file with its whole path"))
}

/// For people: `a, b, c and 4 more`.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
