//! The Python whose packages are the ones `tests/sdk/requirements.txt` names.

use std::path::{Path, PathBuf};

/// The Python that `cargo xtask setup --tests` prepares. Its absence is a failure: its tests never pass by not running.
pub fn python() -> PathBuf {
    let named = std::env::var_os("CLOWN_TEST_SDK").map(PathBuf::from);
    let dir = named.unwrap_or_else(|| Path::new(env!("CARGO_BIN_EXE_clown")).ancestors().nth(2).unwrap().join("sdk"));
    let python = dir.join("venv/bin/python");
    assert!(python.exists(), "no Python packages in {}: run `cargo xtask setup --tests` first", dir.display());
    python
}
