//! The real agents that tests, demo and benches run: exact versions from npm, under `target/agents`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::dirs;
use crate::outcome::Failure;
use crate::shell::{capture, run};

#[derive(Clone, Copy)]
pub(crate) struct Pinned {
    pub(crate) command: &'static str,
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// A word of what it prints when asked for its version, where that is not the package's. Empty: it prints none on stdout.
    pub(crate) says: Option<&'static str>,
}

impl Pinned {
    pub(crate) const fn new(command: &'static str, package: &'static str, version: &'static str) -> Self {
        Self { command, package, version, says: None }
    }
}

pub(crate) const CLAUDE: Pinned = Pinned::new("claude", "@anthropic-ai/claude-code", "2.1.330");
pub(crate) const CODEX: Pinned = Pinned::new("codex", "@openai/codex", "0.169.0");
const OPENCODE: Pinned = Pinned::new("opencode", "opencode-ai", "1.18.33");
const GEMINI: Pinned = Pinned::new("gemini", "@google/gemini-cli", "0.61.0");
pub(crate) const ALL: &[Pinned] = &[CLAUDE, CODEX, OPENCODE, GEMINI];

/// Another tracker of usage, to measure beside.
#[cfg(target_os = "linux")]
pub(crate) const CCUSAGE: Pinned = Pinned::new("ccusage", "ccusage", "20.0.24");

/// A package that is no agent, in `target/<its command>`. Returns the directory of its commands.
#[cfg(target_os = "linux")]
pub(crate) fn ensure_apart(only: Pinned) -> Result<PathBuf, Failure> {
    install(only.command, &[only], &[only], &[])
}

/// Installs what is lacking and returns the directory to put on PATH.
///
/// `installed.txt` lists what was installed *and* seen to print its version; a half-done installation is not in it.
pub(crate) fn ensure(wanted: &[Pinned]) -> Result<PathBuf, Failure> {
    install("agents", ALL, wanted, &[])
}

/// `path`: where programs are that it needs beside those on PATH.
pub(crate) fn install(place: &str, known: &[Pinned], wanted: &[Pinned], path: &[PathBuf]) -> Result<PathBuf, Failure> {
    let dir = dirs::under_target(place)?;
    let bin = dir.join("node_modules").join(".bin");
    let _alone = dirs::lock(&dir)?;
    let stamp = dir.join("installed.txt");
    let noted = fs::read_to_string(&stamp).unwrap_or_default();
    let done = |agent: &Pinned| noted.lines().any(|line| line == agent.spec()) && agent.path(&bin).exists();

    if wanted.iter().all(done) {
        let names: Vec<String> = wanted.iter().map(Pinned::spec).collect();
        eprintln!("    already installed: {}", names.join(" "));
        return Ok(bin);
    }
    // npm removes what package.json does not name, so those already there are named again.
    let all: Vec<Pinned> = known.iter().copied().filter(|agent| done(agent) || wanted.iter().any(|w| w.command == agent.command)).collect();
    let fresh: Vec<&Pinned> = all.iter().filter(|agent| !done(agent)).collect();
    eprintln!("    installing {} (once; agents are hundreds of megabytes)", fresh.iter().map(|a| a.spec()).collect::<Vec<_>>().join(" "));
    write(&dir.join("package.json"), &package_json(&all))?;
    npm_install(&dir).or_else(|first| {
        eprintln!("    npm failed; trying once more");
        npm_install(&dir).map_err(|_| first)
    })?;
    for agent in fresh {
        check(agent, &bin, &dir, path)?;
    }
    write(&stamp, &all.iter().map(|agent| agent.spec() + "\n").collect::<String>())?;
    Ok(bin)
}

/// Where the pinned agents' commands are.
pub(crate) fn bin_dir() -> PathBuf {
    dirs::target().join("agents").join("node_modules").join(".bin")
}

impl Pinned {
    fn spec(&self) -> String {
        format!("{}@{}", self.package, self.version)
    }

    pub(crate) fn path(&self, bin: &Path) -> PathBuf {
        bin.join(format!("{}{}", self.command, if cfg!(windows) { ".cmd" } else { "" }))
    }
}

fn package_json(agents: &[Pinned]) -> String {
    let lines: Vec<String> = agents.iter().map(|a| format!("    \"{}\": \"{}\"", a.package, a.version)).collect();
    format!("{{\n  \"private\": true,\n  \"dependencies\": {{\n{}\n  }}\n}}\n", lines.join(",\n"))
}

fn npm_install(dir: &Path) -> Result<(), Failure> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut cmd = Command::new(npm);
    cmd.args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--no-progress", "--loglevel=error", "--omit=dev"]);
    cmd.current_dir(dir).env("npm_config_update_notifier", "false");
    run(&mut cmd)
        .map_err(|failure| failure.hint("the agents come from npm's configured registry: is it reachable? then run the task again"))
}

/// An agent counts as installed when it runs and says the pinned version.
fn check(agent: &Pinned, bin: &Path, dir: &Path, path: &[PathBuf]) -> Result<(), Failure> {
    let home = dir.join("home");
    fs::create_dir_all(&home).map_err(|err| Failure::new(format!("cannot create {}: {err}", home.display())))?;
    let mut cmd = Command::new(agent.path(bin));
    cmd.arg("--version").env("HOME", &home).current_dir(&home);
    if !path.is_empty() {
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let all = path.iter().cloned().chain(std::env::split_paths(&usual));
        cmd.env("PATH", std::env::join_paths(all).map_err(|err| Failure::new(format!("no PATH can be made: {err}")))?);
    }
    let (ended_well, said) = capture(&mut cmd, Duration::from_secs(120))?;
    let (said, expected) = (said.trim(), agent.says.unwrap_or(agent.version));
    if said.split_whitespace().any(|word| word.trim_matches(['v', '.']) == expected) || (expected.is_empty() && ended_well) {
        eprintln!("    {}: {said}", agent.command);
        return Ok(());
    }
    Err(Failure::new(format!("{} is installed but `{} --version` says \"{said}\"", agent.spec(), agent.command)).hint(format!(
        "npm may be set to skip install scripts (npm config get ignore-scripts); delete {} and run the task again",
        dir.display()
    )))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|err| Failure::new(format!("cannot write {}: {err}", path.display())))
}
