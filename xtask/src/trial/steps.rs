//! What is tried, in order, and what must be said.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::rootfs::{Root, USER};
use crate::outcome::{Failure, Outcome};
use crate::shell::{self, cargo};

const LIMIT: Duration = Duration::from_secs(300);
/// What dpkg keeps about any package, whatever became of it.
const DPKGS: &[&str] = &["/var/lib/dpkg", "/var/log/dpkg.log", "/var/log/alternatives.log", "/var/cache/ldconfig"];

struct Trial<'t> {
    root: &'t Root,
    /// One line for each step: seconds, and what it was.
    figures: String,
}

pub(crate) fn play(root: &Root, dist: &Path, agents: &Path) -> Result<String, Failure> {
    let mut trial = Trial { root, figures: String::new() };
    let codex = fs::canonicalize(agents.join("codex")).map_err(|err| Failure::new(format!("no codex in {}: {err}", agents.display())))?;
    native_codex(&codex).and_then(|program| give_program(root, &program))?;
    root.give(&dist.join("install.sh"), "/home/ada/install.sh")?;
    let served = Served::start(dist)?;
    one_file(&mut trial, &served.url)?;
    tampered(&mut trial, dist)?;
    package(&mut trial, dist)?;
    drop(served);
    Ok(trial.figures)
}

/// The one-file installation, a first run, and uninstalling.
fn one_file(trial: &mut Trial, url: &str) -> Outcome {
    let before = trial.root.look(&[])?;
    trial.ada("install.sh, as a user without rights", &format!("sh install.sh --url {url}"), &["Installed clown", ".local/bin/clown"])?;
    trial.ada("clown --version", "clown --version", &["clown "])?;
    trial.fails(
        "a signature is asked for and no tool is there",
        &format!("sh install.sh --url {url} --require-signature"),
        &["install minisign"],
    )?;
    let trust = "clown config set update.trusted_keys \"$(sed -n \"s/^KEYS='\\(.*\\)'/\\1/p\" install.sh)\"";
    trial.ada("trust the release's key", trust, &[])?;
    trial.ada("clown self update", &format!("CLOWN_UPDATE_URL={url} clown self update"), &["is the newest"])?;
    trial.ada(
        "clown init, without a terminal",
        "clown init --agent codex --provider offline --alias try --yes </dev/null",
        &["Run it: codex-try"],
    )?;
    let run = "codex-try exec --skip-git-repo-check \"say hi\" </dev/null";
    trial.ada("a run of Codex with the offline provider", run, &["you said: say hi"])?;
    trial.ada("clown sessions list", "clown sessions list", &["try"])?;
    let said = trial.ada("install.sh --uninstall", "sh install.sh --uninstall", &["Removed clown from", "codex-try"])?;
    let left = difference(&before, &trial.root.look(&[])?);
    let places: Vec<&Path> =
        said.split_whitespace().map(|word| Path::new(word.trim_end_matches('.'))).filter(|p| p.is_absolute()).collect();
    // A directory above what stays has to stay too.
    let told = |path: &str| places.iter().any(|place| Path::new(path).starts_with(place) || place.starts_with(path));
    let silent: Vec<&String> = left.iter().filter(|path| !told(path)).collect();
    if !silent.is_empty() {
        return Err(Failure::new(format!("left behind without a word: {silent:?}")));
    }
    trial.note(&format!("left after uninstalling: {} paths, all below what was said", left.len()));
    Ok(())
}

/// A changed archive, and a list that was changed with it.
fn tampered(trial: &mut Trial, dist: &Path) -> Outcome {
    let copy = trial.root.dir.with_file_name("tampered");
    let told = |err: std::io::Error| Failure::new(format!("cannot copy the release: {err}"));
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).map_err(told)?;
    for name in ["SHA256SUMS", "SHA256SUMS.minisig"] {
        fs::copy(dist.join(name), copy.join(name)).map_err(told)?;
    }
    for entry in fs::read_dir(dist).map_err(told)?.flatten() {
        if entry.file_name().to_string_lossy().ends_with("linux-musl.tar.gz") {
            let mut bytes = fs::read(entry.path()).map_err(told)?;
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
            }
            fs::write(copy.join(entry.file_name()), bytes).map_err(told)?;
        }
    }
    let before = trial.root.look(&[])?;
    let served = Served::start(&copy)?;
    trial.fails("a tampered download", &format!("sh install.sh --url {}", served.url), &["is not what the release lists"])?;
    let left = difference(&before, &trial.root.look(&[])?);
    if !left.is_empty() {
        return Err(Failure::new(format!("a refused download changed: {left:?}")));
    }
    fs::remove_dir_all(&copy).map_err(told)
}

/// The Debian package, with dpkg.
fn package(trial: &mut Trial, dist: &Path) -> Outcome {
    let entries = fs::read_dir(dist).map_err(|err| Failure::new(format!("cannot read {}: {err}", dist.display())))?;
    let deb = entries.flatten().map(|e| e.path()).find(|p| p.to_string_lossy().ends_with("_amd64.deb"));
    let deb = deb.ok_or_else(|| Failure::new("the release has no package for amd64"))?;
    let before = trial.root.look(DPKGS)?;
    trial.root.give(&deb, "/tmp/clown.deb")?;
    trial.root("dpkg --install", "dpkg --install /tmp/clown.deb && test -e /usr/share/doc/clown/copyright && dpkg --verify clown", &[])?;
    trial.ada("the package's clown", "test \"$(command -v clown)\" = /usr/bin/clown && clown --version", &["clown "])?;
    trial.fails("clown self update refuses", "clown self update", &["was installed by dpkg"])?;
    trial.ada("its daemon ends", "clown daemon stop", &[])?;
    trial.root("dpkg --purge", "dpkg --purge clown && rm /tmp/clown.deb", &[])?;
    let left = difference(&before, &trial.root.look(DPKGS)?);
    let foreign: Vec<&String> = left.iter().filter(|path| !path.starts_with("/home/ada/.config/clown")).collect();
    if foreign.is_empty() { Ok(()) } else { Err(Failure::new(format!("the package left behind: {foreign:?}"))) }
}

impl Trial<'_> {
    fn ada(&mut self, what: &str, line: &str, expect: &[&str]) -> Result<String, Failure> {
        self.play(what, self.root.sh(Some(USER), &format!("{{ {line}; }} 2>&1")), true, expect)
    }

    fn fails(&mut self, what: &str, line: &str, expect: &[&str]) -> Result<String, Failure> {
        self.play(what, self.root.sh(Some(USER), &format!("{{ {line}; }} 2>&1")), false, expect)
    }

    fn root(&mut self, what: &str, line: &str, expect: &[&str]) -> Result<String, Failure> {
        self.play(what, self.root.sh(None, &format!("{{ {line}; }} 2>&1")), true, expect)
    }

    fn play(&mut self, what: &str, mut cmd: Command, should_work: bool, expect: &[&str]) -> Result<String, Failure> {
        println!("\n== {what}");
        let start = Instant::now();
        let (ok, said) = shell::tee(&mut cmd, LIMIT)?;
        let seconds = start.elapsed().as_secs_f64();
        if ok != should_work {
            return Err(Failure::new(format!("{what}: it {}", if ok { "was not refused" } else { "failed" })).hint("what it said is above"));
        }
        if let Some(text) = expect.iter().find(|text| !said.contains(**text)) {
            return Err(Failure::new(format!("{what}: \"{text}\" is not in what it said")));
        }
        self.figures += &format!("{seconds:>8.2} s  {what}\n");
        Ok(said)
    }

    fn note(&mut self, text: &str) {
        self.figures += &format!("            {text}\n");
    }
}

/// Paths that are new, gone or changed.
fn difference(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let other = |(path, about): &(&String, &String), there: &BTreeMap<String, String>| there.get(*path) != Some(about);
    let mut paths: Vec<String> = after.iter().filter(|entry| other(entry, before)).map(|(path, _)| path.clone()).collect();
    paths.extend(before.keys().filter(|path| !after.contains_key(*path)).cloned());
    paths
}

/// Node is not there, but the npm package has the program itself in it.
fn native_codex(script: &Path) -> Result<std::path::PathBuf, Failure> {
    let modules = script.ancestors().find(|dir| dir.ends_with("node_modules")).map(Path::to_path_buf);
    let program = modules.map(|dir| dir.join("@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"));
    program
        .filter(|p| p.is_file())
        .ok_or_else(|| Failure::new("this version of Codex has its program in another place").hint("see xtask/src/trial/steps.rs"))
}

fn give_program(root: &Root, program: &Path) -> Outcome {
    let to = root.path("/usr/local/bin/codex");
    fs::copy(program, &to).map(drop).map_err(|err| Failure::new(format!("cannot copy {}: {err}", program.display())))
}

/// A release on loopback, until dropped.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(dir: &Path) -> Result<Self, Failure> {
        let mut cmd = cargo(&["run", "--quiet", "--package", "publisher", "--locked", "--", "serve"]);
        let child = cmd.arg(dir).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|err| Failure::new(format!("cannot start the server: {err}")))?;
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().ok_or_else(|| Failure::new("the server has no output"))?);
        let read = out.read_line(&mut line);
        // It says each request, and would stop when nobody reads.
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(drop));
        let served = Self { child, url: line.trim().to_owned() };
        match read {
            Ok(_) if served.url.starts_with("http://") => Ok(served),
            _ => Err(Failure::new("the server did not say where it is")),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
