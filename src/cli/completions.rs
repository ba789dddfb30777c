//! `clown completions`, and the hidden `clown __complete` that its scripts ask.

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

mod answer;
mod line;

pub(super) use answer::answer;

use super::output::Output;
use crate::base::error::{Error, Result};

/// The word that the scripts put before the words of a line.
pub(super) const COMMAND: &str = "__complete";

const SCRIPTS: &[(&str, &str)] = &[
    ("bash", include_str!("../../assets/completions/clown.bash")),
    ("zsh", include_str!("../../assets/completions/clown.zsh")),
    ("fish", include_str!("../../assets/completions/clown.fish")),
    ("powershell", include_str!("../../assets/completions/clown.ps1")),
];

/// Shells whose names are no typing mistakes.
const OTHERS: &[&str] = &["sh", "dash", "ash", "ksh", "csh", "tcsh", "nu", "xonsh", "elvish"];

#[derive(FromArgs, ArgsInfo)]
/// Print a script that completes commands, options and, while a daemon runs, names in your shell.
#[argh(
    subcommand,
    name = "completions",
    example = "source <(clown completions bash)    # in ~/.bashrc; zsh: in ~/.zshrc, after compinit\nclown completions fish > ~/.config/fish/completions/clown.fish\nclown completions powershell >> $PROFILE"
)]
pub(super) struct Completions {
    /// bash, zsh, fish or powershell (default: the one that SHELL names)
    #[argh(positional)]
    shell: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    shell: &'a str,
    script: &'a str,
}

impl Completions {
    pub fn run(self, output: Output) -> Result<i32> {
        let named = match self.shell {
            Some(shell) => shell,
            None => own_shell().ok_or_else(|| {
                Error::usage("which shell is yours is not known: SHELL is not set")
                    .hint("name it: clown completions bash, zsh, fish or powershell")
            })?,
        };
        let Some((shell, script)) = SCRIPTS.iter().find(|(shell, _)| *shell == named) else {
            let shells: Vec<&str> = SCRIPTS.iter().map(|(shell, _)| *shell).collect();
            let error = Error::usage(format!("there is no script for the shell {named:?}"));
            let error = if OTHERS.contains(&named.as_str()) { error } else { error.did_you_mean(&named, shells.iter().copied()) };
            return Err(error.or_hint(&format!("use one of: {}", shells.join(", "))));
        };
        output.data(&Document { shell, script }, || (*script).to_owned());
        Ok(0)
    }
}

/// The login shell, by its program's name.
fn own_shell() -> Option<String> {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty())?;
    std::path::Path::new(&shell).file_name().and_then(|name| name.to_str()).map(str::to_owned)
}
