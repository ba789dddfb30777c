//! `logs/clownd.log`: one file of bounded size, and the one before it.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::base::{
    error::{Error, Result},
    fsx,
};

const MAX_BYTES: u64 = 8 << 20;

pub(crate) type Level = reload::Handle<LevelFilter, Registry>;

/// Sends log lines and panics to the file from here on.
pub(crate) fn start(path: &Path, level: &str) -> Result<Level> {
    let writer = LogFile::open(path)?;
    let (filter, handle) = reload::Layer::new(parse(level)?);
    let lines = fmt::layer().with_ansi(false).with_target(false).with_writer(writer);
    tracing_subscriber::registry().with(filter).with(lines).try_init().map_err(|e| Error::io(format!("the log cannot be started: {e}")))?;
    std::panic::set_hook(Box::new(|panic| {
        // The payload is our own text; arguments of calls never are in it.
        tracing::error!("panic: {panic}");
    }));
    Ok(handle)
}

pub(crate) fn set_level(handle: &Level, level: &str) -> Result<()> {
    handle.reload(parse(level)?).map_err(|e| Error::io(format!("the log level cannot be changed: {e}")))
}

fn parse(level: &str) -> Result<LevelFilter> {
    level.parse().map_err(|_| Error::invalid(format!("{level:?} is not a log level")).hint("use one of: error, warn, info, debug, trace"))
}

#[derive(Clone)]
struct LogFile(Arc<Mutex<Open>>);

struct Open {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    fn open(path: &Path) -> Result<Self> {
        if let Some(dir) = path.parent() {
            fsx::create_private_dir(dir)?;
        }
        let file = fsx::open_log(path).map_err(Error::writing(path))?;
        let size = file.metadata().map_or(0, |m| m.len());
        Ok(Self(Arc::new(Mutex::new(Open { path: path.to_owned(), file, size }))))
    }
}

impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.size + bytes.len() as u64 > MAX_BYTES {
            std::fs::rename(&open.path, fsx::log_before(&open.path))?;
            open.file = fsx::open_log(&open.path)?;
            open.size = 0;
        }
        let written = open.file.write(bytes)?;
        open.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/c.log");
        let log = LogFile::open(&path).unwrap();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..20 {
            (&log).write_all(&line).unwrap();
        }
        let total: u64 = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
        assert!(total <= 2 * MAX_BYTES, "{total}");
        assert!(std::fs::metadata(&path).unwrap().len() <= MAX_BYTES);
    }
}
