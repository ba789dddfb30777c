//! What goes beside the program into an archive.

use std::{fs, path::Path};

use super::Release;
use crate::Outcome;

/// A plain file, for everybody to read.
#[derive(Clone)]
pub(crate) struct File {
    /// With `/`.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Where completions are in the repository and archives, and how shells want them called.
pub(crate) const COMPLETIONS: &[(&str, &str)] =
    &[("clown.bash", "clown"), ("clown.zsh", "_clown"), ("clown.fish", "clown.fish"), ("clown.ps1", "clown.ps1")];

pub(crate) fn files(release: &Release, man: &Path, third_party: Vec<u8>) -> Outcome<Vec<File>> {
    let mut files = Vec::new();
    for name in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        files.push(File { path: name.to_owned(), bytes: release.read(name)? });
    }
    files.push(File { path: "THIRD-PARTY-LICENSES".to_owned(), bytes: third_party });
    for (name, _) in COMPLETIONS {
        files.push(File { path: format!("completions/{name}"), bytes: release.read(&format!("assets/completions/{name}"))? });
    }
    let told = |e: std::io::Error| format!("cannot read {}: {e}", man.display());
    let mut pages: Vec<_> =
        fs::read_dir(man).map_err(told)?.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "1")).collect();
    pages.sort();
    if pages.is_empty() {
        return Err(format!("{} has no manual page", man.display()));
    }
    for page in pages {
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push(File { path: format!("man/{name}"), bytes: crate::read(&page)? });
    }
    Ok(files)
}
