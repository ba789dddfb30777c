//! `platforms`: type-checks for the systems this machine is not.
//!
//! Nothing is linked, so the C parts need not exist: `cmake`, `cc` and `ar` are stubs that do nothing and succeed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::outcome::{Failure, Outcome, step};
use crate::shell::{self, cargo, run};
use crate::{dirs, usage};

const TARGETS: &[&str] = &["x86_64-unknown-linux-musl", "x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &["--allow-missing"])?;
    let allow_missing = args.contains(&"--allow-missing");
    let stubs = dirs::under_target("stubs")?;
    for tool in ["cmake", "cc", "ar"] {
        write_stub(&stubs.join(tool))?;
    }
    let (mut broken, mut unchecked) = (Vec::new(), Vec::new());
    for target in TARGETS {
        match add_target(target) {
            Ok(()) => {
                if let Err(failure) = step(&format!("check {target}"), || check(target, &stubs)) {
                    eprintln!("    {failure}");
                    broken.push(*target);
                }
            }
            Err(why) => {
                eprintln!("    {target}: NOT checked, {why}");
                unchecked.push(*target);
            }
        }
    }
    if !broken.is_empty() {
        return Err(Failure::new(format!("does not compile for {}", broken.join(", ")))
            .hint("the errors are above; platform differences belong in base/, behind one module each"));
    }
    if unchecked.is_empty() || allow_missing {
        return Ok(());
    }
    Err(Failure::new(format!("could not check {}", unchecked.join(", ")))
        .hint("add the standard library for it (rustup target add ...), or accept the gap: cargo xtask platforms --allow-missing"))
}

/// Makes sure the standard library for `target` is there; else says why not.
pub(crate) fn add_target(target: &str) -> Result<(), String> {
    if has_std(target) {
        return Ok(());
    }
    eprintln!("    $ rustup target add {target}");
    match shell::capture(Command::new("rustup").args(["target", "add", target]), Duration::from_secs(300)) {
        Ok((true, _)) if has_std(target) => Ok(()),
        Ok(_) => Err(format!("`rustup target add {target}` failed")),
        Err(_) => Err("rustup is not there to add its standard library".into()),
    }
}

/// Asks the compiler rather than rustup, which may not be how this toolchain was installed.
fn has_std(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]).current_dir(dirs::root());
    shell::capture(&mut rustc, Duration::from_secs(60)).is_ok_and(|(ok, dir)| ok && Path::new(dir.trim()).is_dir())
}

fn check(target: &str, stubs: &Path) -> Outcome {
    let mut cmd = cargo(&["check", "--package", "clown", "--bins", "--locked", "--target", target]);
    // A directory of its own: what the stubs "built" must never reach a real build.
    cmd.env("CARGO_TARGET_DIR", dirs::under_target("platforms")?);
    let suffix = target.replace('-', "_");
    cmd.env("CMAKE", stubs.join("cmake"));
    for (variable, stub) in [("CC", "cc"), ("CXX", "cc"), ("AR", "ar")] {
        cmd.env(format!("{variable}_{suffix}"), stubs.join(stub));
    }
    run(&mut cmd)
}

#[cfg(unix)]
fn write_stub(path: &Path) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, STUB)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .map_err(|err| Failure::new(format!("cannot write {}: {err}", path.display())))
}

#[cfg(not(unix))]
fn write_stub(_path: &Path) -> Outcome {
    Err(Failure::new("the stub tools are shell scripts").hint("run this task on Linux or macOS"))
}

/// Succeeds at anything and leaves an empty file where `-o` asks for one.
const STUB: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    if [ "$1" = -o ] && [ $# -gt 1 ]; then : > "$2"; fi
    shift
done
exit 0
"#;
