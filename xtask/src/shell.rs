//! Running other programs.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use crate::dirs;
use crate::outcome::{Failure, Outcome};

/// Cargo in the repository's root, with the environment that `cargo run` gave this process taken out again:
/// left in, it would look to build scripts like a changed environment and cause rebuilds.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cmd = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cmd.args(args).current_dir(dirs::root()).stdin(Stdio::null());
    for (name, value) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|p| name.starts_with(p));
        if package || name == "CARGO" || name == "CARGO_PRIMARY_PACKAGE" || (name == "CFLAGS" && is_ours(&value)) {
            cmd.env_remove(name);
        }
    }
    cmd.env("CARGO_TARGET_DIR", dirs::target());
    cmd
}

/// Whether a value of the environment came from the repository's own cargo configuration.
fn is_ours(value: &OsStr) -> bool {
    let config = fs::read_to_string(dirs::root().join(".cargo/config.toml")).unwrap_or_default();
    value.to_str().is_some_and(|value| config.contains(&format!("\"{value}\"")))
}

/// Shows a command, runs it with its output passed through, fails if it does.
pub(crate) fn run(cmd: &mut Command) -> Outcome {
    let shown = show(cmd);
    eprintln!("    $ {shown}");
    let status = cmd.stdin(Stdio::null()).status().map_err(|err| cannot_start(cmd, &err))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{shown}` failed ({status})"))) }
}

/// Runs a command quietly; its standard output and whether it succeeded. Killed after `limit`.
pub(crate) fn capture(cmd: &mut Command, limit: Duration) -> Result<(bool, String), Failure> {
    piped(cmd, limit, false)
}

/// As [`capture`], and passes the output on as it comes.
pub(crate) fn tee(cmd: &mut Command, limit: Duration) -> Result<(bool, String), Failure> {
    piped(cmd, limit, true)
}

/// Whether a program answers `--version`-like arguments.
pub(crate) fn works(cmd: &mut Command) -> bool {
    cmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    capture(Command::new("id").arg("-u"), Duration::from_secs(5)).is_ok_and(|(_, id)| id.trim() == "0")
}

/// The first executable file of that name on PATH.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(&file)).find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &std::path::Path) -> bool {
    path.is_file()
}

pub(crate) fn show(cmd: &Command) -> String {
    let program = PathBuf::from(cmd.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let words = cmd.get_args().map(|arg| quote(&arg.to_string_lossy()));
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("\"{word}\"") }
}

fn cannot_start(cmd: &Command, err: &io::Error) -> Failure {
    Failure::new(format!("cannot start {}: {err}", cmd.get_program().to_string_lossy()))
        .hint("install what is missing: cargo xtask setup --tests")
}

fn piped(cmd: &mut Command, limit: Duration, pass_on: bool) -> Result<(bool, String), Failure> {
    let shown = show(cmd);
    let mut child = cmd.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|err| cannot_start(cmd, &err))?;
    let mut pipe = child.stdout.take().ok_or_else(|| Failure::new(format!("`{shown}` has no output pipe")))?;
    let (send, received) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut part) {
            all.extend_from_slice(&part[..count]);
            if pass_on {
                let mut out = io::stdout().lock();
                let _ = out.write_all(&part[..count]).and_then(|()| out.flush());
            }
        }
        let _ = send.send(String::from_utf8_lossy(&all).into_owned());
    });
    let ok = wait(&mut child, limit, &shown)?;
    // A child that left a process behind holding this pipe would otherwise hang us for ever.
    let text = received.recv_timeout(Duration::from_secs(10));
    Ok((ok, text.map_err(|_| Failure::new(format!("`{shown}` ended but something it started still holds its output")))?))
}

fn wait(child: &mut Child, limit: Duration, shown: &str) -> Result<bool, Failure> {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(Failure::new(format!("`{shown}` did not end within {} s and was stopped", limit.as_secs())));
            }
            Err(err) => return Err(Failure::new(format!("cannot wait for `{shown}`: {err}"))),
        }
    }
}
