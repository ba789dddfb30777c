//! Many files put in their places as one change: all of them, or none, wherever it is cut off.
//!
//! Every step is a rename on one file system. The steps are on disk before the first of them; a journal that is still there
//! at the next start is undone from its end, or cleaned up behind when the change was complete.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::base::{
    error::{Error, Result},
    fsx,
};

const STORED_VERSION: u32 = 1;
/// How directories of new and of former content are called.
pub const STAGING: &str = ".clown-import-";

/// One file or directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The new content.
    pub from: PathBuf,
    pub to: PathBuf,
    /// Where the former content waits.
    pub aside: PathBuf,
}

/// `import.json`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// Whether every step was taken.
    done: bool,
    steps: Vec<Step>,
    /// Directories of the import's own, removed in the end.
    staging: Vec<PathBuf>,
    /// Keys that were stored for it: kind of store, and name.
    pub keys: Vec<(String, String)>,
    #[serde(skip)]
    file: PathBuf,
}

impl Journal {
    /// Before anything is made.
    pub fn begin(file: &Path, staging: PathBuf) -> Result<Self> {
        let journal = Self {
            version: STORED_VERSION,
            done: false,
            steps: Vec::new(),
            staging: vec![staging],
            keys: Vec::new(),
            file: file.to_owned(),
        };
        journal.write()?;
        Ok(journal)
    }

    pub fn read(file: &Path) -> Result<Option<Self>> {
        let Some(bytes) = fsx::read_optional(file)? else { return Ok(None) };
        let damaged = |why: String| {
            Error::corrupt(format!("{} cannot be read: {why}", file.display()))
                .hint("it tells how to undo an import that was interrupted; clown leaves it as it is")
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        if journal.version > STORED_VERSION {
            return Err(damaged(format!("it has version {}", journal.version)).hint("update clown"));
        }
        Ok(Some(Self { file: file.to_owned(), ..journal }))
    }

    /// Another directory that is about to be made.
    pub fn also(&mut self, staging: PathBuf) -> Result<()> {
        if !self.staging.contains(&staging) {
            self.staging.push(staging);
            self.write()?;
        }
        Ok(())
    }

    /// Notes all that will be done, does `first`, then the steps. What fails is for [`Self::undo`].
    pub fn take(&mut self, steps: Vec<Step>, keys: Vec<(String, String)>, first: impl FnOnce() -> Result<()>) -> Result<()> {
        (self.steps, self.keys) = (steps, keys);
        self.write()?;
        first()?;
        self.steps.iter().try_for_each(forward)?;
        self.done = true;
        // From here on it is the new state.
        self.write()
    }

    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Back to the former state, from wherever it was cut off.
    pub fn undo(&self) -> Result<()> {
        self.steps.iter().rev().try_for_each(back)?;
        self.close()
    }

    /// Removes what is no longer needed, the journal last.
    pub fn close(&self) -> Result<()> {
        for dir in &self.staging {
            remove_tree(dir)?;
            // Made for this import alone, when nothing is in it.
            let ours = |name: &str| name.starts_with('.') && name.ends_with("-profiles");
            if let Some(parent) = dir.parent().filter(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(ours)) {
                let _ = fs::remove_dir(parent);
            }
        }
        fsx::remove(&self.file)
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|e| Error::defect("the import's journal cannot be encoded").cause(e))?;
        fsx::write_atomic(&self.file, &text, fsx::Mode::Private)
    }
}

fn there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn forward(step: &Step) -> Result<()> {
    let parent = |path: &Path| path.parent().map_or(Ok(()), fsx::create_private_dir);
    parent(&step.to)?;
    match fs::symlink_metadata(&step.to) {
        Ok(meta) if meta.is_dir() => {
            parent(&step.aside)?;
            rename(&step.to, &step.aside)?;
        }
        Ok(_) => {
            parent(&step.aside)?;
            // A second name, so that a reader finds one file or the other at any moment.
            if fs::hard_link(&step.to, &step.aside).is_err() {
                fs::copy(&step.to, &step.aside).map_err(Error::writing(&step.aside))?;
            }
            let kept = fs::File::open(&step.aside).and_then(|file| file.sync_all());
            kept.and_then(|()| step.aside.parent().map_or(Ok(()), fsx::sync_dir)).map_err(Error::writing(&step.aside))?;
        }
        Err(_) => {}
    }
    rename(&step.from, &step.to)
}

/// From wherever the step was cut off. What is still at `from` did not get to its place.
fn back(step: &Step) -> Result<()> {
    let (waits, aside) = (there(&step.from), there(&step.aside));
    let is_dir = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    if waits {
        return if aside && !there(&step.to) { rename(&step.aside, &step.to) } else { Ok(()) };
    }
    if there(&step.to) && (!aside || is_dir(&step.to)) {
        rename(&step.to, &step.from)?;
    }
    if aside { rename(&step.aside, &step.to) } else { Ok(()) }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::writing(to))?;
    [from, to].iter().filter_map(|path| path.parent()).try_for_each(|dir| fsx::sync_dir(dir).map_err(Error::writing(dir)))
}

/// A directory of our own, and nothing behind a link.
pub fn remove_tree(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::writing(dir)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two files there before, one of them replaced, one new.
    fn world(dir: &Path) -> (PathBuf, Vec<Step>) {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir.join("s/in")).unwrap();
        fs::write(dir.join("old"), "former").unwrap();
        let step = |n: &str| Step { from: dir.join("s/in").join(n), to: dir.join(n), aside: dir.join("s/aside").join(n) };
        for name in ["old", "new"] {
            fs::write(dir.join("s/in").join(name), "imported").unwrap();
        }
        (dir.join("import.json"), vec![step("old"), step("new")])
    }

    fn state(dir: &Path) -> (Option<String>, Option<String>, bool) {
        let read = |name: &str| fs::read_to_string(dir.join(name)).ok();
        (read("old"), read("new"), dir.join("s").exists() || dir.join("import.json").exists())
    }

    #[test]
    fn a_cut_at_any_call_leaves_one_state_or_the_other() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("w");
        for cut in 0..=3 {
            let (file, steps) = world(&dir);
            let mut journal = Journal::begin(&file, dir.join("s")).unwrap();
            journal.steps = steps.clone();
            journal.write().unwrap();
            fs::create_dir_all(dir.join("s/aside")).unwrap();
            // The calls of `forward`, in their order.
            let calls: [&dyn Fn(); 3] =
                [&|| fs::hard_link(&steps[0].to, &steps[0].aside).unwrap(), &|| fs::rename(&steps[0].from, &steps[0].to).unwrap(), &|| {
                    fs::rename(&steps[1].from, &steps[1].to).unwrap()
                }];
            calls.iter().take(cut).for_each(|call| call());
            let journal = Journal::read(&file).unwrap().unwrap();
            assert!(!journal.is_done());
            // An undo that is cut off itself is done again.
            back(&journal.steps[1]).unwrap();
            journal.undo().unwrap();
            assert_eq!(state(&dir), (Some("former".into()), None, false), "cut at {cut}");
        }
        let (file, steps) = world(&dir);
        Journal::begin(&file, dir.join("s")).unwrap().take(steps, Vec::new(), || Ok(())).unwrap();
        let journal = Journal::read(&file).unwrap().unwrap();
        assert!(journal.is_done());
        journal.close().unwrap();
        assert_eq!(state(&dir), (Some("imported".into()), Some("imported".into()), false));
    }

    #[test]
    fn a_directory_gives_way_and_comes_back() {
        let tmp = tempfile::tempdir().unwrap();
        let at = |path: &str| tmp.path().join(path);
        for path in ["s/in/d/x", "d/y"] {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), "").unwrap();
        }
        let step = Step { from: at("s/in/d"), to: at("d"), aside: at("s/aside/d") };
        forward(&step).unwrap();
        assert!(at("d/x").exists() && !at("d/y").exists());
        back(&step).unwrap();
        assert!(at("d/y").exists() && !at("d/x").exists());
        // Between its two renames.
        fs::create_dir_all(at("s/aside")).unwrap();
        fs::rename(at("d"), at("s/aside/d")).unwrap();
        back(&step).unwrap();
        assert!(at("d/y").exists());
    }

    #[test]
    fn a_step_that_fails_takes_the_others_back() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("w");
        let (file, mut steps) = world(&dir);
        steps[1].from = dir.join("s/in/missing");
        let mut journal = Journal::begin(&file, dir.join("s")).unwrap();
        journal.take(steps, Vec::new(), || Ok(())).unwrap_err();
        assert!(!journal.is_done());
        journal.undo().unwrap();
        assert_eq!(state(&dir), (Some("former".into()), None, false));
    }
}
