//! Keys at rest and in memory.
//!
//! A key is a [`Secret`] from the moment it enters the daemon. It is kept by one of the backends
//! (`keychain`, `file`) or only referred to (`reference`). Never weaker silently: with no keychain
//! and no other choice made, storing fails and names the choices.

pub mod file;
pub mod keychain;
pub mod reference;
pub mod vault;

use zeroize::Zeroizing;

use super::error::Result;

/// A key in memory: no `Debug`, no `Serialize`, wiped when dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The key itself. Every caller is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// First and last characters of a long key, dots for a short one.
    pub fn masked(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        if chars.len() < 20 {
            return "••••".to_owned();
        }
        let head: String = chars.iter().take(3).collect();
        let tail: String = chars.iter().skip(chars.len() - 4).collect();
        format!("{head}…{tail}")
    }
}

/// A place that keeps keys by name. Names are made by clown, values are opaque.
pub trait SecretStore: Send + Sync {
    /// Word for status lines: `keychain` or `file`.
    fn kind(&self) -> &'static str;
    fn get(&self, name: &str) -> Result<Option<Secret>>;
    fn set(&self, name: &str, key: &Secret) -> Result<()>;
    /// Whether the store answers within this time. Stores and asks for nothing.
    fn reach(&self, limit: std::time::Duration) -> Result<()>;
    /// Deleting what is not there succeeds.
    fn delete(&self, name: &str) -> Result<()>;
}

/// A kind of store in words for people: "in the key file".
pub fn store_name(kind: &str) -> &str {
    if kind == "file" { "key file" } else { kind }
}

/// Removes surrounding white space and refuses what cannot be a key in a header.
pub fn clean_key(text: &str) -> Result<Secret> {
    use super::error::Error;
    const ALONE: &str = "give the key alone, on one line";
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid("the key is empty").hint(ALONE));
    }
    if text.len() > 16 * 1024 {
        return Err(Error::invalid("the key is longer than 16 KiB").hint(ALONE));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::invalid("the key holds white space or control characters").hint(ALONE));
    }
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_never_shows_most_of_a_key() {
        assert_eq!(Secret::new("short-key".into()).masked(), "••••");
        assert_eq!(Secret::new("sk-ant-0123456789abcdef".into()).masked(), "sk-…cdef");
    }

    #[test]
    fn keys_are_trimmed_and_broken_ones_refused() {
        assert_eq!(clean_key(" abc\n").unwrap().expose(), "abc");
        for bad in ["", "  \n", "a b", "a\nb", "a\0"] {
            assert!(clean_key(bad).is_err(), "{bad:?}");
        }
    }
}
