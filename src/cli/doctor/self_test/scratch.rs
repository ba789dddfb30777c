//! A home of its own, with a daemon in it.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::agent::CHILD_COMMAND;
use crate::{
    base::{
        error::{Error, Result},
        fsx, os,
        paths::{HOME_VAR, Paths},
    },
    ipc::client::Client,
};

/// For one command.
const COMMAND_LIMIT: Duration = Duration::from_secs(15);
/// Longest directory below which a socket's path fits.
const LONGEST_DIR: usize = 40;

const AGENT: &str = r#"schema = 1
id = "self-test"
name = "Self-test"
binaries = ["clown-self-test-agent"]
formats = ["anthropic"]
auth = ["key"]
script = "self-test"
usage = "claude"

[isolation]
default = "config-dir"
modes = ["config-dir"]
config_dir = ".claude"
env = { CLAUDE_CONFIG_DIR = ".claude" }
dirs = [".claude"]
isolated = [".claude"]
"#;

pub(super) struct Scratch {
    dir: tempfile::TempDir,
    program: PathBuf,
    paths: Paths,
    pub deadline: Instant,
}

impl Scratch {
    pub(super) fn new(deadline: Instant) -> Result<Self> {
        let temp = std::env::temp_dir();
        let short = Path::new("/tmp");
        let base = if temp.as_os_str().len() > LONGEST_DIR && short.is_dir() { short.to_owned() } else { temp };
        let dir = tempfile::Builder::new().prefix("clown-self-test-").tempdir_in(&base).map_err(|e| {
            Error::io(format!("no scratch directory could be made in {}", base.display()))
                .cause(e)
                .hint("set TMPDIR to a directory you can write to")
        })?;
        let program = os::own_program().map_err(|e| Error::io("clown's own program is not found").cause(e))?;
        let paths = Paths::at(dir.path().join("c"));
        let scratch = Self { dir, program, paths, deadline };
        for below in ["h", "r", "t", "w", "bin"] {
            os::private_dir(&scratch.at(below))?;
        }
        let env = "#{ SELF_TEST_URL: ctx.endpoint.base_url, SELF_TEST_KEY: ctx.key.placeholder }";
        let script = format!("#{{ env: {env}, args: [\"{CHILD_COMMAND}\"], files: [] }}\n");
        for (path, text) in [("c/agents.d/self-test.toml", AGENT), ("c/scripts/self-test.rhai", &script)] {
            fsx::write_atomic(&scratch.at(path), text.as_bytes(), fsx::Mode::Private)?;
        }
        let name = os::program_names("clown-self-test-agent").into_iter().next().unwrap_or_default();
        let agent = scratch.at("bin").join(name);
        if os::symlink(&scratch.program, &agent).is_err() {
            std::fs::copy(&scratch.program, &agent).map_err(Error::writing(&agent))?;
        }
        Ok(scratch)
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn at(&self, below: &str) -> PathBuf {
        below.split('/').fold(self.dir.path().to_owned(), |dir, part| dir.join(part))
    }

    /// A provider whose models are at this port.
    pub(super) fn provider(&self, port: u16) -> Result<()> {
        let text = format!(
            "schema = 1\nid = \"self-test\"\nname = \"Self-test\"\nany_model = true\ndefault_model = \"self-test\"\n\n\
             [[endpoints]]\nformat = \"anthropic\"\nbase_url = \"http://127.0.0.1:{port}\"\nauth = \"bearer\"\n"
        );
        fsx::write_atomic(&self.at("c/providers.d/self-test.toml"), text.as_bytes(), fsx::Mode::Private)
    }

    /// Runs this very program in the scratch home. Its standard output.
    pub(super) fn clown(&self, args: &[&str], stdin: &[u8]) -> Result<Vec<u8>> {
        let shown = format!("clown {}", args.join(" "));
        let failed = |e: std::io::Error| Error::io(format!("{shown} could not be run")).cause(e);
        let mut command = Command::new(&self.program);
        command.args(args).env_clear().current_dir(self.at("w"));
        for (name, below) in
            [("HOME", "h"), ("USERPROFILE", "h"), (HOME_VAR, "c"), ("XDG_RUNTIME_DIR", "r"), ("TMPDIR", "t"), ("TEMP", "t")]
        {
            command.env(name, self.at(below));
        }
        for name in ["SYSTEMROOT", "LANG"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let path = std::env::join_paths([self.at("bin")].into_iter().chain(std::env::split_paths("/usr/bin:/bin")));
        command.env("PATH", path.map_err(|e| Error::invalid("the scratch directory's path cannot be on PATH").cause(e))?);
        // To files: nobody waits for a daemon that a pipe leads to.
        let out = tempfile::tempfile_in(self.at("t")).map_err(failed)?;
        let err = tempfile::tempfile_in(self.at("t")).map_err(failed)?;
        command.stdin(Stdio::piped()).stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            let _ = pipe.write_all(stdin);
        }
        let status = wait(&mut child).map_err(failed)?;
        let read = |mut file: std::fs::File| -> Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::io::Seek::rewind(&mut file).and_then(|()| std::io::Read::read_to_end(&mut file, &mut bytes)).map_err(failed)?;
            Ok(bytes)
        };
        match status {
            Some(status) if status.success() => read(out),
            Some(_) => {
                let said = String::from_utf8_lossy(&read(err)?).into_owned();
                let line = said.lines().find(|line| line.starts_with("error: ")).unwrap_or("it says nothing");
                Err(Error::io(format!("{shown} failed: {}", line.trim_start_matches("error: "))))
            }
            None => Err(Error::io(format!("{shown} did not end within {} s", COMMAND_LIMIT.as_secs()))),
        }
    }

    pub(super) fn client(&self) -> Result<Client> {
        Client::connect(&self.paths)
    }

    pub(super) fn pid(&self) -> Result<u32> {
        Ok(self.client()?.hello()?.pid)
    }

    /// Ends the daemon of this directory, and no other, at once.
    pub(super) fn kill(&self, pid: u32) -> Result<()> {
        if self.pid()? != pid {
            return Err(Error::conflict("another daemon is in its place"));
        }
        // A daemon leads a group of its own.
        os::kill_group(pid);
        let lock = fsx::begin_lock(&self.paths.daemon_lock())?.within(Duration::from_secs(5));
        lock.map_err(Error::writing(&self.paths.daemon_lock()))?
            .map(drop)
            .ok_or_else(|| Error::io(format!("process {pid} did not end when it was killed")))
    }

    /// Processes whose arguments name this directory as their tree; unknown where the system does not tell.
    pub(super) fn holders(&self) -> Option<Vec<u32>> {
        let root = self.paths.root().as_os_str().as_encoded_bytes().to_owned();
        let entries = std::fs::read_dir("/proc").ok()?;
        let pids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        let ours = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|b| *b == 0).collect();
            words.get(1) == Some(&&b"daemon"[..]) && words.contains(&root.as_slice())
        };
        Some(pids.filter(ours).collect())
    }

    /// Nothing stays: no process, no file.
    pub(super) fn end(self) -> Result<()> {
        let stopped = if self.client().is_ok() { self.clown(&["daemon", "stop"], b"").map(drop) } else { Ok(()) };
        let dir = self.dir.path().display().to_string();
        let removed = self.dir.close().map_err(|e| Error::io(format!("{dir} could not be removed")).cause(e));
        stopped.and(removed)
    }
}

fn wait(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    let status = os::wait_timeout(child, COMMAND_LIMIT)?;
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    Ok(status)
}
