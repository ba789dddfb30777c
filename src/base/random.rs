//! Random bytes from the system.

use super::error::{Error, Result};

/// For tokens and keys of our own: nobody can guess them.
///
/// # Errors
/// When the system has no source of them.
pub fn bytes() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::io(format!("the system gives no random bytes: {e}")))?;
    Ok(bytes)
}

/// As 64 hex digits.
///
/// # Errors
/// As [`bytes()`].
pub fn hex() -> Result<String> {
    Ok(blake3::Hash::from_bytes(bytes()?).to_hex().to_string())
}
