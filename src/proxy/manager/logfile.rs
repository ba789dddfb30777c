//! `proxy.log`: written by the engine itself, kept within bounds from here.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use crate::base::{
    error::{Error, Result},
    fsx,
};

/// Of the file, and of the one before it.
const MAX_BYTES: u64 = 8 << 20;
/// Of the end, to find the last line in.
const TAIL: u64 = 4096;

/// For an engine's standard error: it writes at the end, wherever that is by then.
pub(super) fn open(path: &Path) -> Result<File> {
    if let Some(dir) = path.parent() {
        fsx::create_private_dir(dir)?;
    }
    // Not what a link there leads to.
    if fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink()) {
        fsx::remove(path)?;
    }
    fsx::open_log(path).map_err(Error::writing(path))
}

/// Puts the content aside when there is too much of it. The engine holds the file open, so the file
/// stays and is emptied; a line written in that moment may be lost.
pub(super) fn cap(path: &Path) -> Result<()> {
    if !fs::metadata(path).is_ok_and(|m| m.len() > MAX_BYTES) {
        return Ok(());
    }
    let old = fsx::log_before(path);
    // Not what a link there leads to.
    let _ = fs::remove_file(&old);
    fs::copy(path, &old).map_err(Error::writing(&old))?;
    OpenOptions::new().write(true).open(path).and_then(|f| f.set_len(0)).map_err(Error::writing(path))
}

/// The last line that says anything, for an error message.
pub(super) fn last_line(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().rev().map(str::trim).find(|l| !l.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_log_stays_bounded_under_a_writer_that_keeps_it_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/proxy.log");
        let mut writer = open(&path).unwrap();
        for _ in 0..4 {
            writer.write_all(&vec![b'x'; MAX_BYTES as usize + 1]).unwrap();
            cap(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        }
        writer.write_all(b"a\nlast words\n\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a\nlast words\n\n", "no hole at its beginning");
        assert_eq!(last_line(&path).as_deref(), Some("last words"));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
    }
}
