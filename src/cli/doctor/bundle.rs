//! The report for others: what was found, the machine, and the end of the log. Everything in it goes through `redacted`.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::Seen;
use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
        redact::redacted,
    },
    wire::PROTOCOL,
};

/// Of the log, its end.
const LOG_BYTES: u64 = 64 << 10;

/// A file that is there now and empty.
pub(super) struct Bundle {
    path: PathBuf,
    file: File,
}

/// Never over something that is there.
pub(super) fn open(path: &Path) -> Result<Bundle> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => Ok(Bundle { path: path.to_owned(), file }),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Error::exists(format!("{} is there already", path.display())).hint("name a new file"))
        }
        Err(e) => Err(Error::writing(path)(e)),
    }
}

impl Bundle {
    pub fn write(mut self, paths: &Paths, seen: &Seen) -> Result<()> {
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().display().to_string());
        let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
        let text = redacted(&text(paths, seen), home.as_deref(), user.as_deref());
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|e| {
            let _ = std::fs::remove_file(&self.path);
            Error::writing(&self.path)(e)
        })
    }
}

fn text(paths: &Paths, seen: &Seen) -> String {
    let mut text = format!(
        "clown {} (protocol {PROTOCOL}) on {} {}\n\nFindings\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    for finding in &seen.findings {
        let _ = writeln!(text, "{}: {}: {}", finding.level, finding.id, finding.what);
    }
    let log = paths.log_file();
    let _ = writeln!(text, "\nEnd of {}", log.display());
    text += &tail(&log).unwrap_or_else(|e| format!("not there: {e}\n"));
    text
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // A line that is cut may hide how a key begins.
    Ok(match text.split_once('\n') {
        Some((_, rest)) if length > LOG_BYTES => rest.to_owned(),
        _ => text.into_owned(),
    })
}
