//! `sign`: adds a signature to a file of a registry.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use argh::FromArgs;
use base64::{Engine, prelude::BASE64_STANDARD};
use clown::wire::registry::Index;
use minisign::{PublicKey, SecretKey, SecretKeyBox};

use crate::{Outcome, read, write};

#[derive(FromArgs)]
/// Sign an index or a root; each run adds signatures to FILE.minisig.
#[argh(subcommand, name = "sign")]
pub(crate) struct Sign {
    /// file to sign: CHANNEL/registry.json or root.N.json
    #[argh(positional)]
    file: PathBuf,
    /// secret key of minisign's format; may be repeated. MINISIGN_PASSWORD, or a question, opens it
    #[argh(option)]
    key: Vec<PathBuf>,
}

impl Sign {
    pub fn run(self) -> Outcome {
        if self.key.is_empty() {
            return Err("--key KEYFILE says which key signs".into());
        }
        let keys = self.key.iter().map(|file| secret(file)).collect::<Outcome<Vec<_>>>()?;
        let signatures = add(&self.file, &keys)?;
        let content = read(&self.file)?;
        // The commit of its own that pins lead to is the same file.
        if let Ok(index) = serde_json::from_slice::<Index>(&content)
            && let Some(dir) = self.file.parent()
        {
            let commit = dir.join("commits").join(&index.commit).join("registry.json");
            if fs::read(&commit).is_ok_and(|there| there == content) {
                write(&with_end(&commit), signatures.as_bytes())?;
            }
        }
        println!("{} has {} signatures", with_end(&self.file).display(), signatures.matches("untrusted comment:").count());
        Ok(())
    }
}

/// Adds a signature by each key to FILE.minisig, and gives all that are there then.
pub(crate) fn add(file: &Path, keys: &[SecretKey]) -> Outcome<String> {
    let (content, beside) = (read(file)?, with_end(file));
    let mut signatures = fs::read_to_string(&beside).unwrap_or_default();
    let end_line = |text: &mut String| text.push_str(if text.is_empty() || text.ends_with('\n') { "" } else { "\n" });
    end_line(&mut signatures);
    for key in keys {
        let public = PublicKey::from_secret_key(key).map_err(|e| e.to_string())?;
        let comment = format!("file:{}", file.file_name().unwrap_or_default().to_string_lossy());
        let made = minisign::sign(Some(&public), key, Cursor::new(&content), Some(&comment), None).map_err(|e| e.to_string())?;
        signatures.push_str(&made.into_string());
        end_line(&mut signatures);
    }
    write(&beside, signatures.as_bytes())?;
    Ok(signatures)
}

fn with_end(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

pub(crate) fn secret(file: &Path) -> Outcome<SecretKey> {
    let text = String::from_utf8(read(file)?).map_err(|_| format!("{} is no key", file.display()))?;
    let told = |e: minisign::PError| format!("{}: {e}", file.display());
    // The tool leaves out the checksum of a key without a password, which the library's own reader would miss.
    let bytes = text.lines().nth(1).and_then(|line| BASE64_STANDARD.decode(line.trim()).ok());
    if let Some(bytes) = bytes
        && let Ok(key) = SecretKey::from_bytes(&bytes)
        && !key.is_encrypted()
    {
        return Ok(key);
    }
    let boxed = SecretKeyBox::from_string(&text).map_err(told)?;
    boxed.into_secret_key(std::env::var("MINISIGN_PASSWORD").ok()).map_err(told)
}
