//! Files of a profile home that come in: only those that the agent's manifest names.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{HOMES, plan::Plan, some_of};
use crate::{
    base::{
        error::{Error, Result},
        fsx,
    },
    moving::{journal::Step, select::names},
    profiles::{PENDING, inside},
    wire::manifest::HomeFiles,
};

/// Steps for the files of one home. `was` is the home it had, whose path settings may name.
pub(super) fn plan(plan: &mut Plan<'_>, stem: &str, was: &str, home: &Path, spec: &HomeFiles) -> Result<usize> {
    let mut count = 0;
    let (mut foreign, mut kept) = (Vec::new(), Vec::new());
    let fresh = fs::symlink_metadata(home).is_err();
    // On the home's own file system.
    let staging = beside(plan, home)?;
    let root = staging.join("out").join(home.file_name().unwrap_or_default());
    for (part, known) in [("settings", [&spec.settings, &[][..].to_vec()]), ("history", [&spec.history, &spec.databases])] {
        let dir = format!("{HOMES}/{stem}/{part}");
        let files: Vec<(String, bool)> = plan.unpacked.below(&dir).map(|(path, listed)| (path.to_owned(), listed.executable)).collect();
        for (path, executable) in files {
            if !known.iter().any(|entries| names(entries, &path)) {
                foreign.push(path);
                continue;
            }
            let from = plan.unpacked.place(&format!("{dir}/{path}"));
            if part == "settings" {
                relocate(&from, was, &home.to_string_lossy())?;
            }
            let to = join(home, &path);
            if !fresh {
                inside(home, &path)?;
                if same(&from, &to)? {
                    continue;
                }
                // Of two histories neither is thrown away.
                if part == "history" && fs::symlink_metadata(&to).is_ok() {
                    kept.push(path);
                    continue;
                }
            }
            let out = join(&root, &path);
            bring(&from, &out, executable)?;
            count += 1;
            if !fresh {
                let aside = join(&staging.join("aside").join(home.file_name().unwrap_or_default()), &path);
                plan.steps.push(Step { from: out, to, aside });
            }
        }
    }
    let pending = parts(plan, stem, spec, &mut foreign)?;
    if !pending.is_empty() {
        count += pending.len();
        let text = serde_json::to_vec(&pending).map_err(|e| Error::defect("parts of settings cannot be encoded").cause(e))?;
        let out = join(&root, PENDING);
        fsx::write_atomic(&out, &text, fsx::Mode::Private)?;
        if !fresh {
            inside(home, PENDING)?;
            let aside = join(&staging.join("aside").join(home.file_name().unwrap_or_default()), PENDING);
            plan.steps.push(Step { from: out, to: join(home, PENDING), aside });
        }
    }
    if fresh && count > 0 {
        let aside = staging.join("aside").join(home.file_name().unwrap_or_default());
        plan.steps.push(Step { from: root, to: home.to_owned(), aside });
    }
    let mut tell = |paths: &[String], why: &str| {
        if !paths.is_empty() {
            plan.warnings.push(format!("of profile {stem} {why}: {}", some_of(paths)));
        }
    };
    tell(&foreign, "these are no files that move, and are left out");
    tell(&kept, "these are here already in another form, and stay as they are here");
    Ok(count)
}

/// What of the agent's own JSON files is the user's. It is merged when these files are there.
fn parts(plan: &Plan<'_>, stem: &str, spec: &HomeFiles, foreign: &mut Vec<String>) -> Result<Map<String, Value>> {
    let dir = format!("{HOMES}/{stem}/parts");
    let mut pending = Map::new();
    for (path, _) in plan.unpacked.below(&dir) {
        let Some(wanted) = spec.parts.get(path) else {
            foreign.push(path.to_owned());
            continue;
        };
        if let Some(Value::Object(mut map)) = plan.unpacked.json(&format!("{dir}/{path}"))? {
            map.retain(|name, _| wanted.contains(name));
            pending.insert(path.to_owned(), Value::Object(map));
        }
    }
    Ok(pending)
}

/// The import's own directory beside a home.
fn beside(plan: &mut Plan<'_>, home: &Path) -> Result<PathBuf> {
    let parent = home.parent().ok_or_else(|| Error::invalid(format!("{} cannot be a home", home.display())))?;
    let staging = parent.join(plan.staging.file_name().unwrap_or_default());
    fsx::create_private_dir(parent)?;
    plan.journal.also(staging.clone())?;
    Ok(staging)
}

fn join(dir: &Path, path: &str) -> PathBuf {
    path.split('/').fold(dir.to_owned(), |dir, part| dir.join(part))
}

fn same(a: &Path, b: &Path) -> Result<bool> {
    match fs::symlink_metadata(b) {
        Ok(meta) if meta.is_file() && meta.len() == fs::metadata(a).map_err(Error::reading(a))?.len() => {
            let hash = |path: &Path| -> io::Result<blake3::Hash> {
                let mut hasher = blake3::Hasher::new();
                io::copy(&mut File::open(path)?, &mut hasher)?;
                Ok(hasher.finalize())
            };
            Ok(hash(a).map_err(Error::reading(a))? == hash(b).map_err(Error::reading(b))?)
        }
        _ => Ok(false),
    }
}

/// Settings that name files of their own home name them in the new one.
fn relocate(file: &Path, was: &str, home: &str) -> Result<()> {
    if was == home || was.len() < 2 {
        return Ok(());
    }
    let bytes = fs::read(file).map_err(Error::reading(file))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(was) => fsx::write_atomic(file, text.replace(was, home).as_bytes(), fsx::Mode::Private),
        _ => Ok(()),
    }
}

/// Moves a file, over to another file system where it must, and has it on disk.
pub(super) fn bring(from: &Path, to: &Path, executable: bool) -> Result<()> {
    if let Some(dir) = to.parent() {
        fsx::create_private_dir(dir)?;
    }
    match fs::rename(from, to) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(from, to).map_err(Error::writing(to))?;
        }
        Err(e) => return Err(Error::writing(to)(e)),
    }
    let file = File::open(to).map_err(Error::writing(to))?;
    #[cfg(unix)]
    if executable {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(Error::writing(to))?;
    }
    #[cfg(not(unix))]
    let _ = executable;
    file.sync_all().map_err(Error::writing(to))
}
