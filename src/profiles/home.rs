//! Makes a profile home ready, and removes it.

use std::{fs, path::Path};

use crate::base::{
    error::{Error, Result},
    fsx, os,
};

/// Makes the home (0700) and the agent's directories in it. Returns nothing it did not make.
pub fn prepare(home: &Path, dirs: &[String]) -> Result<()> {
    fsx::create_private_dir(home)?;
    let meta = fs::symlink_metadata(home).map_err(Error::reading(home))?;
    if !meta.is_dir() {
        return Err(Error::refused(format!("the profile home {} is a link or a file", home.display())).hint("move it away and try again"));
    }
    for dir in dirs {
        inside(home, dir)?;
        fsx::create_private_dir(&home.join(dir))?;
    }
    Ok(())
}

/// Refuses a relative path of which any existing part is a link: it would lead out of the home.
pub(crate) fn inside(home: &Path, relative: &str) -> Result<()> {
    let mut path = home.to_owned();
    for part in relative.split('/') {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_symlink() => {
                return Err(Error::refused(format!("{} is a link; clown writes only inside the profile home", path.display()))
                    .hint("remove the link, or put a directory of its own there"));
            }
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::reading(&path)(e)),
        }
    }
    Ok(())
}

/// Removes a profile home and everything in it. Links are removed, what they point to stays.
pub fn purge(home: &Path) -> Result<()> {
    let deep_enough = home.components().count() >= 3;
    let ours =
        home.parent().and_then(Path::file_name).and_then(|n| n.to_str()).is_some_and(|n| n.starts_with('.') && n.ends_with("-profiles"));
    if !deep_enough || !ours {
        return Err(Error::refused(format!("{} is not a profile home made by clown; it is left as it is", home.display())));
    }
    // Only when it was the last one.
    let forget_parent = || home.parent().map(fs::remove_dir);
    match fs::symlink_metadata(home) {
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            forget_parent();
            return Ok(());
        }
        Ok(meta) if meta.is_symlink() => return fsx::remove(home),
        _ => {}
    }
    // `remove_dir_all` does not follow links; the directory is moved first so that a half-removed
    // home never stands under its own name.
    let grave = home.with_file_name(format!(".removed-{}-{}", std::process::id(), home.file_name().unwrap_or_default().to_string_lossy()));
    fs::rename(home, &grave).map_err(Error::writing(home))?;
    fs::remove_dir_all(&grave).map_err(Error::writing(&grave))?;
    forget_parent();
    Ok(())
}

/// Some agents leave megabytes in TMPDIR at each run and never come back for them.
const TMP_KEPT: std::time::Duration = std::time::Duration::from_secs(6 * 3600);

/// TMPDIR of a profile: private, and gone after a restart of the machine, so made before each run.
/// Entries that were not touched for hours are removed.
pub fn prepare_tmp(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        os::private_dir(parent)?;
    }
    os::private_dir(path)?;
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let old = |m: fs::Metadata| m.modified().ok().and_then(|t| t.elapsed().ok()).is_some_and(|age| age > TMP_KEPT);
        if fs::symlink_metadata(entry.path()).is_ok_and(|m| m.is_file() && old(m)) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn purge_leaves_what_links_point_to_and_refuses_other_directories() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        fs::create_dir(&real).unwrap();
        fs::write(real.join("keep"), "x").unwrap();
        let home = dir.path().join(".claude-profiles/work");
        prepare(&home, &[".claude".into()]).unwrap();
        os::symlink(&real, &home.join("link")).unwrap();
        purge(&home).unwrap();
        assert!(!home.exists() && real.join("keep").exists());
        assert!(purge(&real).is_err() && real.exists());
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join(".a-profiles/x");
        prepare(&home, &[]).unwrap();
        os::symlink(dir.path(), &home.join(".claude")).unwrap();
        assert!(prepare(&home, &[".claude/inner".into()]).is_err());
        assert!(!dir.path().join("inner").exists());
    }
}
