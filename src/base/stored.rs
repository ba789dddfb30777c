//! clown's own JSON files, which say the version of their form.

use serde::de::DeserializeOwned;

use super::error::{Error, Result};

/// What the bytes of a file hold.
///
/// `newest`: the last version this build reads; a file of a later one may mean what this build would lose.
/// `bad`: the error for a file that cannot be read, from the reason.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], version: impl Fn(&T) -> u32, newest: u32, bad: impl Fn(String) -> Error) -> Result<T> {
    let stored: T = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
    match version(&stored) {
        version if version > newest => Err(bad(format!("it has version {version}, this build reads up to {newest}")).hint("update clown")),
        _ => Ok(stored),
    }
}
