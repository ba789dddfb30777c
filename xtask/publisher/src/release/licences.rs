//! The licences of everything that is linked into the program, with their texts as the packages bring them.

use std::{fmt::Write, fs};

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

/// Files of a package that look like its licence, sorted by name.
fn texts(package: &Package) -> Outcome<Vec<(String, String)>> {
    let dir = package.manifest_path.parent().ok_or_else(|| format!("{} has no directory", package.name))?;
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| format!("cannot read {dir}: {e}"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let upper = name.to_uppercase();
        let is_one = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT"].iter().any(|begin| upper.starts_with(begin));
        if is_one && entry.path().is_file() {
            let bytes = fs::read(entry.path()).map_err(|e| format!("cannot read {}: {e}", entry.path().display()))?;
            found.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found.sort();
    Ok(found)
}
