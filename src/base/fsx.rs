//! Files that survive a crash: atomic replacement, locked rewriting, line append with tail repair.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use super::error::{Error, Result};

/// How temporary files beside their targets are called.
pub const TEMP_START: &str = ".clown-";
pub const TEMP_END: &str = ".tmp";

/// Who may read a file that clown writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0600
    Private,
    /// 0644 under the user's umask
    Shared,
}

/// Makes a directory and its parents, 0700 where they are new.
pub fn create_private_dir(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::writing(path))
}

/// The file's bytes, or `None` when there is no such file.
pub fn read_optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::reading(path)(e)),
    }
}

/// Replaces a file so that a reader, or a crash at any point, sees the old bytes or the new ones.
/// A symbolic link at `path` stays, its target is replaced.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: Mode) -> Result<()> {
    let target = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => fs::canonicalize(path).map_err(Error::writing(path))?,
        _ => path.to_owned(),
    };
    let dir = target.parent().ok_or_else(|| Error::io(format!("{} has no directory", target.display())))?;
    create_private_dir(dir)?;
    let mut temp = tempfile::Builder::new().prefix(TEMP_START).suffix(TEMP_END).tempfile_in(dir).map_err(Error::writing(path))?;
    let write = |temp: &mut tempfile::NamedTempFile| -> io::Result<()> {
        temp.write_all(bytes)?;
        #[cfg(unix)]
        if mode == Mode::Shared {
            use std::os::unix::fs::PermissionsExt;
            temp.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        temp.as_file().sync_all()
    };
    #[cfg(not(unix))]
    let _ = mode;
    write(&mut temp).map_err(Error::writing(path))?;
    temp.persist(&target).map_err(|e| Error::writing(path)(e.error))?;
    sync_dir(dir).map_err(Error::writing(path))
}

/// Creates a file that must not exist yet, as atomically as [`write_atomic`].
/// `Ok(false)` when something is there already.
pub fn create_atomic(path: &Path, bytes: &[u8]) -> Result<bool> {
    let dir = path.parent().ok_or_else(|| Error::io(format!("{} has no directory", path.display())))?;
    create_private_dir(dir)?;
    let mut temp = tempfile::Builder::new().prefix(TEMP_START).suffix(TEMP_END).tempfile_in(dir).map_err(Error::writing(path))?;
    temp.write_all(bytes).and_then(|()| temp.as_file().sync_all()).map_err(Error::writing(path))?;
    match temp.persist_noclobber(path) {
        Ok(_) => sync_dir(dir).map_err(Error::writing(path)).map(|()| true),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(Error::writing(path)(e.error)),
    }
}

/// Removes a file for good. Missing is success.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_dir).map_err(Error::writing(path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::writing(path)(e)),
    }
}

/// Makes renames and removals in a directory durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// An exclusive lock held until dropped, on `<path>.lock`, which is never removed.
pub fn lock_beside(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = open_lock(Path::new(&name))?;
    lock.lock().map_err(Error::writing(Path::new(&name)))?;
    Ok(lock)
}

/// Makes a file that is missing, for this user only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A log, for this user only: whatever is written goes to its end.
pub fn open_log(path: &Path) -> io::Result<File> {
    private().append(true).open(path)
}

/// Where a log goes that has grown too large: `NAME.1`.
pub fn log_before(path: &Path) -> PathBuf {
    let mut old = path.as_os_str().to_owned();
    old.push(".1");
    old.into()
}

/// Opens a lock file without locking it.
pub fn open_lock(path: &Path) -> Result<File> {
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    private().truncate(false).read(true).write(true).open(path).map_err(Error::writing(path))
}

/// An exclusive lock that is waited for; the system's own wait has no limit.
pub struct Locking(mpsc::Receiver<io::Result<File>>);

impl Locking {
    /// The lock, held until the file is dropped. `Ok(None)` when somebody else held it all that time.
    pub fn within(&self, limit: Duration) -> io::Result<Option<File>> {
        match self.0.recv_timeout(limit) {
            Ok(locked) => locked.map(Some),
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(io::Error::other("the lock was given already")),
        }
    }
}

/// Begins to wait for a lock on a file that is never removed.
pub fn begin_lock(path: &Path) -> Result<Locking> {
    let file = open_lock(path)?;
    let (done, waited) = mpsc::channel();
    match file.try_lock() {
        Ok(()) => {
            let _ = done.send(Ok(file));
        }
        Err(fs::TryLockError::WouldBlock) => {
            // When nobody waits any more the file is dropped, and the lock with it.
            std::thread::spawn(move || done.send(file.lock().map(|()| file)));
        }
        Err(fs::TryLockError::Error(e)) => return Err(Error::writing(path)(e)),
    }
    Ok(Locking(waited))
}

/// Appends one line with a single write. When it returns, the line survives the end of this process;
/// the file it gives back, once synced, survives a power cut too.
///
/// A crash can cut a line short. Without repair the next line would join the torn one and both be
/// lost, so a missing final newline is written first.
pub fn append_line(path: &Path, line: &str) -> Result<File> {
    debug_assert!(!line.contains('\n'));
    let _lock = lock_beside(path)?;
    let mut file = private().append(true).read(true).open(path).map_err(Error::writing(path))?;
    let mut append = || -> io::Result<()> {
        let mut bytes = Vec::with_capacity(line.len() + 2);
        if torn(&mut file)? {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        file.write_all(&bytes)
    };
    append().map_err(Error::writing(path))?;
    Ok(file)
}

fn torn(file: &mut File) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    if length == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(length - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last[0] != b'\n')
}

/// Puts an unreadable file aside as `<name>.corrupt-<time>`, so that nothing is lost.
pub fn set_aside(path: &Path, stamp: &str) -> Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".corrupt-{}", stamp.replace(':', "")));
    let aside = PathBuf::from(name);
    fs::rename(path, &aside).map_err(Error::writing(path))?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_tail_does_not_swallow_the_next_record() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        append_line(&path, "{\"a\":1}").unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"torn\":").unwrap();
        append_line(&path, "{\"b\":2}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"torn\":\n{\"b\":2}\n");
    }

    #[cfg(unix)]
    #[test]
    fn an_atomic_write_is_private_follows_a_link_and_leaves_no_temporary_file() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        symlink(&real, &link).unwrap();
        write_atomic(&link, b"new", Mode::Private).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn create_never_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new");
        assert!(create_atomic(&path, b"1").unwrap());
        assert!(!create_atomic(&path, b"2").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"1");
    }
}
