//! `ui`: builds the web UI from `assets/ui` into `assets/dist`, which is committed, so that `cargo build` needs no node.
//! `ui --check`: builds it again elsewhere, and fails when the bytes differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dirs;
use crate::outcome::{Failure, Outcome, step};
use crate::shell::{self, run};
use crate::usage;

fn source() -> PathBuf {
    dirs::root().join("assets/ui")
}

fn dist() -> PathBuf {
    dirs::root().join("assets/dist")
}

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &["--check"])?;
    step("packages of the web UI", packages)?;
    if args.contains(&"--check") {
        return step("web UI as it is committed", check);
    }
    step("web UI", || build(&dist()))
}

/// What `package-lock.json` pins, and nothing else. No package's script runs.
pub(crate) fn packages() -> Outcome {
    let lock = source().join("package-lock.json");
    // npm leaves this file behind as the last thing; a lock that is newer is not what is installed.
    let done = source().join("node_modules/.package-lock.json");
    let time = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    if time(&done).is_some_and(|done| time(&lock).is_some_and(|lock| done >= lock)) {
        return Ok(());
    }
    let mut npm = npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(&mut npm).map_err(|failure| failure.hint("it needs Node.js 20.19 or newer, and the npm registry at the first time"))
}

fn npm(args: &[&str]) -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(args).current_dir(source());
    npm
}

fn build(out: &Path) -> Outcome {
    run(npm(&["run", "build", "--silent"]).env("CLOWN_UI_OUT", out).env("NODE_ENV", "production"))
}

fn check() -> Outcome {
    let again = dirs::under_target("ui-check")?;
    build(&again)?;
    let (kept, made) = (files(&dist())?, files(&again)?);
    for (name, bytes) in &made {
        match kept.get(name) {
            None => return Err(differs(&format!("{name} is missing"))),
            Some(old) if old != bytes && !same_inside(name, &again) => return Err(differs(&format!("{name} is another"))),
            Some(_) => {}
        }
    }
    match kept.keys().find(|name| !made.contains_key(*name)) {
        Some(name) => Err(differs(&format!("{name} is no longer made"))),
        None => Ok(()),
    }
}

fn differs(what: &str) -> Failure {
    Failure::new(format!("assets/dist is not what assets/ui gives: {what}")).hint("build it and commit it: cargo xtask ui")
}

/// Another release of node may compress to other bytes. What is inside must be the same.
fn same_inside(name: &str, again: &Path) -> bool {
    let packed = name.ends_with(".br") || name.ends_with(".gz");
    let mut node = Command::new("node");
    node.current_dir(source()).arg("build/compress.mjs").arg("same").arg(dist().join(name)).arg(again.join(name));
    packed && shell::works(&mut node)
}

/// Every file below a directory, by its path with `/`.
fn files(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let failed = |err: std::io::Error| Failure::new(format!("cannot read {}: {err}", dir.display()));
    let mut found = BTreeMap::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(&at).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                todo.push(path);
            } else if let Ok(below) = path.strip_prefix(dir) {
                let name = below.to_string_lossy().replace('\\', "/");
                found.insert(name, fs::read(&path).map_err(failed)?);
            }
        }
    }
    Ok(found)
}
