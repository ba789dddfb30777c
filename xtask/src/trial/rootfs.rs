//! A root directory: made once, copied for each trial, and left without a process or a mount in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::dirs;
use crate::outcome::{Failure, Outcome};
use crate::shell::{self, run};

/// Who tries it: a user without rights.
pub(crate) const USER: &str = "1000:1000";
const HOME: &str = "/home/ada";

/// What debootstrap makes, with a user in it. Kept for the next trial.
pub(crate) fn base() -> Result<PathBuf, Failure> {
    let dir = dirs::under_target("trial")?;
    let _alone = dirs::lock(&dir)?;
    let (base, part) = (dir.join("base"), dir.join("base.part"));
    if base.exists() {
        return Ok(base);
    }
    if part.exists() {
        fs::remove_dir_all(&part).map_err(|err| Failure::new(format!("cannot remove {}: {err}", part.display())))?;
    }
    let mut make = Command::new("debootstrap");
    run(make.args(["--variant=minbase", &suite()]).arg(&part))
        .map_err(|failure| failure.hint("it comes from Debian's mirror: is the network there?"))?;
    let told = |err: std::io::Error| Failure::new(format!("cannot set up {}: {err}", part.display()));
    append(&part.join("etc/passwd"), "ada:x:1000:1000::/home/ada:/bin/sh\n").map_err(told)?;
    append(&part.join("etc/group"), "ada:x:1000:\n").map_err(told)?;
    let home = part.join("home/ada");
    fs::create_dir_all(&home).map_err(told)?;
    std::os::unix::fs::chown(&home, Some(1000), Some(1000)).map_err(told)?;
    fs::rename(&part, &base).map_err(told)?;
    Ok(base)
}

/// This machine's release of Debian, else the stable one.
fn suite() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value =
        |name: &str| release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(|v| v.trim_matches('"').to_owned());
    value("ID").filter(|id| id == "debian").and_then(|_| value("VERSION_CODENAME")).unwrap_or_else(|| "stable".to_owned())
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let text = fs::read_to_string(path)?;
    fs::write(path, text + line)
}

pub(crate) struct Root {
    pub(crate) dir: PathBuf,
}

impl Root {
    pub(crate) fn fresh(base: &Path) -> Result<Self, Failure> {
        let root = Self { dir: base.with_file_name("root") };
        root.leave();
        if root.dir.exists() {
            fs::remove_dir_all(&root.dir).map_err(|err| Failure::new(format!("cannot remove {}: {err}", root.dir.display())))?;
        }
        run(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(base).arg(&root.dir))?;
        run(Command::new("mount").args(["-t", "proc", "proc"]).arg(root.dir.join("proc")))?;
        Ok(root)
    }

    /// A path as it is called inside, from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.dir.join(inside.trim_start_matches('/'))
    }

    /// A file of ada's.
    pub(crate) fn give(&self, from: &Path, inside: &str) -> Outcome {
        let to = self.path(inside);
        let copied = fs::copy(from, &to).and_then(|_| std::os::unix::fs::chown(&to, Some(1000), Some(1000)));
        copied.map_err(|err| Failure::new(format!("cannot copy {} to {}: {err}", from.display(), to.display())))
    }

    /// A line of sh inside, by root or by ada. Nothing of this machine's environment is there.
    pub(crate) fn sh(&self, user: Option<&str>, line: &str) -> Command {
        let mut cmd = Command::new("chroot");
        cmd.args(user.map(|user| format!("--userspec={user}")));
        let home = if user.is_some() { HOME } else { "/root" };
        cmd.arg(&self.dir).args(["/usr/bin/env", "-i", &format!("HOME={home}"), "LC_ALL=C.UTF-8", "TERM=dumb"]);
        cmd.arg(format!("PATH={home}/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
        cmd.args(["/bin/sh", "-c", &format!("cd \"$HOME\" && {line}")]).stdin(Stdio::null());
        cmd
    }

    /// Every file and directory with its kind, mode, size and, for files, time of change; `except` are what a package manager keeps.
    pub(crate) fn look(&self, except: &[&str]) -> Result<BTreeMap<String, String>, Failure> {
        let mut found = BTreeMap::new();
        let mut todo = vec![self.dir.clone()];
        while let Some(dir) = todo.pop() {
            let told = |err: std::io::Error| Failure::new(format!("cannot read {}: {err}", dir.display()));
            for entry in fs::read_dir(&dir).map_err(told)? {
                let entry = entry.map_err(told)?;
                let (path, meta) = (entry.path(), entry.metadata().map_err(told)?);
                let name = format!("/{}", path.strip_prefix(&self.dir).unwrap_or(&path).display());
                if name == "/proc" || except.iter().any(|prefix| name.starts_with(prefix)) {
                    continue;
                }
                let about = if meta.is_file() { format!("{} {}", meta.len(), meta.mtime()) } else { String::new() };
                found.insert(name, format!("{:o} {}:{} {about}", meta.permissions().mode(), meta.uid(), meta.gid()));
                if meta.is_dir() {
                    todo.push(path);
                }
            }
        }
        Ok(found)
    }

    /// Ends what still runs in it and takes the mount away.
    fn leave(&self) {
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let is_inside = fs::read_link(entry.path().join("root")).is_ok_and(|root| root == self.dir);
            let pid = entry.file_name().to_string_lossy().into_owned();
            if is_inside && pid.parse::<u32>().is_ok() {
                shell::works(Command::new("kill").args(["-KILL", &pid]));
            }
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let proc = self.dir.join("proc").display().to_string();
        if mounts.lines().any(|line| line.split(' ').nth(1) == Some(proc.as_str())) {
            let _ = shell::capture(Command::new("umount").arg(&proc), Duration::from_secs(30));
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        self.leave();
    }
}
