//! `root`: the next list of keys, to be signed with the last ones and with its own.

use std::{fs, path::Path, path::PathBuf};

use argh::FromArgs;
use clown::wire::registry::{Root, SCHEMA};

use crate::{Outcome, in_days, json, write};

#[derive(FromArgs)]
/// Make the next root: whose signatures count from now on.
#[argh(subcommand, name = "root")]
pub(crate) struct Make {
    /// directory of the registry
    #[argh(option)]
    out: PathBuf,
    /// its number (default: one more than the newest there; clients start with 1)
    #[argh(option)]
    version: Option<u64>,
    /// public key; may be repeated
    #[argh(option)]
    key: Vec<String>,
    /// how many different keys must sign (default: 1)
    #[argh(option, default = "1")]
    threshold: u32,
    /// days until it is no longer used (default: 365)
    #[argh(option, default = "365")]
    days: u32,
}

impl Make {
    pub fn run(self) -> Outcome {
        for key in &self.key {
            minisign::PublicKey::from_base64(key).map_err(|e| format!("--key {key}: {e}"))?;
        }
        if self.threshold == 0 || self.threshold as usize > self.key.len() {
            return Err(format!("--threshold {} needs as many --key PUBLICKEY at least", self.threshold));
        }
        let version = self.version.unwrap_or_else(|| newest(&self.out) + 1);
        let root = Root { schema: SCHEMA, version, expires: in_days(self.days)?, threshold: self.threshold, keys: self.key };
        let file = self.out.join(format!("root.{version}.json"));
        write(&file, &json(&root)?)?;
        let _ = fs::remove_file(self.out.join(format!("root.{version}.json.minisig")));
        println!(
            "sign it with enough keys of root {} and of its own: cargo xtask registry sign {} --key KEYFILE ...",
            version - 1,
            file.display()
        );
        Ok(())
    }
}

/// The newest root in the directory; 1 is in the clients.
pub(crate) fn newest(out: &Path) -> u64 {
    (2..).take_while(|n| out.join(format!("root.{n}.json")).exists()).last().unwrap_or(1)
}
