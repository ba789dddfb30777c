//! A SQLite database as it is at one moment, also while its program writes.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use crate::base::error::{Error, Result};

/// Writes a copy to `to`, which must not be there.
pub fn snapshot(from: &Path, to: &Path) -> Result<()> {
    let failed = |e: rusqlite::Error| Error::io(format!("the database {} cannot be read", from.display())).cause(e);
    let target = to.to_str().ok_or_else(|| Error::invalid("a path is not valid UTF-8"))?;
    let database = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    database.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
    database.execute("VACUUM INTO ?1", [target]).map(drop).map_err(failed)
}
