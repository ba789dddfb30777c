//! One daemon per tree: a lock on a file that is never removed.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::Path,
    time::Duration,
};

use crate::{
    base::{
        error::{Error, Result},
        fsx,
        paths::Paths,
    },
    ipc::client::Client,
};

/// A daemon that is on its way out holds the lock a little longer than its socket.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(crate) enum Taken {
    /// Held until the file is dropped.
    Ours(File),
    /// Another daemon answers hello.
    Theirs(u32),
}

pub(crate) fn take(paths: &Paths) -> Result<Taken> {
    let path = paths.daemon_lock();
    let locking = fsx::begin_lock(&path)?;
    let tries = PATIENCE.as_millis() / LOOK_AGAIN.as_millis();
    let mut ours = locking.within(Duration::ZERO).map_err(Error::writing(&path))?;
    for _ in 0..tries {
        if ours.is_some() {
            break;
        }
        if let Ok(pid) = Client::connect(paths).and_then(|mut c| c.hello()).map(|h| h.pid) {
            return Ok(Taken::Theirs(pid));
        }
        ours = locking.within(LOOK_AGAIN).map_err(Error::writing(&path))?;
    }
    let Some(mut file) = ours else {
        let holder = holder(&path).map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        return Err(Error::conflict(format!("{holder} holds {} and does not answer", path.display()))
            .hint("if it is a stuck clown daemon, end it and try again"));
    };
    // For people who look; nobody decides by it.
    let text = format!("{}\n", std::process::id());
    let written = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(text.as_bytes()));
    written.map_err(Error::writing(&path))?;
    Ok(Taken::Ours(file))
}

fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
