//! Which files of a home are moved: only what the agent's manifest names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::base::{error::Result, glob};

/// A file of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Relative to the home, with `/`.
    pub path: String,
    pub place: PathBuf,
    pub executable: bool,
}

/// Directories nest no deeper than this.
const DEEPEST: usize = 32;

/// The plain files that these entries name. Links, sockets and names that are no text are left out, and told in `left`.
pub fn files(home: &Path, entries: &[String], left: &mut Vec<String>) -> Result<Vec<Picked>> {
    let mut picked = Vec::new();
    for entry in entries {
        for path in expand(home, entry) {
            collect(home, &path, DEEPEST, &mut picked, left);
        }
    }
    picked.sort_by(|a, b| a.path.cmp(&b.path));
    picked.dedup_by(|a, b| a.path == b.path);
    Ok(picked)
}

/// Whether an entry names this path, or a directory above it.
pub fn names(entries: &[String], path: &str) -> bool {
    entries.iter().any(|entry| {
        let (wanted, have): (Vec<&str>, Vec<&str>) = (entry.split('/').collect(), path.split('/').collect());
        have.len() >= wanted.len() && wanted.iter().zip(&have).all(|(pattern, part)| glob::matches(pattern, part))
    })
}

/// An entry's paths: each part may have `*` in it.
fn expand(home: &Path, entry: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in entry.split('/') {
        let mut next = Vec::new();
        for parent in found {
            let join = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
            if !part.contains('*') {
                next.push(join(part));
                continue;
            }
            // What is behind a link is not of this home.
            let dir = home.join(&parent);
            if fs::symlink_metadata(&dir).is_ok_and(|m| m.is_dir()) {
                let names = fs::read_dir(&dir).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok());
                next.extend(names.filter(|name| glob::matches(part, name)).map(|name| join(&name)));
            }
        }
        found = next;
    }
    found
}

fn collect(home: &Path, path: &str, depth: usize, picked: &mut Vec<Picked>, left: &mut Vec<String>) {
    let place = home.join(path);
    let linked = place.parent().is_some_and(|parent| has_link(home, parent));
    let Ok(meta) = fs::symlink_metadata(&place) else { return };
    if meta.is_dir() && !linked && depth > 0 {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            match entry.file_name().to_str() {
                Some(name) => collect(home, &format!("{path}/{name}"), depth - 1, picked, left),
                None => left.push(format!("{path}/{}", entry.file_name().to_string_lossy())),
            }
        }
    } else if meta.is_file() && !linked {
        picked.push(Picked { path: path.to_owned(), executable: executable(&meta), place });
    } else {
        left.push(path.to_owned());
    }
}

/// Whether a directory between the home and this one is a link.
fn has_link(home: &Path, dir: &Path) -> bool {
    dir.ancestors().take_while(|dir| *dir != home).any(|dir| fs::symlink_metadata(dir).is_ok_and(|m| m.is_symlink()))
}

fn executable(meta: &fs::Metadata) -> bool {
    #[cfg(unix)]
    let bits = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o100 != 0;
    #[cfg(not(unix))]
    let bits = {
        let _ = meta;
        false
    };
    bits
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_and_nothing_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        for path in ["a/settings.json", "a/skills/x/run.sh", "a/secret.json", "a/p/one/t.jsonl", "a/p/two/t.jsonl", "out/x"] {
            let path = if path.starts_with("out") { dir.path().join(path) } else { home.join(path) };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        std::os::unix::fs::symlink(dir.path().join("out"), home.join("a/skills/linked")).unwrap();
        let entries: Vec<String> = ["a/settings.json", "a/skills", "a/p/*/t.jsonl", "a/none"].map(String::from).into();
        let mut left = Vec::new();
        let found: Vec<String> = files(&home, &entries, &mut left).unwrap().into_iter().map(|p| p.path).collect();
        assert_eq!(found, ["a/p/one/t.jsonl", "a/p/two/t.jsonl", "a/settings.json", "a/skills/x/run.sh"]);
        assert_eq!(left, ["a/skills/linked"]);
        assert!(names(&entries, "a/skills/x/y") && names(&entries, "a/p/q/t.jsonl"));
        assert!(!names(&entries, "a/secret.json") && !names(&entries, "a/p/q/u.jsonl") && !names(&entries, "a"));
    }
}
