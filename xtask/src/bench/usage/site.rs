//! A home with a gigabyte of logs, and what the kernel says of whoever reads them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::agents;
use crate::bench::measure::{self, number_after};
use crate::outcome::{Failure, Outcome};
use crate::scratch::Scratch;
use crate::shell::{self, capture};
use crate::{corpus, dirs};

const SIZE: u64 = 1_000_000_000;
const SEED: u64 = 1;

pub(super) struct Site {
    pub(super) scratch: Scratch,
    /// `truth.json`: what the logs tell.
    pub(super) truth: String,
    /// ccusage as npm installs it, and the program that starts.
    pub(super) command: PathBuf,
    pub(super) native: PathBuf,
}

impl Site {
    pub(super) fn set_up() -> Result<Self, Failure> {
        let bin = agents::ensure_apart(agents::CCUSAGE)?;
        let corpus = corpus()?;
        let truth = read(&corpus.join("truth.json"))?;
        let scratch = Scratch::fresh("bench-usage", &dirs::clown("release"), &[])?;
        link(&corpus.join(corpus::HOME), scratch.home())?;
        let packages = bin.parent().unwrap_or(&bin).join("@ccusage");
        let native = fs::read_dir(packages).into_iter().flatten().flatten().map(|package| package.path().join("bin/ccusage"));
        let native = native.into_iter().find(|path| path.exists());
        let native = native.ok_or_else(|| Failure::new("npm installed ccusage without a program for this platform"))?;
        Ok(Self { scratch, truth, command: bin.join("ccusage"), native })
    }

    /// As on a machine that clown has never seen.
    pub(super) fn forget(&self) -> Outcome {
        self.scratch.stop();
        let tree = self.scratch.home().join(".config/clown");
        if tree.exists() {
            fs::remove_dir_all(&tree).map_err(|err| Failure::new(format!("cannot empty {}: {err}", tree.display())))?;
        }
        Ok(())
    }

    pub(super) fn daemon(&self) -> Result<u32, Failure> {
        let status = self.ask(&["daemon", "status", "--json"])?;
        let pid = measure::pid_in(&status);
        pid.ok_or_else(|| Failure::new(format!("`clown daemon status --json` names no pid: {}", status.trim())))
    }

    /// What is measured beside clown: the same answer of the same logs, without a look at the network.
    pub(super) fn ccusage(&self, program: &Path) -> Command {
        let mut cmd = self.scratch.command(program, &["daily", "--offline", "--json"]);
        // These would move the logs of whoever runs the bench under it.
        cmd.env_remove("CLAUDE_CONFIG_DIR").env_remove("CODEX_HOME");
        cmd
    }

    /// What a command of clown prints.
    pub(super) fn ask(&self, args: &[&str]) -> Result<String, Failure> {
        printed(&mut self.scratch.clown(args))
    }

    /// Every sum against the truth. A wrong one ends the bench: nobody wants to know how fast that was.
    pub(super) fn check(&self) -> Outcome {
        for agent in ["claude", "codex"] {
            let page = self.ask(&["usage", "agents", "--agent", agent, "--json"])?;
            let told = page.split_once("\"totals\":").map_or("", |(_, totals)| totals);
            for name in SUMS {
                let (truth, told) = (self.truth(agent, name)?, number_after(told, &format!("\"{name}\":")).unwrap_or(0));
                if truth != told {
                    return Err(Failure::new(format!("clown says {told} {name} of {agent}; the logs tell {truth}")));
                }
            }
        }
        Ok(())
    }

    pub(super) fn truth(&self, agent: &str, name: &str) -> Result<u64, Failure> {
        let of = self.truth.split_once(&format!("\"{agent}\":{{")).map_or("", |(_, rest)| rest);
        number_after(of, &format!("\"{name}\":")).ok_or_else(|| Failure::new(format!("truth.json has no {name} of {agent}")))
    }

    /// How many bytes, files and requests there are.
    pub(super) fn size(&self) -> Result<(u64, u64, u64), Failure> {
        let of = |name: &str| number_after(&self.truth, name).unwrap_or(0);
        Ok((of("\"bytes\":"), of("\"files\":"), self.truth("claude", "requests")? + self.truth("codex", "requests")?))
    }
}

const SUMS: [&str; 8] = [
    "requests",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_other_tokens",
];

/// Made once. The truth is written last, so where it is all is.
fn corpus() -> Result<PathBuf, Failure> {
    let dir = dirs::under_target(&format!("corpus/{SIZE}-{SEED}-{}", corpus::FORM))?;
    if !dir.join("truth.json").exists() {
        eprintln!("    making a gigabyte of logs, once");
        corpus::make(&dir, SIZE, SEED)?;
    }
    Ok(dir)
}

/// The same files under another directory.
fn link(from: &Path, to: &Path) -> Outcome {
    let failed = |err: std::io::Error| Failure::new(format!("cannot link {} to {}: {err}", from.display(), to.display()));
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)?.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            link(&from, &to)?;
        } else {
            fs::hard_link(&from, &to).map_err(failed)?;
        }
    }
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|err| Failure::new(format!("cannot read {}: {err}", path.display())))
}

/// What a program prints, where it succeeds.
pub(super) fn printed(cmd: &mut Command) -> Result<String, Failure> {
    let shown = shell::show(cmd);
    let (ok, text) = capture(cmd.stderr(Stdio::null()), Duration::from_secs(300))?;
    if ok { Ok(text) } else { Err(Failure::new(format!("`{shown}` failed")).hint("run it by hand to see why")) }
}

/// One run of a program.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) wall: f64,
    /// User and system, of the program and all it started and waited for; seconds.
    pub(super) cpu: f64,
    /// The most memory it ever held, MiB.
    pub(super) peak: f64,
}

/// Runs a program to its end, with a look at its memory every other millisecond.
pub(super) fn spent(cmd: &mut Command) -> Result<Spent, Failure> {
    let shown = shell::show(cmd);
    let failed = |err: std::io::Error| Failure::new(format!("cannot run `{shown}`: {err}"));
    let before = ticks_of_children();
    let begun = Instant::now();
    let mut child = cmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        peak = measure::proc_file(child.id(), "status").ok().and_then(|text| number_after(&text, "VmHWM:")).unwrap_or(0).max(peak);
        thread::sleep(Duration::from_millis(2));
    };
    let wall = begun.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Failure::new(format!("`{shown}` failed ({status}), so its time means nothing")).hint("run it by hand to see why"));
    }
    Ok(Spent { wall, cpu: seconds(ticks_of_children() - before), peak: peak as f64 / 1024.0 })
}

/// Of the children that ended. The kernel keeps them exactly and tells whole ticks.
fn ticks_of_children() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

pub(super) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / 100.0
}

/// The most memory a process ever held, MiB.
pub(super) fn peak(pid: u32) -> Result<f64, Failure> {
    let text = measure::proc_file(pid, "status")?;
    number_after(&text, "VmHWM:").map(|kib| kib as f64 / 1024.0).ok_or_else(|| Failure::new("the kernel tells no VmHWM"))
}

/// Bytes a process asked the system for, sockets apart.
pub(super) fn bytes_read(pid: u32) -> Result<u64, Failure> {
    let text = measure::proc_file(pid, "io")?;
    number_after(&text, "rchar:").ok_or_else(|| Failure::new("the kernel tells no rchar"))
}

pub(super) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(0.0)
}
