//! The files tidy looks at, read once.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::scan::Views;
use crate::outcome::Failure;

/// One Rust file.
pub(crate) struct Source {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) raw: String,
    pub(crate) views: Views,
}

pub(crate) struct Tree {
    root: PathBuf,
    pub(crate) sources: Vec<Source>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) rule: String,
    pub(crate) todo: String,
}

impl Violation {
    pub(crate) fn new(path: &str, line: usize, rule: impl Into<String>, todo: &str) -> Self {
        Self { path: path.to_owned(), line, rule: rule.into(), todo: todo.to_owned() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.rule, self.todo)
    }
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for dir in ["src", "tests", "xtask/src"] {
            rust_files(&root.join(dir), &mut files).map_err(|err| Failure::new(format!("cannot list {dir}/: {err}")))?;
        }
        files.sort();
        let sources = files.iter().map(|file| Source::read(root, file)).collect::<Result<Vec<_>, _>>()?;
        if !sources.iter().any(Source::is_ours) {
            return Err(Failure::new(format!("no Rust files under {}", root.join("src").display())));
        }
        Ok(Self { root: root.to_path_buf(), sources })
    }

    /// A document of the repository, if it is there.
    pub(crate) fn document(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root.join(name)).ok()
    }

    /// The directories directly under `src`.
    pub(crate) fn parts(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .sources
            .iter()
            .filter_map(|source| source.path.strip_prefix("src/")?.split_once('/'))
            .map(|(dir, _)| dir.to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Source {
    pub(crate) fn new(path: &str, raw: &str) -> Self {
        Self { path: path.to_owned(), raw: raw.to_owned(), views: Views::of(raw) }
    }

    /// Part of the program, as opposed to its tests and tools.
    pub(crate) fn is_ours(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The module path from the crate's root: `src/wire/profile.rs` is `wire`, `profile`.
    pub(crate) fn module(&self) -> Vec<&str> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<&str> = inside.split('/').collect();
        if matches!(parts.last(), Some(&"mod" | &"main" | &"lib")) {
            parts.pop();
        }
        parts
    }

    /// The first line (from 1) that counts as test code: all of a `tests.rs`, else from `#[cfg(test)]` to the end,
    /// where that attribute opens a module and does not just declare one.
    pub(crate) fn tests_from(&self) -> usize {
        if self.path.ends_with("/tests.rs") || self.path.contains("/tests/") {
            return 1;
        }
        let lines: Vec<&str> = self.views.code.lines().map(str::trim).collect();
        let opens = |at: &usize| {
            ["#[cfg(test)]", "#[cfg(all(test,"].iter().any(|attribute| lines[*at].starts_with(attribute))
                && !lines[*at..].iter().take(2).any(|line| line.ends_with(';'))
        };
        (0..lines.len()).find(opens).map_or(usize::MAX, |at| at + 1)
    }

    fn read(root: &Path, file: &Path) -> Result<Self, Failure> {
        let raw = fs::read_to_string(file).map_err(|err| Failure::new(format!("cannot read {}: {err}", file.display())))?;
        let path = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        Ok(Self::new(&path, &raw))
    }
}

pub(crate) fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        assert_eq!(Source::new("src/wire/profile.rs", "").module(), ["wire", "profile"]);
        assert_eq!(Source::new("src/wire/mod.rs", "").module(), ["wire"]);
        assert_eq!(Source::new("src/app.rs", "").module(), ["app"]);
        assert!(Source::new("src/lib.rs", "").module().is_empty());
    }

    #[test]
    fn where_tests_begin() {
        assert_eq!(Source::new("src/a.rs", "#[cfg(all(test, unix))]\nmod tests {\n}\n").tests_from(), 1);
        assert_eq!(Source::new("src/a.rs", "#[cfg(not(test))]\nfn a() {}\n").tests_from(), usize::MAX);
        assert_eq!(Source::new("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n").tests_from(), 2);
        assert_eq!(Source::new("src/a.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n").tests_from(), usize::MAX);
        assert_eq!(Source::new("src/a.rs", "// #[cfg(test)]\nfn a() {}\n").tests_from(), usize::MAX);
        assert_eq!(Source::new("src/a/tests.rs", "fn a() {}\n").tests_from(), 1);
    }
}
