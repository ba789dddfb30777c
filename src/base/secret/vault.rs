//! Chooses the store by `secrets.backend`.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{SecretStore, file::FileStore, keychain::Keychain};
use crate::base::{
    error::{Error, Result},
    seams::{Spawn, Vault},
};

/// Reads the chosen backend at each use, so that a change takes effect at once.
pub struct SystemVault {
    pub spawn: Arc<dyn Spawn>,
    pub keys_file: PathBuf,
    pub backend: Box<dyn Fn() -> Result<String> + Send + Sync>,
}

impl Vault for SystemVault {
    fn store(&self, env: &BTreeMap<String, String>) -> Result<Box<dyn SecretStore>> {
        self.store_of_kind(&(self.backend)()?, env)
    }

    fn store_of_kind(&self, kind: &str, env: &BTreeMap<String, String>) -> Result<Box<dyn SecretStore>> {
        match kind {
            "keychain" => Ok(Box::new(Keychain::new(Arc::clone(&self.spawn), env))),
            "file" => Ok(Box::new(FileStore::new(self.keys_file.clone()))),
            other => Err(Error::invalid(format!("there is no key store of kind {other:?}"))),
        }
    }
}
