//! The licences of everything that is linked into the program, with their texts as the packages bring them.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, Package};

use super::linked;
use crate::Outcome;

pub(crate) fn text(metadata: &Metadata) -> Outcome<String> {
    let mut all = String::from("clown contains the packages below, each under its own licence.\n");
    for (package, _) in linked(metadata)?.into_iter().skip(1) {
        let licence = package.license.as_deref().unwrap_or("see the text below");
        let line = "-".repeat(78);
        let _ = write!(all, "\n{line}\n{} {}\n{licence}\n", package.name, package.version);
        if let Some(repository) = &package.repository {
            let _ = writeln!(all, "{repository}");
        }
        for (name, text) in texts(package)? {
            let _ = write!(all, "\n[{name}]\n\n{}\n", text.trim());
        }
    }
    Ok(all)
}

/// Files of a package that look like a licence, sorted by name; also one directory down, where packages keep what they took from others.
fn texts(package: &Package) -> Outcome<Vec<(String, String)>> {
    let dir = package.manifest_path.parent().ok_or_else(|| format!("{} has no directory", package.name))?.as_std_path();
    let mut found = Vec::new();
    for path in [files(dir)?, directories(dir)?.iter().map(|d| files(d)).collect::<Outcome<Vec<_>>>()?.concat()].concat() {
        let upper = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT"].iter().any(|begin| upper.starts_with(begin)) {
            let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.push((name, String::from_utf8_lossy(&crate::read(&path)?).into_owned()));
        }
    }
    found.sort();
    Ok(found)
}

fn files(dir: &Path) -> Outcome<Vec<PathBuf>> {
    Ok(entries(dir)?.into_iter().filter(|path| path.is_file()).collect())
}

fn directories(dir: &Path) -> Outcome<Vec<PathBuf>> {
    Ok(entries(dir)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn entries(dir: &Path) -> Outcome<Vec<PathBuf>> {
    let read = fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
    Ok(read.flatten().map(|entry| entry.path()).collect())
}
