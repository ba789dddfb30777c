//! Tokens that clients of a proxy hold: one for each session, made from the proxy's master key, so the
//! proxy can check them without a list, also after a restart.

use crate::base::secret::Secret;

const CONTEXT: &str = "clown proxy token";
const MARK: &str = "clown-";
/// Hex digits of a session and of its proof.
const HALF: usize = 32;

/// Makes and checks tokens.
pub struct Master {
    text: Secret,
    key: [u8; 32],
}

impl Master {
    pub fn new(text: Secret) -> Self {
        let key = blake3::derive_key(CONTEXT, text.expose().as_bytes());
        Self { text, key }
    }

    /// A token for a session; hyphens of a UUID are left out.
    pub fn token(&self, session: &str) -> String {
        let session = session.replace('-', "");
        format!("{MARK}{session}-{}", self.proof(&session))
    }

    /// Whose token it is: a session, or the holder of the master key itself.
    pub fn holder<'t>(&self, token: &'t str) -> Option<Holder<'t>> {
        // Compared as hashes: how long it takes says nothing of the key.
        if blake3::hash(token.as_bytes()) == blake3::hash(self.text.expose().as_bytes()) {
            return Some(Holder::Owner);
        }
        let (session, proof) = token.strip_prefix(MARK)?.split_once('-')?;
        let right = session.len() == HALF && blake3::hash(proof.as_bytes()) == blake3::hash(self.proof(session).as_bytes());
        right.then_some(Holder::Session(session))
    }

    fn proof(&self, session: &str) -> String {
        let mut hex = blake3::keyed_hash(&self.key, session.as_bytes()).to_hex().to_string();
        hex.truncate(HALF);
        hex
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'t> {
    Owner,
    /// A session's id, 32 hex digits.
    Session(&'t str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_session_and_cannot_be_made_without_the_master_key() {
        let master = Master::new(Secret::new("m".into()));
        let token = master.token("0193aaaa-bbbb-7ccc-8ddd-eeeeffff0000");
        assert_eq!(master.holder(&token), Some(Holder::Session("0193aaaabbbb7ccc8dddeeeeffff0000")));
        assert_eq!(master.holder("m"), Some(Holder::Owner));
        let mut forged = token.clone();
        forged.replace_range(6..7, "1");
        for wrong in ["", "M", "clown-", "clown--", &forged, &token[..token.len() - 1], "clown-0193-ab"] {
            assert_eq!(master.holder(wrong), None, "{wrong}");
        }
        assert_eq!(Master::new(Secret::new("n".into())).holder(&token), None);
    }
}
