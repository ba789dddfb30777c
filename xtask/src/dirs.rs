//! Where things are. The only file that computes a path of the repository or of the build directory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::outcome::Failure;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map(Path::to_path_buf).unwrap_or(manifest)
}

/// The build directory: `CARGO_TARGET_DIR` (relative to the current directory, as cargo reads it) or `target/`.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => env::current_dir().unwrap_or_else(|_| root()).join(dir),
        None => root().join("target"),
    }
}

/// A directory under the build directory, created and proved writable.
pub(crate) fn under_target(name: &str) -> Result<PathBuf, Failure> {
    let dir = target().join(name);
    let probe = dir.join(".writable");
    fs::create_dir_all(&dir).and_then(|()| fs::write(&probe, b"")).and_then(|()| fs::remove_file(&probe)).map_err(|err| {
        Failure::new(format!("cannot write to {}: {err}", dir.display()))
            .hint("another user may own it; build elsewhere: CARGO_TARGET_DIR=\"$HOME/.cache/clown-target\" cargo xtask ...")
    })?;
    Ok(dir)
}

/// Two tasks at once take turns; the lock ends with the process.
pub(crate) fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join("lock");
    File::create(&path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|err| Failure::new(format!("cannot lock {}: {err}", path.display())))
}

/// The `clown` binary of a profile (`debug` or `release`).
pub(crate) fn clown(profile: &str) -> PathBuf {
    target().join(profile).join(format!("clown{}", env::consts::EXE_SUFFIX))
}
