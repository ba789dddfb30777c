//! The part of an export that holds keys: JSON, encrypted by age under a passphrase.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use age::{Decryptor, Encryptor, secrecy::SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    base::error::{Error, Result},
    wire::{ids::McpName, mcp::Server, secret::KeyText},
};

/// Longest part that is opened, in bytes.
const LONGEST: u64 = 256 << 20;

/// What is sealed.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Secrets {
    /// Stored keys by the names that profiles know them by.
    pub keys: BTreeMap<String, KeyText>,
    /// Profiles whose stored form holds something that may be a key, by alias; whole.
    pub profiles: BTreeMap<String, Value>,
    /// MCP servers for all profiles that hold something that may be a key, by name; whole.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<McpName, Server>,
    /// Texts that hold something that may be a key, by path in the archive.
    pub files: BTreeMap<String, SealedFile>,
}

#[derive(Serialize, Deserialize)]
pub struct SealedFile {
    pub text: KeyText,
    #[serde(default)]
    pub executable: bool,
}

impl Secrets {
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.profiles.is_empty() && self.servers.is_empty() && self.files.is_empty()
    }
}

pub fn seal(secrets: &Secrets, passphrase: &KeyText) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| Error::io("the keys could not be encrypted").cause(e);
    let text = serde_json::to_vec(secrets).map_err(|e| Error::defect("the keys cannot be encoded").cause(e))?;
    let text = Zeroizing::new(text);
    let mut bytes = Vec::new();
    let mut writer = Encryptor::with_user_passphrase(secret(passphrase)).wrap_output(&mut bytes).map_err(failed)?;
    writer.write_all(&text).and_then(|()| writer.finish().map(drop)).map_err(failed)?;
    Ok(bytes)
}

pub fn open(bytes: &[u8], passphrase: &KeyText) -> Result<Secrets> {
    let damaged = || Error::corrupt("the export is damaged: its keys cannot be read").hint("nothing was changed; export again");
    let decryptor = Decryptor::new(bytes).map_err(|_| damaged())?;
    let identity = age::scrypt::Identity::new(secret(passphrase));
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|e| match e {
        age::DecryptError::ExcessiveWork { .. } => damaged(),
        _ => Error::refused("the passphrase does not open the keys of this export").hint("nothing was changed; give the passphrase again"),
    })?;
    let mut text = Zeroizing::new(Vec::new());
    reader.take(LONGEST).read_to_end(&mut text).map_err(|_| damaged())?;
    serde_json::from_slice(&text).map_err(|_| damaged())
}

fn secret(passphrase: &KeyText) -> SecretString {
    SecretString::from(passphrase.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_it() {
        let secrets = Secrets { keys: [("zai/work".to_owned(), KeyText::new("canary-1234567890".into()))].into(), ..Default::default() };
        let right = KeyText::new("correct horse".into());
        let bytes = seal(&secrets, &right).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"canary"));
        assert_eq!(open(&bytes, &right).unwrap().keys["zai/work"].expose(), "canary-1234567890");
        assert!(open(&bytes, &KeyText::new("wrong".into())).is_err_and(|e| e.to_string().contains("passphrase")));
        assert!(open(&bytes[..bytes.len() - 3], &right).is_err());
        assert!(open(b"age", &right).is_err());
    }
}
