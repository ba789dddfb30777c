//! `key`: a pair of keys in the format of the `minisign` tool.

use std::path::PathBuf;

use argh::FromArgs;
use minisign::KeyPair;

use crate::{Outcome, write};

#[derive(FromArgs)]
/// Make a pair of keys; the same as `minisign -G`.
#[argh(subcommand, name = "key")]
pub(crate) struct Key {
    /// file of the secret key; the public one gets `.pub` added
    #[argh(option)]
    out: PathBuf,
    /// leave the secret key without a password (for tests, and for machines that keep it otherwise)
    #[argh(switch)]
    no_password: bool,
}

impl Key {
    pub fn run(self) -> Outcome {
        if self.out.exists() {
            return Err(format!("{} is there already; a key is never written over", self.out.display()));
        }
        let told = |e: minisign::PError| e.to_string();
        let pair = if self.no_password {
            KeyPair::generate_unencrypted_keypair().map_err(told)?
        } else {
            // Asks for the password on the terminal, twice.
            KeyPair::generate_encrypted_keypair(std::env::var("MINISIGN_PASSWORD").ok()).map_err(told)?
        };
        let secret = pair.sk.to_box(None).map_err(told)?.into_string();
        write(&self.out, b"")?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&self.out, std::fs::Permissions::from_mode(0o600)).map_err(|e| e.to_string())?;
        }
        write(&self.out, secret.as_bytes())?;
        let mut public = self.out.clone().into_os_string();
        public.push(".pub");
        write(&PathBuf::from(public), pair.pk.to_box().map_err(told)?.into_string().as_bytes())?;
        println!("{}", pair.pk.to_base64());
        Ok(())
    }
}
