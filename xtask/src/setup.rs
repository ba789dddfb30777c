//! `setup`: build tools, test tools, pinned agents, the vendors' SDKs and the price oracle.

use std::path::PathBuf;
use std::process::Command;

use crate::outcome::{Failure, Outcome, step};
use crate::shell::{self, run, which};
use crate::{agents, more, sdk, ui, usage};

/// Something that must be on PATH under one of its names.
struct Tool {
    names: &'static [&'static str],
    needed_for: &'static str,
    /// Debian packages that bring it.
    packages: &'static [&'static str],
}

const BUILD: &[Tool] = &[
    Tool { names: &["cmake"], needed_for: "building the messaging library", packages: &["cmake"] },
    Tool {
        names: &["cc", "gcc", "clang"],
        needed_for: "building the messaging library and hashes",
        packages: &["gcc", "g++", "libc6-dev"],
    },
    Tool { names: &["make", "ninja"], needed_for: "cmake", packages: &["make"] },
];

const NODE: &[Tool] = &[
    Tool { names: &["node"], needed_for: "running Codex", packages: &["nodejs"] },
    Tool { names: &["npm"], needed_for: "installing the pinned agents, building the web UI", packages: &["npm"] },
];

static PYTHON: Tool =
    Tool { names: sdk::PYTHON, needed_for: "the vendors' SDKs (3.11 or newer, with venv)", packages: &["python3", "python3-venv"] };

const TESTS: &[Tool] = &[
    Tool { names: &["gnome-keyring-daemon"], needed_for: "the keychain test", packages: &["gnome-keyring"] },
    Tool { names: &["dbus-run-session"], needed_for: "the keychain test", packages: &["dbus"] },
    Tool { names: &["chromium", "chromium-browser", "google-chrome"], needed_for: "the tests of the web UI", packages: &["chromium"] },
    Tool { names: &["zsh"], needed_for: "the completion tests", packages: &["zsh"] },
    Tool { names: &["fish"], needed_for: "the completion tests", packages: &["fish"] },
    Tool { names: &["groff"], needed_for: "the tests of the manual pages", packages: &["groff"] },
    Tool { names: &["mandoc"], needed_for: "the tests of the manual pages", packages: &["mandoc"] },
    Tool { names: &["minisign"], needed_for: "the tests of the installer", packages: &["minisign"] },
    Tool { names: &["openssl"], needed_for: "the tests of the installer", packages: &["openssl"] },
    Tool { names: &["curl"], needed_for: "the tests of the installer", packages: &["curl"] },
    Tool { names: &["systemd-analyze"], needed_for: "the service tests", packages: &["systemd"] },
    Tool { names: &["strace"], needed_for: "the crash sweeps", packages: &["strace"] },
    Tool { names: &["prometheus"], needed_for: "the test that scrapes the figures", packages: &["prometheus"] },
];

/// Of a release: what links each target, and what its packages are made with.
const DIST: &[(&str, Tool)] = &[
    ("linux-musl", Tool { names: &["musl-gcc"], needed_for: "static programs", packages: &["musl-tools"] }),
    ("linux-musl", Tool { names: &["readelf"], needed_for: "looking at a static program", packages: &["binutils"] }),
    ("linux-musl", Tool { names: &["dpkg-deb"], needed_for: "the Debian package", packages: &["dpkg"] }),
    ("windows-gnu", Tool { names: &["x86_64-w64-mingw32-gcc"], needed_for: "programs for Windows", packages: &["gcc-mingw-w64-x86-64"] }),
];

const WRK: Tool = Tool { names: &["wrk"], needed_for: "the HTTP bench", packages: &["wrk"] };
const DEBOOTSTRAP: Tool = Tool { names: &["debootstrap"], needed_for: "the trial in a bare system", packages: &["debootstrap"] };
const NGINX: Tool = Tool { names: &["nginx"], needed_for: "comparing the proxy engine", packages: &["nginx"] };

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &["--tests"])?;
    let tests = args.contains(&"--tests");
    step("build tools", || tools(tests, true))?;
    if tests {
        step("rust components", components)?;
    }
    step("pinned agents", || agents::ensure(agents::ALL).map(drop))?;
    if tests {
        step("further agents", more::ensure)?;
        step("vendors' SDKs, price oracle", sdk::ensure)?;
        step("packages of the web UI", ui::packages)?;
    }
    eprintln!("Set up.");
    Ok(())
}

/// Sees to it that the tools are there: installs what is missing where it can, fails if a needed one stays missing.
pub(crate) fn tools(tests: bool, node: bool) -> Outcome {
    let mut wanted: Vec<&Tool> = BUILD.iter().collect();
    wanted.extend(NODE.iter().filter(|_| node));
    wanted.extend(tests.then_some(&PYTHON));
    let optional: Vec<&Tool> = if cfg!(target_os = "linux") && tests { TESTS.iter().collect() } else { Vec::new() };

    let lacking: Vec<&Tool> = wanted.iter().chain(&optional).copied().filter(|tool| is_missing(tool)).collect();
    if lacking.is_empty() {
        eprintln!("    all present");
        return Ok(());
    }
    for tool in &lacking {
        eprintln!("    missing: {} (needed for {})", tool.names.join(" or "), tool.needed_for);
    }
    let install = if is_root_on_debian() { apt_install(&lacking) } else { Ok(()) };

    let (needed, wished): (Vec<&Tool>, Vec<&Tool>) =
        lacking.into_iter().filter(|tool| is_missing(tool)).partition(|tool| wanted.iter().any(|other| std::ptr::eq(*other, *tool)));
    if !wished.is_empty() {
        eprintln!("    tests that need the missing tools will say so; {}", how_to(&wished));
    }
    if needed.is_empty() {
        return Ok(());
    }
    install?;
    let names: Vec<&str> = needed.iter().filter_map(|tool| tool.names.first()).copied().collect();
    Err(Failure::new(format!("missing: {}", names.join(", "))).hint(how_to(&needed)))
}

/// What a release of this target is built with.
pub(crate) fn dist(target: &str) -> Outcome {
    tools(false, false)?;
    let lacking: Vec<&Tool> = DIST.iter().filter(|(part, tool)| target.contains(part) && is_missing(tool)).map(|(_, tool)| tool).collect();
    for tool in &lacking {
        eprintln!("    missing: {} (needed for {})", tool.names.join(" or "), tool.needed_for);
    }
    match lacking.as_slice() {
        [] => Ok(()),
        lacking if is_root_on_debian() => apt_install(lacking),
        lacking => Err(Failure::new(format!("tools for {target} are missing")).hint(how_to(lacking))),
    }
}

/// The floor of the proxy bench.
pub(crate) fn nginx() -> Outcome {
    eprintln!("    missing: nginx (needed for {})", NGINX.needed_for);
    if is_root_on_debian() { apt_install(&[&NGINX]) } else { Err(Failure::new("nginx is missing").hint(how_to(&[&NGINX]))) }
}

/// What makes the bare system of the trial.
pub(crate) fn debootstrap() -> Outcome {
    match which("debootstrap") {
        Some(_) => Ok(()),
        None if is_root_on_debian() => apt_install(&[&DEBOOTSTRAP]),
        None => Err(Failure::new("debootstrap is missing").hint(how_to(&[&DEBOOTSTRAP]))),
    }
}

/// What asks in the HTTP bench.
pub(crate) fn wrk() -> Result<PathBuf, Failure> {
    eprintln!("    missing: wrk (needed for {})", WRK.needed_for);
    let installed = if is_root_on_debian() { apt_install(&[&WRK]) } else { Ok(()) };
    installed.and_then(|()| which("wrk").ok_or_else(|| Failure::new("wrk is missing").hint(how_to(&[&WRK]))))
}

fn is_missing(tool: &Tool) -> bool {
    // The cmake crate takes the program of this variable before PATH.
    if tool.names == ["cmake"] && std::env::var_os("CMAKE").is_some_and(|cmake| shell::works(Command::new(cmake).arg("--version"))) {
        return false;
    }
    if tool.names == sdk::PYTHON {
        return sdk::python().is_none();
    }
    !tool.names.iter().any(|name| which(name).is_some())
}

fn packages(tools: &[&Tool]) -> Vec<&'static str> {
    tools.iter().flat_map(|tool| tool.packages).copied().collect()
}

fn how_to(tools: &[&Tool]) -> String {
    let packages = packages(tools).join(" ");
    if which("apt-get").is_some() {
        format!("install: sudo apt-get update && sudo apt-get install -y {packages}")
    } else if cfg!(target_os = "macos") {
        "install: xcode-select --install; brew install cmake node".into()
    } else if cfg!(windows) {
        "install CMake, the Visual Studio build tools and Node.js".into()
    } else {
        format!("install with your package manager (Debian's names: {packages})")
    }
}

fn is_root_on_debian() -> bool {
    which("apt-get").is_some() && shell::is_root()
}

/// One installation per tool, so that a package this system does not offer costs only its own tool.
fn apt_install(lacking: &[&Tool]) -> Outcome {
    let apt = || {
        let mut cmd = Command::new("apt-get");
        // The runlevel keeps a package from starting the service it brings.
        cmd.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
        cmd.args(["-qq", "-o", "DPkg::Lock::Timeout=120"]);
        cmd
    };
    // A stale or half-reachable package list may still hold what we need, so only the installation decides.
    let update = run(apt().arg("update"));
    let mut outcome = Ok(());
    for tool in lacking {
        let mut install = apt();
        install.args(["install", "-y", "--no-install-recommends"]);
        if let Err(failure) = run(install.args(tool.packages)) {
            eprintln!("    {failure}");
            outcome = Err(failure);
        }
    }
    match update {
        Ok(()) => outcome,
        Err(_) => outcome.map_err(|failure| failure.hint("`apt-get update` failed too: is the network there?")),
    }
}

fn components() -> Outcome {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if shell::works(&mut shell::cargo(&[subcommand, "--version"])) {
            continue;
        }
        let hint = format!("install it: rustup component add {component}");
        run(Command::new("rustup").args(["component", "add", component])).map_err(|failure| failure.hint(hint))?;
    }
    Ok(())
}
