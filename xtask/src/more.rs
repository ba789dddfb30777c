//! The further real agents of the tests. Each is in a directory of its own under `target/agents-more`: two of them have one name, and
//! a test shows clown one at a time.

use std::fs;
use std::process::Command;

use crate::agents::{self, Pinned};
use crate::outcome::{Failure, Outcome};
use crate::shell::{run, works};
use crate::{dirs, sdk};

const PLACE: &str = "agents-more";

/// Some of them need a newer one than systems have.
const NODE: Pinned = Pinned::new("node", "node", "22.23.3");

/// By directory. Grok CLI and Pi do not print their package's version on stdout.
const NPM: &[(&str, Pinned)] = &[
    ("qwen", Pinned::new("qwen", "@qwen-code/qwen-code", "0.24.4")),
    ("copilot", Pinned::new("copilot", "@github/copilot", "1.0.102")),
    ("grok", Pinned::new("grok", "@xai-official/grok", "1.0.41")),
    ("grok-cli", Pinned { says: Some("1.0.1"), ..Pinned::new("grok", "@vibe-kit/grok-cli", "0.0.34") }),
    ("pi", Pinned { says: Some(""), ..Pinned::new("pi", "@earendil-works/pi-coding-agent", "0.87.1") }),
    ("kimi", Pinned::new("kimi", "@moonshot-ai/kimi-code", "2.1.0")),
    ("droid", Pinned::new("droid", "droid", "0.215.0")),
];

/// From PyPI; it names the versions of all it needs itself.
const AIDER: &str = "aider-chat==0.86.2";

/// Installs what is lacking. One that cannot be had here is named, and its tests say so.
pub(crate) fn ensure() -> Outcome {
    let node = agents::install(&format!("{PLACE}/node"), &[NODE], &[NODE], &[])?;
    let outcomes = NPM.iter().map(|(dir, agent)| {
        (*dir, agents::install(&format!("{PLACE}/{dir}"), &[*agent], &[*agent], std::slice::from_ref(&node)).map(drop))
    });
    for (name, outcome) in outcomes.chain([("aider", aider())]) {
        if let Err(failure) = outcome {
            eprintln!("    {name} cannot be had here, and its tests will say so: {failure}");
        }
    }
    Ok(())
}

fn aider() -> Outcome {
    let dir = dirs::under_target(&format!("{PLACE}/aider"))?;
    let _alone = dirs::lock(&dir)?;
    let (stamp, venv) = (dir.join("installed.txt"), dir.join("venv"));
    let own = |name: &str| venv.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(name);
    if fs::read_to_string(&stamp).is_ok_and(|noted| noted == AIDER) && own("aider").exists() {
        eprintln!("    already installed: {AIDER}");
        return Ok(());
    }
    eprintln!("    installing {AIDER} (once; it is hundreds of megabytes)");
    let cannot = |err: std::io::Error| Failure::new(format!("cannot write to {}: {err}", dir.display()));
    let python = sdk::python().ok_or_else(|| Failure::new("no Python from 3.11 on that can make environments"))?;
    if venv.exists() {
        fs::remove_dir_all(&venv).map_err(cannot)?;
    }
    run(Command::new(python).args(["-m", "venv"]).arg(&venv))?;
    run(Command::new(own("python")).args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", AIDER]))?;
    if !works(Command::new(own("aider")).args(["--version", "--no-check-update"]).env("HOME", &dir).current_dir(&dir)) {
        return Err(Failure::new("it is installed but does not start"));
    }
    fs::write(&stamp, AIDER).map_err(cannot)
}
