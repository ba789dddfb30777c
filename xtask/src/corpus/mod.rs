//! `corpus`: makes logs of Claude Code and Codex, of any size, the same ones for the same seed, and writes down what they tell.
//!
//! They have what real logs have: answers told in growing snapshots, side chains' replays, resumed sessions that copy what was before,
//! sums told again, forks that replay their parent, and much more text than usage.

mod claude;
mod codex;
mod random;
mod truth;

use std::fs;
use std::path::{Path, PathBuf};

use crate::outcome::{Failure, Outcome};
use random::Random;
use truth::Truth;

/// The home of the logs, below the directory asked for.
pub(crate) const HOME: &str = "home";

/// Grows with every change of what the same seed gives: what was made before is made anew then.
#[cfg(target_os = "linux")]
pub(crate) const FORM: u32 = 1;

pub(crate) fn task(args: &[&str]) -> Outcome {
    let (mut size, mut seed, mut out) = (20_000_000, 1, None);
    let mut rest = args.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| Failure::usage(format!("{name} needs a value")))?;
        match *name {
            "--size" => size = bytes(value)?,
            "--seed" => seed = value.parse().map_err(|_| Failure::usage("--seed is a number"))?,
            "--out" => out = Some(PathBuf::from(value)),
            _ => return Err(Failure::usage(format!("this task has no option \"{name}\""))),
        }
    }
    let out = out.ok_or_else(|| Failure::usage("--out DIR says where to write"))?;
    let truth = make(&out, size, seed)?;
    println!("{truth}");
    Ok(())
}

/// Writes the logs and `truth.json` beside them. Returns what is in that.
pub(crate) fn make(out: &Path, size: u64, seed: u64) -> Result<String, Failure> {
    let mut to = Writer { home: out.join(HOME), written: 0, files: 0 };
    let mut random = Random::new(seed);
    let (mut claude, mut codex) = (Truth::default(), Truth::default());
    let mut number = 0;
    while to.written < size {
        // Two of three bytes are Claude Code's, as on the machines these were modelled on.
        if number % 3 == 2 {
            codex::sessions(&mut to, &mut random, number, &mut codex)?;
        } else {
            claude::session(&mut to, &mut random, number, &mut claude)?;
        }
        number += 1;
    }
    let truth = format!(
        "{{\"seed\":{seed},\"bytes\":{},\"files\":{},\"claude\":{},\"codex\":{}}}\n",
        to.written,
        to.files,
        claude.json(),
        codex.json()
    );
    write(&out.join("truth.json"), truth.as_bytes())?;
    Ok(truth)
}

struct Writer {
    home: PathBuf,
    written: u64,
    files: u64,
}

impl Writer {
    fn file(&mut self, name: &str, text: &str) -> Outcome {
        self.written += text.len() as u64;
        self.files += 1;
        write(&self.home.join(name), text.as_bytes())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, bytes)).map_err(|err| Failure::new(format!("cannot write {}: {err}", path.display())))
}

/// `20MB`, `1GB`, or a bare number.
fn bytes(text: &str) -> Result<u64, Failure> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" => 1,
        "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        other => return Err(Failure::usage(format!("\"{other}\" is no unit: KB, MB or GB"))),
    };
    digits.parse::<u64>().map(|number| number * unit).map_err(|_| Failure::usage(format!("\"{text}\" is no size")))
}
