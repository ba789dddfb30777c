//! A publisher's working tree: would a client take it?

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::Path,
};

use crate::{
    base::error::{Error, Result},
    wire::{
        manifest::Problem,
        registry::{Kind, Linted},
    },
};

use super::{
    client::{Check, Registry},
    index::LONGEST_ENTRY,
    names, settle,
    store::{INDEX, SIGNATURES},
};

impl Registry {
    /// Checks names, sizes, kinds and content of every file below a directory. Names that start with a dot at its top, a README, a
    /// LICENSE and the index are the publisher's own; everything else that is no entry is told as a stray. Errors: `NotFound`, `Io`.
    pub fn lint(dir: &Path, check: Check<'_>) -> Result<Linted> {
        if !fs::metadata(dir).is_ok_and(|m| m.is_dir()) {
            return Err(Error::not_found(format!("{} is not a directory", dir.display())));
        }
        let mut linted = Linted { artifacts: 0, problems: Vec::new() };
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for path in settle::files_below(dir)?.into_iter().filter(|p| !is_own(p)) {
            match lint_file(dir, &path, check) {
                Ok(()) => linted.artifacts += 1,
                Err(problem) => linted.problems.push(problem),
            }
            if let Some(other) = seen.insert(path.to_lowercase(), path.clone()) {
                linted.problems.push(problem(&path, format!("differs from {other} in case only")));
            }
        }
        Ok(linted)
    }
}

fn is_own(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or(path);
    let text = |stem: &str| top.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('-'));
    top.starts_with('.') || (top == path && (text("README") || text("LICENSE") || top == INDEX || top == SIGNATURES))
}

fn lint_file(dir: &Path, path: &str, check: Check<'_>) -> Result<(), Problem> {
    let fail = |why: String| problem(path, why);
    let (kind, id) = names::of_path(path).ok_or_else(|| fail(format!("is a stray: entries are {}", places())))?;
    names::check_id(kind, id).map_err(fail)?;
    let file = dir.join(path);
    let meta = fs::symlink_metadata(&file).map_err(|e| fail(e.to_string()))?;
    if !meta.is_file() {
        return Err(fail("is a link or no file".into()));
    }
    if meta.len() > LONGEST_ENTRY {
        return Err(fail(format!("is {} bytes long, more than {LONGEST_ENTRY}", meta.len())));
    }
    let mut bytes = Vec::new();
    File::open(&file).and_then(|f| f.take(LONGEST_ENTRY).read_to_end(&mut bytes)).map_err(|e| fail(e.to_string()))?;
    check(kind, id, &bytes).map_err(|p| Problem { file: path.to_owned(), ..p })
}

fn places() -> String {
    let id = |kind: Kind| if kind == Kind::Template { "<agent>/<name>" } else { "<id>" };
    let kinds = [Kind::Agent, Kind::Provider, Kind::Script, Kind::Template, Kind::Models];
    kinds.map(|k| k.path(id(k))).join(", ")
}

fn problem(path: &str, message: String) -> Problem {
    Problem { file: path.to_owned(), line: None, key: None, message }
}
