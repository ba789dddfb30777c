//! Tokens that admit a client to the local model: one for each session, gone with it.

use std::sync::{Mutex, PoisonError};

use crate::base::{error::Result, random, secret::Secret};

/// A shell that asks for its environment again and again must not fill the memory.
const MOST_PER_OWNER: usize = 32;

/// Live tokens by owner. Only hashes are kept, compared in constant time.
#[derive(Default)]
pub struct Tokens(Mutex<Vec<(String, blake3::Hash)>>);

impl Tokens {
    /// A new token of 256 random bits for an owner (a session id).
    pub fn issue(&self, owner: &str) -> Result<Secret> {
        let token = format!("clown-{}", random::hex()?);
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if live.iter().filter(|(o, _)| o == owner).count() >= MOST_PER_OWNER
            && let Some(oldest) = live.iter().position(|(o, _)| o == owner)
        {
            live.remove(oldest);
        }
        live.push((owner.to_owned(), blake3::hash(token.as_bytes())));
        Ok(Secret::new(token))
    }

    pub fn revoke(&self, owner: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(o, _)| o != owner);
    }

    pub fn admits(&self, token: &str) -> bool {
        let hash = blake3::hash(token.as_bytes());
        // `blake3::Hash` compares in constant time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|(_, live)| *live == hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_dies_with_its_owner() {
        let tokens = Tokens::default();
        let (a, b) = (tokens.issue("a").unwrap(), tokens.issue("b").unwrap());
        assert!(tokens.admits(a.expose()) && tokens.admits(b.expose()));
        assert!(!tokens.admits(&a.expose()[1..]) && !tokens.admits(""));
        tokens.revoke("a");
        assert!(!tokens.admits(a.expose()) && tokens.admits(b.expose()));
    }
}
