//! A home of its own for demo and benches, and `clown` run in it. Its daemon is stopped at the end, whatever happens.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use crate::dirs;
use crate::outcome::Failure;
use crate::shell;

pub(crate) struct Scratch {
    home: PathBuf,
    clown: PathBuf,
    path: OsString,
}

impl Scratch {
    /// An empty home under the build directory. `first` goes to the front of PATH.
    pub(crate) fn fresh(name: &str, clown: &Path, first: &[PathBuf]) -> Result<Self, Failure> {
        let home = dirs::under_target(name)?.join("home");
        let rest = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(first.iter().cloned().chain(env::split_paths(&rest)))
            .map_err(|err| Failure::new(format!("PATH cannot be extended: {err}")))?;
        let scratch = Self { home, clown: clown.to_path_buf(), path };
        if scratch.home.exists() {
            // A run that was cut off may have left its daemon behind.
            scratch.stop();
            fs::remove_dir_all(&scratch.home).map_err(|err| Failure::new(format!("cannot empty {}: {err}", scratch.home.display())))?;
        }
        let work = scratch.work();
        fs::create_dir_all(&work).map_err(|err| Failure::new(format!("cannot create {}: {err}", work.display())))?;
        Ok(scratch)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn clown(&self, args: &[&str]) -> Command {
        self.command(&self.clown, args)
    }

    /// Any program, in the same environment.
    pub(crate) fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut cmd = Command::new(program);
        cmd.args(args).current_dir(self.work()).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            let owned = name.to_string_lossy();
            if ["XDG_", "CLOWN_", "CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| owned.starts_with(prefix)) {
                cmd.env_remove(&name);
            }
        }
        cmd.env("HOME", &self.home).env("CLOWN_HOME", self.home.join(".config/clown")).env("PATH", &self.path);
        cmd
    }

    /// Clown's tree in it.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) fn root(&self) -> PathBuf {
        self.home.join(".config/clown")
    }

    /// Where agents are started: a directory without a project.
    fn work(&self) -> PathBuf {
        self.home.join("work")
    }

    pub(crate) fn stop(&self) {
        shell::works(&mut self.clown(&["daemon", "stop"]));
    }

    /// The last lines of the daemon's log, or nothing.
    pub(crate) fn log_tail(&self, lines: usize) -> String {
        let mut cmd = self.clown(&["daemon", "logs"]);
        let (_, text) = shell::capture(cmd.stderr(Stdio::null()), Duration::from_secs(10)).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.stop();
    }
}
