//! Launchers on disk, and the note of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::render::{HERE, render};
use crate::{
    base::{
        error::{Error, Result},
        fsx,
        launcher::is_launcher,
        os,
    },
    wire::launchers::{Launcher, Target},
};

const STORED_VERSION: u32 = 1;

/// `launchers.json`
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// By name.
    launchers: BTreeMap<String, Launcher>,
}

pub struct Store {
    file: PathBuf,
    /// `CLOWN_HOME`, when it chose the tree.
    tree: Option<String>,
}

impl Store {
    pub fn new(file: PathBuf, tree: Option<String>) -> Self {
        Self { file, tree }
    }

    pub fn list(&self) -> Result<Vec<Launcher>> {
        Ok(self.read()?.launchers.into_values().collect())
    }

    /// Where a launcher of this name stands in a directory.
    pub fn place(dir: &Path, name: &str) -> PathBuf {
        dir.join(HERE.file_name(name))
    }

    /// Writes the launcher; one of clown's own with this name moves to its new place.
    pub fn install(&self, launcher: &Launcher) -> Result<()> {
        let path = Path::new(&launcher.path);
        let dir = path.parent().ok_or_else(|| Error::invalid(format!("{} has no directory", path.display())))?;
        fsx::create_private_dir(dir)?;
        check_dir(dir)?;
        let _lock = fsx::lock_beside(&self.file)?;
        let mut stored = self.read()?;
        write(path, &render(HERE, launcher, self.tree.as_deref()))?;
        let before = stored.launchers.insert(launcher.name.clone(), launcher.clone());
        self.write(&stored)?;
        if let Some(before) = before.filter(|before| before.path != launcher.path) {
            let _ = take_away(Path::new(&before.path));
        }
        Ok(())
    }

    pub fn uninstall(&self, name: &str) -> Result<Launcher> {
        let _lock = fsx::lock_beside(&self.file)?;
        let mut stored = self.read()?;
        let Some(launcher) = stored.launchers.remove(name) else {
            return Err(Error::not_found(format!("no launcher is called {name:?}"))
                .did_you_mean(name, stored.launchers.keys().map(String::as_str))
                .hint("list them: clown aliases list"));
        };
        let kept = take_away(Path::new(&launcher.path));
        // What is foreign now is none of ours either way.
        self.write(&stored)?;
        kept.map(|()| launcher)
    }

    fn read(&self) -> Result<Stored> {
        let Some(bytes) = fsx::read_optional(&self.file)? else {
            return Ok(Stored { version: STORED_VERSION, launchers: BTreeMap::new() });
        };
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|e| {
            Error::corrupt(format!("{} cannot be read and was left as it is", self.file.display()))
                .cause(e)
                .hint("move it away and install the launchers again: clown aliases install ALIAS")
        })?;
        if stored.version > STORED_VERSION {
            return Err(Error::corrupt(format!("{} is of a newer clown (version {})", self.file.display(), stored.version))
                .hint("use that clown, or move the file away"));
        }
        Ok(stored)
    }

    fn write(&self, stored: &Stored) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(stored).map_err(|e| Error::io("the note of launchers cannot be encoded").cause(e))?;
        fsx::write_atomic(&self.file, &bytes, fsx::Mode::Private)
    }
}

impl Launcher {
    /// Whether it runs this profile.
    pub fn runs(&self, alias: &str) -> bool {
        matches!(&self.target, Target::Profile { alias: own } if own == alias)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if !fsx::create_atomic(path, text.as_bytes())? {
        if !ours(path) {
            return Err(Error::exists(format!("{} exists and is not clown's; it was left as it is", path.display()))
                .hint("choose another name with --name, or another directory with --bin-dir"));
        }
        fsx::write_atomic(path, text.as_bytes(), fsx::Mode::Private)?;
    }
    os::make_executable(path).map_err(|e| {
        let _ = fs::remove_file(path);
        Error::writing(path)(e)
    })
}

/// A plain file with our mark; a link is whoever's made it.
fn ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()) && is_launcher(path)
}

fn take_away(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() && !ours(path) {
        return Err(Error::conflict(format!("{} is not clown's any more and was left as it is", path.display()))
            .hint("it is no longer listed; remove the file yourself if you do not want it"));
    }
    fsx::remove(path)
}

/// A directory where others may put programs is no place for one of ours.
#[cfg(unix)]
fn check_dir(dir: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(dir).map_err(Error::reading(dir))?;
    if meta.mode() & 0o002 != 0 || !(meta.uid() == os::uid() || meta.uid() == 0) {
        return Err(
            Error::refused(format!("others may change what is in {}", dir.display())).hint("choose a directory of your own with --bin-dir")
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_dir(_dir: &Path) -> Result<()> {
    Ok(())
}
