//! From a directory to the file that holds for it.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use super::Binding;
use crate::base::error::{Error, Result};

pub const FILE: &str = ".clown.toml";

/// More than anybody writes into one.
const MOST: u64 = 64 * 1024;

/// A file that chooses a profile.
#[derive(Clone, Debug)]
pub struct Found {
    pub path: PathBuf,
    pub text: String,
    pub binding: Binding,
}

/// Why no directory above this one was looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    Found,
    /// The user's home.
    Home(PathBuf),
    /// The directory above is on another file system.
    Border(PathBuf),
    Root,
}

/// The nearest file that chooses a profile, from `dir` upwards. One that names none is passed by.
pub fn find(dir: &Path, home: &Path) -> Result<(Option<Found>, Stop)> {
    let mut at = fs::canonicalize(dir).map_err(Error::reading(dir))?;
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    loop {
        let path = at.join(FILE);
        if let Some(text) = read(&path)? {
            let binding = Binding::parse(&path, &text)?;
            if binding.profile.is_some() {
                return Ok((Some(Found { path, text, binding }), Stop::Found));
            }
        }
        if at == home {
            return Ok((None, Stop::Home(at)));
        }
        let Some(above) = at.parent().map(Path::to_owned) else { return Ok((None, Stop::Root)) };
        if !same_file_system(&at, &above) {
            return Ok((None, Stop::Border(at)));
        }
        at = above;
    }
}

/// Its text; `None` when there is none. What is checked is what is read: the open file.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    // Opening anything else, such as a pipe, could wait for ever.
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => {}
        Ok(_) => return Err(Error::invalid(format!("{} is no file", path.display())).hint("move it away")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::reading(path)(e)),
    }
    let file = File::open(path).map_err(Error::reading(path))?;
    check_owner(path, &file)?;
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text).map_err(Error::reading(path))?;
    if text.len() as u64 > MOST {
        return Err(
            Error::invalid(format!("{} is larger than {} KiB", path.display(), MOST / 1024)).hint("remove what does not belong there")
        );
    }
    Ok(Some(text))
}

#[cfg(unix)]
fn check_owner(path: &Path, file: &File) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let meta = file.metadata().map_err(Error::reading(path))?;
    refuse(path, meta.uid(), meta.mode(), crate::base::os::uid())
}

#[cfg(unix)]
fn refuse(path: &Path, owner: u32, mode: u32, me: u32) -> Result<()> {
    if owner != me {
        return Err(Error::refused(format!("{} belongs to another user (uid {owner})", path.display()))
            .hint("name the profile yourself: clown run ALIAS"));
    }
    if mode & 0o002 != 0 {
        return Err(Error::refused(format!("{} may be written by anybody", path.display()))
            .hint(format!("take that right away: chmod o-w {}", path.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_path: &Path, _file: &File) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn same_file_system(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    matches!((fs::metadata(a), fs::metadata(b)), (Ok(a), Ok(b)) if a.dev() == b.dev())
}

#[cfg(not(unix))]
fn same_file_system(_a: &Path, _b: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_of_another_user_or_open_to_anybody_is_refused() {
        let path = Path::new("/x/.clown.toml");
        refuse(path, 7, 0o100_644, 7).unwrap();
        refuse(path, 7, 0o100_664, 7).unwrap();
        assert!(refuse(path, 0, 0o100_644, 7).unwrap_err().to_string().contains("another user"));
        assert!(refuse(path, 7, 0o100_666, 7).unwrap_err().to_string().contains("by anybody"));
    }

    #[test]
    fn the_nearest_file_counts_and_the_home_is_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let (home, deep) = (root.join("home"), root.join("home/a/b"));
        fs::create_dir_all(&deep).unwrap();
        let put = |place: &Path, text: &str| fs::write(place.join(FILE), text).unwrap();
        put(&root, "profile = \"above-the-home\"\n");
        assert_eq!(find(&deep, &home).unwrap().1, Stop::Home(home.clone()));
        put(&home, "profile = \"home\"\n");
        put(&home.join("a"), "args = [\"-x\"]\n");
        let found = find(&deep, &home).unwrap().0.unwrap();
        assert_eq!(found.path, home.join(FILE), "one without a profile is passed by");
        put(&deep, "profile = \"near\"\n");
        assert_eq!(find(&deep, &home).unwrap().0.unwrap().binding.profile.unwrap().as_str(), "near");
        for bad in ["profile = \"../x\"\n", "profil = \"x\"\n", "profile = ", "profile = \"x\"\n[env]\nLD_PRELOAD = \"x\"\n"] {
            put(&deep, bad);
            assert!(find(&deep, &home).is_err(), "{bad}");
        }
    }
}
