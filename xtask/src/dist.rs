//! `dist`: a release. Builds a program for each target, then has the publisher pack and sign what was built.
//!
//! `--build` only builds, as each machine of a release workflow does; `--pack` only packs what is in the stage.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use crate::outcome::{Failure, Outcome, step};
use crate::shell::{self, cargo, run};
use crate::{dirs, platforms, setup, usage};

const MUSL: &str = "x86_64-unknown-linux-musl";
const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// What the flags say; those with a value that only the publisher reads are passed on.
struct Wanted {
    profile: String,
    targets: Vec<String>,
    build: bool,
    pack: bool,
    test_key: bool,
    keys: Vec<String>,
    passed_on: Vec<String>,
}

pub(crate) fn task(args: &[&str]) -> Outcome {
    let wanted = wanted(args)?;
    let stage = dirs::under_target("dist-stage")?;
    let _alone = dirs::lock(&stage)?;
    if wanted.build {
        for target in &wanted.targets {
            step(&format!("program for {target}"), || program(&wanted.profile, target, &stage))?;
        }
        step("manual pages", || manual(&stage))?;
    }
    if wanted.pack {
        step("release", || pack(&wanted, &stage))?;
    }
    Ok(())
}

fn wanted(args: &[&str]) -> Result<Wanted, Failure> {
    let mut wanted = Wanted {
        profile: "release".into(),
        targets: Vec::new(),
        build: args.contains(&"--build") || !args.contains(&"--pack"),
        pack: args.contains(&"--pack") || !args.contains(&"--build"),
        test_key: args.contains(&"--test-key"),
        keys: Vec::new(),
        passed_on: Vec::new(),
    };
    let mut words = args.iter().copied();
    while let Some(word) = words.next() {
        if matches!(word, "--build" | "--pack" | "--test-key") {
            continue;
        }
        let value = match word {
            "--profile" | "--target" | "--key" | "--base-url" | "--version-url" | "--npm-name" | "--maintainer" => {
                words.next().ok_or_else(|| Failure::usage(format!("{word} needs a value")))?
            }
            _ => return usage::only(&[word], &[]).map(|()| wanted),
        };
        match word {
            "--profile" => wanted.profile = value.to_owned(),
            "--target" => wanted.targets.push(value.to_owned()),
            "--key" => wanted.keys.push(value.to_owned()),
            _ => wanted.passed_on.extend([word.to_owned(), value.to_owned()]),
        }
    }
    if wanted.targets.is_empty() {
        wanted.targets = usual_targets()?;
    }
    // So that a workflow keeps addresses and keys out of its command lines.
    for (flag, variable) in [("--base-url", "CLOWN_RELEASE_URL"), ("--version-url", "CLOWN_RELEASE_VERSION_URL")] {
        let value = env::var(variable).unwrap_or_default();
        if !value.is_empty() && !wanted.passed_on.iter().any(|word| word == flag) {
            wanted.passed_on.extend([flag.to_owned(), value]);
        }
    }
    if wanted.keys.is_empty() && !wanted.test_key {
        wanted.keys.extend(env::var("CLOWN_RELEASE_KEY").ok().filter(|file| !file.is_empty()));
    }
    if wanted.pack && wanted.keys.is_empty() && !wanted.test_key {
        return Err(Failure::new("a release is signed, and no key is named")
            .hint("--key FILE, or CLOWN_RELEASE_KEY (make one: cargo xtask registry key --out FILE); for a trial: --test-key"));
    }
    Ok(wanted)
}

/// Without `--target`: on Linux what can be built here, elsewhere the machine's own.
fn usual_targets() -> Result<Vec<String>, Failure> {
    if cfg!(target_os = "linux") {
        return Ok(vec![MUSL.into(), WINDOWS.into()]);
    }
    let (_, said) = shell::capture(Command::new("rustc").arg("-vV").current_dir(dirs::root()), Duration::from_secs(60))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    Ok(vec![host.to_owned()])
}

fn program(profile: &str, target: &str, stage: &Path) -> Outcome {
    setup::dist(target)?;
    platforms::add_target(target).map_err(Failure::new)?;
    run(&mut cargo(&["build", "--package", "clown", "--bin", "clown", "--locked", "--profile", profile, "--target", target]))?;
    let name = if target.contains("windows") { "clown.exe" } else { "clown" };
    // Cargo has another name for the directory of this one.
    let made = dirs::target().join(target).join(if profile == "dev" { "debug" } else { profile }).join(name);
    if target.contains("linux-musl") {
        stands_alone(&made)?;
    }
    let place = stage.join(target);
    let copied = fs::create_dir_all(&place).and_then(|()| fs::copy(&made, place.join(name)));
    let size = copied.map_err(|err| Failure::new(format!("cannot copy {} to {}: {err}", made.display(), place.display())))?;
    eprintln!("    {target}: {:.1} MB", size as f64 / 1e6);
    Ok(())
}

/// A static program that may be loaded anywhere: of the kind of a shared object, and asks for no interpreter.
fn stands_alone(file: &Path) -> Outcome {
    let (_, said) =
        shell::capture(Command::new("readelf").args(["--wide", "--file-header", "--program-headers"]).arg(file), Duration::from_secs(60))?;
    let is_pie = said.lines().any(|line| line.trim_start().starts_with("Type:") && line.contains("DYN"));
    if is_pie && !said.contains("INTERP") {
        return Ok(());
    }
    Err(Failure::new(format!("{} is not a static PIE", file.display())).hint(format!("see: readelf -lW {}", file.display())))
}

/// Pages are written by one of the programs that run here.
fn manual(stage: &Path) -> Outcome {
    let dir = stage.join("man");
    if dir.exists() {
        fs::remove_dir_all(&dir).map_err(|err| Failure::new(format!("cannot empty {}: {err}", dir.display())))?;
    }
    let staged = |name: &str| fs::read_dir(stage).ok()?.flatten().map(|e| e.path().join(name)).find(|p| p.is_file());
    let runs = |program: &PathBuf| shell::works(Command::new(program).arg("--version"));
    let here = [staged("clown"), staged("clown.exe"), Some(dirs::clown("debug"))].into_iter().flatten().find(runs);
    let program = here.ok_or_else(|| Failure::new("no program here runs, to write the manual pages").hint("build one: cargo build"))?;
    run(Command::new(program).arg("__man").arg(&dir))
}

fn pack(wanted: &Wanted, stage: &Path) -> Outcome {
    let out = dirs::target().join("dist");
    let mut keys = wanted.keys.clone();
    if wanted.test_key {
        keys.push(test_key()?.display().to_string());
    }
    let mut publisher = cargo(&["run", "--quiet", "--package", "publisher", "--locked", "--", "release"]);
    publisher.arg("--stage").arg(stage).arg("--out").arg(&out).args(["--epoch", &epoch()?]).args(&wanted.passed_on);
    for key in keys {
        // Paths are meant from where the user stands.
        publisher.arg("--key").arg(env::current_dir().unwrap_or_default().join(key));
    }
    run(&mut publisher)?;
    let mut files: Vec<_> = fs::read_dir(&out).into_iter().flatten().flatten().collect();
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let size = file.metadata().map_or(0, |meta| meta.len());
        eprintln!("    {:>10}  {}", size, file.file_name().to_string_lossy());
    }
    Ok(())
}

/// A key that nobody should trust, kept for the next trial.
fn test_key() -> Result<PathBuf, Failure> {
    let file = dirs::under_target("dist-test-key")?.join("test.key");
    if !file.exists() {
        run(cargo(&["run", "--quiet", "--package", "publisher", "--locked", "--", "key", "--no-password", "--out"]).arg(&file))?;
    }
    Ok(file)
}

/// The time of a release is that of its commit, so that the same source gives the same files.
fn epoch() -> Result<String, Failure> {
    if let Ok(given) = env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    let mut git = Command::new("git");
    let (ok, said) = shell::capture(git.args(["log", "-1", "--format=%ct"]).current_dir(dirs::root()), Duration::from_secs(30))?;
    if ok {
        return Ok(said.trim().to_owned());
    }
    Err(Failure::new("the time of the release is not known: this is no git repository").hint("say it: SOURCE_DATE_EPOCH=$(date +%s)"))
}
