//! `registry/` on disk: verified commits, the link to the one in force, locks. What stands where clown put nothing is refused and left alone.
//!
//! A crash at any point leaves the old set in force or the new one, whole: a commit's directory gets its name when everything in it is on
//! disk, then `current` is pointed at it, then the locks follow, then what is no longer needed loses its name before it is removed.
//! Everything unfinished is called `commits/.tmp-*` or `.current-*`, and is removed at the next start.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    base::{
        error::{Error, Result},
        fsx, os,
    },
    wire::registry::{Channel, Lock},
};

use super::names;

const TEMP: &str = ".tmp-";
const TEMP_LINK: &str = ".current-";
/// Longest lock that is read, in bytes.
const LONGEST_LOCK: u64 = 16 << 20;

pub(super) const INDEX: &str = "registry.json";
pub(super) const SIGNATURES: &str = "registry.json.minisig";

pub(super) struct Store {
    dir: PathBuf,
}

/// Content for one file of a commit.
pub(super) struct Piece<'a> {
    /// Relative to the commit, with `/`.
    pub(super) path: &'a str,
    pub(super) bytes: &'a [u8],
    /// A commit that holds the same bytes at this path.
    pub(super) same_in: Option<(&'a str, &'a str)>,
}

impl Store {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn path(&self, parts: &[&str]) -> PathBuf {
        parts.iter().fold(self.dir.clone(), |path, part| path.join(part))
    }

    /// Refuses links and other things planted where clown keeps its own.
    pub(super) fn check_layout(&self) -> Result<()> {
        for dir in [&[][..], &["commits"], &["channels"], &["roots"]] {
            let path = self.path(dir);
            if kind_of(&path)?.is_some_and(|meta| !meta.is_dir()) {
                return Err(planted(&path, "a directory of clown's own"));
            }
        }
        self.current().map(|_| ())
    }

    /// The commit in force. Errors: `Refused` when `current` is anything but a link to a commit beside it.
    pub(super) fn current(&self) -> Result<Option<String>> {
        let link = self.path(&["current"]);
        let Some(meta) = kind_of(&link)? else { return Ok(None) };
        let target = meta.is_symlink().then(|| fs::read_link(&link)).transpose().map_err(Error::reading(&link))?;
        let commit = target.as_deref().and_then(|t| t.strip_prefix("commits").ok()).and_then(Path::to_str);
        match commit.filter(|c| names::is_commit(c)) {
            Some(commit) => Ok(Some(commit.to_owned())),
            None => Err(planted(&link, "a link to one of the commits beside it")),
        }
    }

    /// Names of the commits on disk.
    pub(super) fn commits(&self) -> Result<Vec<String>> {
        let dir = self.path(&["commits"]);
        let mut names: Vec<String> = entries(&dir)?.into_iter().filter(|n| names::is_commit(n)).collect();
        names.retain(|n| kind_of(&dir.join(n)).is_ok_and(|meta| meta.is_some_and(|m| m.is_dir())));
        names.sort();
        Ok(names)
    }

    /// The bytes of a file below the registry's directory, or as many as say that it is longer than `max`. `None` when there is no such
    /// file; `Refused` when it, or a directory on the way, is a link.
    pub(super) fn read(&self, parts: &[&str], max: u64) -> Result<Option<Vec<u8>>> {
        let mut path = self.dir.clone();
        let mut steps = parts.iter().peekable();
        while let Some(part) = steps.next() {
            path.push(part);
            let Some(meta) = kind_of(&path)? else { return Ok(None) };
            let expected = if steps.peek().is_some() { meta.is_dir() } else { meta.is_file() };
            if !expected {
                return Err(planted(&path, if steps.peek().is_some() { "a directory of clown's own" } else { "a file of clown's own" }));
            }
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(Error::reading(&path))?;
        file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::reading(&path))?;
        Ok(Some(bytes))
    }

    /// A file of a commit; `path` is relative to it, with `/`.
    pub(super) fn read_in(&self, commit: &str, path: &str, max: u64) -> Result<Option<Vec<u8>>> {
        let parts: Vec<&str> = ["commits", commit].into_iter().chain(path.split('/')).collect();
        self.read(&parts, max)
    }

    /// Replaces a file below the registry's directory at once. What is at the name is replaced itself, never followed.
    pub(super) fn replace(&self, parts: &[&str], bytes: &[u8]) -> Result<()> {
        let path = self.path(parts);
        let (_, above) = parts.split_last().ok_or_else(|| Error::defect("a file without a name"))?;
        let mut dir = self.dir.clone();
        for part in above {
            dir.push(part);
            match kind_of(&dir)? {
                Some(meta) if meta.is_dir() => {}
                Some(_) => return Err(planted(&dir, "a directory of clown's own")),
                None => fsx::create_private_dir(&dir)?,
            }
        }
        let commits = self.make_commits_dir()?;
        let mut temp = tempfile::Builder::new().prefix(TEMP).tempfile_in(&commits).map_err(Error::writing(&path))?;
        temp.write_all(bytes).and_then(|()| temp.as_file().sync_all()).map_err(Error::writing(&path))?;
        temp.persist(&path).map_err(|e| Error::writing(&path)(e.error))?;
        fsx::sync_dir(&dir).map_err(Error::writing(&path))
    }

    /// Removes the files of a directory below the registry's.
    pub(super) fn remove_files(&self, parts: &[&str]) -> Result<()> {
        let dir = self.path(parts);
        for name in entries(&dir)? {
            fsx::remove(&dir.join(name))?;
        }
        Ok(())
    }

    fn make_commits_dir(&self) -> Result<PathBuf> {
        let dir = self.path(&["commits"]);
        match kind_of(&dir)? {
            Some(meta) if meta.is_dir() => {}
            Some(_) => return Err(planted(&dir, "a directory of clown's own")),
            None => fsx::create_private_dir(&dir)?,
        }
        Ok(dir)
    }

    /// Makes a commit out of its pieces, or mends the one of this name.
    pub(super) fn put(&self, commit: &str, pieces: &[Piece<'_>]) -> Result<()> {
        let commits = self.make_commits_dir()?;
        let target = commits.join(commit);
        match kind_of(&target)? {
            None => {}
            Some(meta) if meta.is_dir() => return pieces.iter().try_for_each(|p| self.mend(commit, p.path, p.bytes)),
            Some(_) => return Err(planted(&target, "a directory of clown's own")),
        }
        // Removed again when anything below fails.
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMP);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let staging = builder.tempdir_in(&commits).map_err(Error::writing(&target))?;
        let write = || -> std::io::Result<()> {
            let mut dirs = vec![staging.path().to_owned()];
            for piece in pieces {
                let path = piece.path.split('/').fold(staging.path().to_owned(), |path, part| path.join(part));
                self.make_dirs(staging.path(), &path, &mut dirs)?;
                self.write_piece(&path, piece)?;
            }
            dirs.iter().rev().try_for_each(|dir| fsx::sync_dir(dir))
        };
        write().map_err(Error::writing(&target))?;
        fs::rename(staging.path(), &target).map_err(Error::writing(&target))?;
        // Nothing is left of that name.
        let _ = staging.keep();
        fsx::sync_dir(&commits).map_err(Error::writing(&target))
    }

    fn make_dirs(&self, from: &Path, file: &Path, made: &mut Vec<PathBuf>) -> std::io::Result<()> {
        let mut missing: Vec<&Path> =
            file.ancestors().skip(1).take_while(|dir| *dir != from).filter(|dir| !made.iter().any(|m| m == dir)).collect();
        missing.reverse();
        for dir in missing {
            let builder = &mut fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
            builder.create(dir)?;
            made.push(dir.to_owned());
        }
        Ok(())
    }

    fn write_piece(&self, path: &Path, piece: &Piece<'_>) -> std::io::Result<()> {
        // Content that is on disk already is shared: two hundred entries need not be written and synced anew for one that changed.
        if let Some((commit, same)) = piece.same_in {
            let held = same.split('/').fold(self.path(&["commits", commit]), |path, part| path.join(part));
            if fs::hard_link(held, path).is_ok() {
                return Ok(());
            }
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(piece.bytes)?;
        file.sync_all()
    }

    /// Replaces one file of a commit whose content is not what its index says.
    pub(super) fn mend(&self, commit: &str, path: &str, bytes: &[u8]) -> Result<()> {
        let parts: Vec<&str> = ["commits", commit].into_iter().chain(path.split('/')).collect();
        self.replace(&parts, bytes)
    }

    /// Brings a commit into force.
    pub(super) fn switch(&self, commit: &str) -> Result<()> {
        if self.current()?.as_deref() == Some(commit) {
            return Ok(());
        }
        let link = self.path(&["current"]);
        let temp = self.path(&[&format!("{TEMP_LINK}{}", uuid::Uuid::new_v4().simple())]);
        os::point_link(&link, &Path::new("commits").join(commit), &temp).map_err(Error::writing(&link))?;
        fsx::sync_dir(&self.dir).map_err(Error::writing(&link))
    }

    /// Removes the commits that `keep` does not name. Each loses its name first, so that none is ever there in part.
    pub(super) fn keep_only(&self, keep: &[&str]) -> Result<()> {
        let commits = self.path(&["commits"]);
        for name in self.commits()?.iter().filter(|n| !keep.contains(&n.as_str())) {
            let gone = commits.join(format!("{TEMP}{}", uuid::Uuid::new_v4().simple()));
            fs::rename(commits.join(name), &gone).map_err(Error::writing(&commits.join(name)))?;
            fs::remove_dir_all(&gone).map_err(Error::writing(&gone))?;
        }
        Ok(())
    }

    /// Removes what a killed process left unfinished. Links in the place of staging are not ours, and stay.
    pub(super) fn sweep(&self) -> Result<()> {
        let commits = self.path(&["commits"]);
        for name in entries(&commits)?.into_iter().filter(|n| n.starts_with(TEMP)) {
            let path = commits.join(name);
            let removed = match kind_of(&path)? {
                Some(meta) if meta.is_dir() => fs::remove_dir_all(&path),
                Some(meta) if meta.is_file() => fs::remove_file(&path),
                _ => Ok(()),
            };
            removed.map_err(Error::writing(&path))?;
        }
        for name in entries(&self.dir)?.into_iter().filter(|n| n.starts_with(TEMP_LINK)) {
            let path = self.path(&[&name]);
            if kind_of(&path)?.is_some_and(|meta| meta.is_symlink()) {
                fs::remove_file(&path).map_err(Error::writing(&path))?;
            }
        }
        Ok(())
    }

    /// The lock of what is in force, or the last one of a channel. `None` when there is none that can be read.
    pub(super) fn lock(&self, channel: Option<Channel>) -> Result<Option<Lock>> {
        let name = lock_name(channel);
        let bytes = self.read(&parts(&name), LONGEST_LOCK)?;
        Ok(bytes.and_then(|b| serde_json::from_slice(&b).ok()))
    }

    /// Writes a lock. One that cannot be read is put aside first, since a user may want to see it.
    pub(super) fn write_lock(&self, channel: Option<Channel>, lock: &Lock, stamp: &str) -> Result<()> {
        let name = lock_name(channel);
        let mut bytes = serde_json::to_vec_pretty(lock).map_err(|e| Error::defect("a lock has no JSON form").cause(e))?;
        bytes.push(b'\n');
        if let Some(old) = self.read(&parts(&name), LONGEST_LOCK)? {
            if old == bytes {
                return Ok(());
            }
            if serde_json::from_slice::<Lock>(&old).is_err() {
                fsx::set_aside(&self.path(&parts(&name)), stamp)?;
            }
        }
        self.replace(&parts(&name), &bytes)
    }
}

fn lock_name(channel: Option<Channel>) -> Vec<String> {
    match channel {
        None => vec!["registry.lock".into()],
        Some(channel) => vec!["channels".into(), format!("{channel}.lock")],
    }
}

fn parts(name: &[String]) -> Vec<&str> {
    name.iter().map(String::as_str).collect()
}

/// What is at a path itself, links not followed.
fn kind_of(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::reading(path)(e)),
    }
}

/// Names in a directory; a missing one has none.
pub(super) fn entries(dir: &Path) -> Result<Vec<String>> {
    let listed = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(Error::reading(dir))?,
    };
    let mut names = Vec::new();
    for entry in listed {
        names.push(entry.map_err(Error::reading(dir))?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn planted(path: &Path, expected: &str) -> Error {
    Error::refused(format!("{} is not {expected}; it is left as it is", path.display()))
        .hint(format!("look at it and move it away: ls -ld {}", path.display()))
}
