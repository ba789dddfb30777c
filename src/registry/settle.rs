//! After a crash, and when in doubt: what is on disk against what was signed.

use std::time::Instant;

use crate::{
    base::error::{Error, Result},
    wire::registry::{Lock, Verified},
};

use super::{
    client::{Registry, Settings, agrees},
    index::Signed,
    names,
    roots::Trust,
    store::{self, INDEX, SIGNATURES},
};

impl Registry {
    /// At the start of the daemon: removes what a killed sync left, and writes locks again that lag behind `current`. Without trusted
    /// keys the locks stay as they are. A sync that another process has under way is not disturbed.
    pub fn settle(&self, settings: &Settings) -> Result<()> {
        if !self.store.path(&[]).exists() {
            return Ok(());
        }
        let Ok(_turn) = self.turn(Instant::now()) else { return self.store.check_layout() };
        self.store.sweep()?;
        let Ok(trust) = Trust::load(settings, &self.store) else { return Ok(()) };
        let Some(signed) = self.in_force(&trust)? else { return Ok(()) };
        let lock = self.store.lock(None)?;
        let channel_lock = self.store.lock(Some(signed.index.channel))?;
        let pinned = lock.as_ref().and_then(|l| l.pinned.clone()).filter(|p| names::is_commit(p));
        // The lock of a channel may be ahead: then an older commit is pinned.
        let lags = channel_lock.is_none_or(|l| {
            l.root < signed.index.root || (l.root == signed.index.root && l.version <= signed.index.version && !agrees(&l, &signed))
        });
        if lags || !lock.is_some_and(|l| agrees(&l, &signed)) {
            let told = Lock { pinned, ..self.told(settings, &signed)? };
            self.write_locks(&told, lags)?;
        }
        Ok(())
    }

    fn in_force(&self, trust: &Trust) -> Result<Option<Signed>> {
        self.store.current()?.map_or(Ok(None), |commit| self.held(trust, &commit))
    }

    /// Checks signatures and every artifact of `current` again. Errors: `NotFound` when nothing is in force.
    pub fn verify(&self, settings: &Settings) -> Result<Verified> {
        self.store.check_layout()?;
        let trust = Trust::load(settings, &self.store)?;
        let commit = self
            .store
            .current()?
            .ok_or_else(|| Error::not_found("nothing of a registry is in force").hint("fetch it: clown registry sync"))?;
        let mut verified = Verified { commit: commit.clone(), artifacts: 0, keys: Vec::new(), problems: Vec::new() };
        let signed = match self.open(&trust, &commit) {
            Ok(Ok(signed)) => signed,
            Ok(Err(e)) | Err(e) => {
                verified.problems.push(sentence(&e.to_string()));
                return Ok(verified);
            }
        };
        if let Err(e) = trust.still_good(&signed) {
            verified.problems.push(sentence(&format!("the index is signed under an older root: {e}")));
        }
        for entry in &signed.index.entries {
            verified.artifacts += 1;
            match self.whole(&commit, &entry.path, entry) {
                Ok(Some(_)) => {}
                Ok(None) => verified.problems.push(format!("{} is missing or not what was signed.", entry.path)),
                Err(e) => verified.problems.push(sentence(&e.to_string())),
            }
        }
        for path in files_below(&self.store.path(&["commits", &commit]))? {
            let known = path == INDEX || path == SIGNATURES || signed.index.entries.iter().any(|e| e.path == path);
            if !known {
                verified.problems.push(format!("{path} is there, but not in the index."));
            }
        }
        if !self.store.lock(None)?.is_some_and(|l| agrees(&l, &signed)) {
            verified.problems.push("registry.lock does not agree with the index.".into());
        }
        verified.keys = signed.keys;
        Ok(verified)
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| format!("{}{}.", c.to_uppercase(), chars.as_str())).unwrap_or_default()
}

/// Every file and link below a directory, relative to it, with `/`, in order.
pub(super) fn files_below(dir: &std::path::Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(prefix) = open.pop() {
        for name in store::entries(&dir.join(&prefix))? {
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let meta = std::fs::symlink_metadata(dir.join(&path)).map_err(Error::reading(&dir.join(&path)))?;
            if meta.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
