//! What of the registry the user agreed to: `approvals.json`, and the texts agreed to below `approvals/`.

use std::path::PathBuf;

use crate::{
    base::{
        error::{Error, Result},
        fsx,
    },
    wire::scripts::{APPROVALS_VERSION, Agreed, Approvals as Stored},
};

/// Texts of one name that stay agreed to, so that going back to an earlier commit asks nothing.
const KEPT: usize = 8;

pub struct Approvals {
    file: PathBuf,
    texts: PathBuf,
}

impl Approvals {
    pub fn new(file: PathBuf, texts: PathBuf) -> Self {
        Self { file, texts }
    }

    /// Whether this very text of this name was agreed to. `hash`: blake3, hex.
    pub fn holds(&self, name: &str, hash: &str) -> Result<bool> {
        Ok(self.read()?.agreed.get(name).is_some_and(|list| list.iter().any(|a| a.hash == hash)))
    }

    /// The text agreed to last; absent when there is none, or it is not whole any more.
    pub fn last(&self, name: &str) -> Result<Option<String>> {
        let stored = self.read()?;
        let Some(last) = stored.agreed.get(name).and_then(|list| list.last()) else { return Ok(None) };
        if !is_hash(&last.hash) {
            return Ok(None);
        }
        let bytes = fsx::read_optional(&self.texts.join(&last.hash))?;
        Ok(bytes.filter(|b| blake3::hash(b).to_hex().as_str() == last.hash).and_then(|b| String::from_utf8(b).ok()))
    }

    /// Notes an agreement. The text is written first, so that what is noted can be compared with.
    pub fn add(&self, name: &str, text: &str, now: String) -> Result<()> {
        fsx::create_private_dir(&self.texts)?;
        let _lock = fsx::lock_beside(&self.file)?;
        let mut stored = self.read()?;
        let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        fsx::write_atomic(&self.texts.join(&hash), text.as_bytes(), fsx::Mode::Private)?;
        let list = stored.agreed.entry(name.to_owned()).or_default();
        list.retain(|a| a.hash != hash);
        list.push(Agreed { hash, at: now, rest: serde_json::Map::new() });
        let gone: Vec<Agreed> = list.drain(..list.len().saturating_sub(KEPT)).collect();
        let bytes = serde_json::to_vec_pretty(&stored).map_err(|e| Error::io("agreements cannot be encoded").cause(e))?;
        fsx::write_atomic(&self.file, &bytes, fsx::Mode::Private)?;
        let in_use = |hash: &str| stored.agreed.values().flatten().any(|a| a.hash == hash);
        for old in gone.iter().filter(|a| is_hash(&a.hash) && !in_use(&a.hash)) {
            let _ = fsx::remove(&self.texts.join(&old.hash));
        }
        Ok(())
    }

    fn read(&self) -> Result<Stored> {
        let Some(bytes) = fsx::read_optional(&self.file)? else { return Ok(Stored::default()) };
        let bad = |e| {
            Error::corrupt(format!("{} cannot be read and was left as it is", self.file.display()))
                .cause(e)
                .hint("move it away; then clown asks again about what came with the registry")
        };
        let stored: Stored = serde_json::from_slice(&bytes).map_err(bad)?;
        if stored.version > APPROVALS_VERSION {
            return Err(Error::corrupt(format!("{} is of a newer clown (version {})", self.file.display(), stored.version))
                .hint("use that clown, or move the file away"));
        }
        Ok(stored)
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> String {
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    #[test]
    fn an_agreement_is_to_one_text_of_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let approvals = Approvals::new(dir.path().join("approvals.json"), dir.path().join("approvals"));
        assert!(!approvals.holds("claude", &hash("one")).unwrap());
        approvals.add("claude", "one", "t1".into()).unwrap();
        assert!(approvals.holds("claude", &hash("one")).unwrap());
        assert!(!approvals.holds("claude", &hash("two")).unwrap() && !approvals.holds("codex", &hash("one")).unwrap());
        approvals.add("claude", "two", "t2".into()).unwrap();
        assert_eq!(approvals.last("claude").unwrap().as_deref(), Some("two"));
        assert!(approvals.holds("claude", &hash("one")).unwrap(), "going back asks nothing");
        for n in 0..KEPT {
            approvals.add("claude", &format!("more {n}"), "t".into()).unwrap();
        }
        assert!(!approvals.holds("claude", &hash("one")).unwrap());
        assert!(!dir.path().join("approvals").join(hash("one")).exists());
        std::fs::write(dir.path().join("approvals").join(hash("more 7")), "another text").unwrap();
        assert_eq!(approvals.last("claude").unwrap(), None, "a changed text is not what was agreed to");
    }

    #[test]
    fn a_file_that_cannot_be_read_agrees_to_nothing_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("approvals.json");
        let approvals = Approvals::new(file.clone(), dir.path().join("approvals"));
        for text in ["{oops", "{\"version\":99,\"agreed\":{}}"] {
            std::fs::write(&file, text).unwrap();
            assert!(approvals.holds("claude", &hash("one")).is_err());
            assert!(approvals.add("claude", "one", "t".into()).is_err());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
