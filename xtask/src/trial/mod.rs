//! `trial`: from a bare Debian to a run and back, with what `cargo xtask dist` made, served on loopback.
//!
//! As root on Linux only: it makes a root directory of its own below `target/` with debootstrap (once), and runs everything in it.

mod rootfs;
mod steps;

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::bench::{machine, record};
use crate::outcome::{Failure, Outcome, step};
use crate::{agents, dirs, setup, shell, usage};

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &[])?;
    if !cfg!(target_os = "linux") || !shell::is_root() {
        return Err(Failure::new("the trial makes a root directory of its own, which only root on Linux may"));
    }
    let dist = dist()?;
    setup::debootstrap()?;
    let bin = step("agent", || agents::ensure(&[agents::CODEX]))?;
    let base = step("bare system", rootfs::base)?;
    let root = step("a fresh copy of it", || rootfs::Root::fresh(&base))?;
    let figures = steps::play(&root, &dist, &bin)?;
    eprintln!("\n{figures}");
    let machine = machine::describe_for("the release of `cargo xtask dist`");
    record::keep("trial", &format!("## From install to uninstall\n\n{machine}\n\n```\n{figures}\n{}```", sizes(&dist)?))
}

/// Of what is installed from; one line each.
fn sizes(dist: &Path) -> Result<String, Failure> {
    let cannot = |err: io::Error| Failure::new(format!("cannot read {}: {err}", dist.display()));
    let mut lines = Vec::new();
    for entry in fs::read_dir(dist).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let megabytes = entry.metadata().map_err(cannot)?.len() as f64 / 1e6;
        if megabytes >= 1.0 {
            lines.push(format!("{megabytes:>8.1} MB {}\n", entry.file_name().to_string_lossy()));
        }
    }
    lines.sort();
    Ok(lines.concat())
}

/// What dist made.
fn dist() -> Result<PathBuf, Failure> {
    let dir = dirs::target().join("dist");
    if dir.join("install.sh").is_file() && dir.join("SHA256SUMS").is_file() {
        return Ok(dir);
    }
    Err(Failure::new(format!("there is no release in {}", dir.display())).hint("make one: cargo xtask dist --test-key"))
}
